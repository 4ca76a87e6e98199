/**
 * Numbers of SFTP version 3 (draft-ietf-secsh-filexfer-02), and the names of OpenSSH's extensions (its `PROTOCOL`, §4).
 *
 * @module
 */

/** The version that is spoken. */
export const SFTP_VERSION = 3;
/** Most bytes of data in a read, a write, or the longest answer: as OpenSSH's server. */
export const MAX_DATA = 255 * 1024;
/** Most bytes of a packet, its length left out: 256 KiB, and room for the fields before the data. */
export const MAX_PACKET = 256 * 1024 + 1024;

/** Types of packets (§3). */
export const PacketType = {
  INIT: 1,
  VERSION: 2,
  OPEN: 3,
  CLOSE: 4,
  READ: 5,
  WRITE: 6,
  LSTAT: 7,
  FSTAT: 8,
  SETSTAT: 9,
  FSETSTAT: 10,
  OPENDIR: 11,
  READDIR: 12,
  REMOVE: 13,
  MKDIR: 14,
  RMDIR: 15,
  REALPATH: 16,
  STAT: 17,
  RENAME: 18,
  READLINK: 19,
  SYMLINK: 20,
  STATUS: 101,
  HANDLE: 102,
  DATA: 103,
  NAME: 104,
  ATTRS: 105,
  EXTENDED: 200,
  EXTENDED_REPLY: 201,
} as const;

/** Codes of a status (§7). */
export const Status = {
  OK: 0,
  EOF: 1,
  NO_SUCH_FILE: 2,
  PERMISSION_DENIED: 3,
  FAILURE: 4,
  BAD_MESSAGE: 5,
  OP_UNSUPPORTED: 8,
} as const;

/** Flags of an open (§6.3). */
export const OpenFlag = { READ: 1, WRITE: 2, APPEND: 4, CREATE: 8, TRUNCATE: 16, EXCLUSIVE: 32 } as const;

/** Flags of attributes (§5). */
export const AttributeFlag = { SIZE: 1, OWNER: 2, PERMISSIONS: 4, TIMES: 8, EXTENDED: 0x80000000 } as const;

/** Extensions with their versions, as a VERSION packet names them. */
export const EXTENSIONS: readonly (readonly [name: string, version: string])[] = [
  ["posix-rename@openssh.com", "1"],
  ["hardlink@openssh.com", "1"],
  ["fsync@openssh.com", "1"],
  ["statvfs@openssh.com", "2"],
  ["fstatvfs@openssh.com", "2"],
  ["lsetstat@openssh.com", "1"],
  ["limits@openssh.com", "1"],
  ["expand-path@openssh.com", "1"],
  ["copy-data", "1"],
  ["users-groups-by-id@openssh.com", "1"],
  ["home-directory", "1"],
];
