/**
 * Answers of the server, as they go out (draft-ietf-secsh-filexfer-02 §7; OpenSSH's `PROTOCOL` §4).
 *
 * @module
 */
import type { FileAttributes, FileSystemRoom } from "../file_store.ts";
import { writeAttributes } from "./attributes.ts";
import { FieldWriter } from "./fields.ts";
import { PacketType, SFTP_VERSION } from "./numbers.ts";

/** A name with all that is said of it. */
export interface NameEntry {
  readonly name: string;
  /** As `ls -l` shows it. */
  readonly longName: string;
  readonly attributes: FileAttributes;
}

/** Bytes of a DATA packet before its data: length, type, id, length of the data. */
const DATA_AT = 13;
/** Bytes that an entry likely has. */
const ENTRY = 160;
const VFS_READ_ONLY = 1;
const VFS_NO_SETUID = 2;

/** `byte VERSION`, `uint32 version`, pairs of strings. */
export function versionReply(
  extensions: readonly (readonly [name: string, version: string])[],
): Uint8Array<ArrayBuffer> {
  const fields = new FieldWriter(PacketType.VERSION, 512).uint32(SFTP_VERSION);
  for (const [name, version] of extensions) fields.name(name).name(version);
  return fields.finish();
}

/** `byte STATUS`, `uint32 id`, `uint32 code`, `string message`, `string language`. */
export function statusReply(id: number, code: number, message: string): Uint8Array<ArrayBuffer> {
  return new FieldWriter(PacketType.STATUS).uint32(id).uint32(code).name(message).name("").finish();
}

/** `byte HANDLE`, `uint32 id`, `string handle`, which is of four bytes. */
export function handleReply(id: number, handle: number): Uint8Array<ArrayBuffer> {
  return new FieldWriter(PacketType.HANDLE).uint32(id).uint32(4).uint32(handle).finish();
}

/** A DATA packet whose data is read into its place: `byte DATA`, `uint32 id`, `string data`. */
export class DataReply {
  /** Where the data goes. */
  readonly room: Uint8Array<ArrayBuffer>;
  readonly #bytes: Uint8Array<ArrayBuffer>;

  /** @param most Bytes of data at most. */
  constructor(most: number) {
    this.#bytes = new Uint8Array(new ArrayBuffer(DATA_AT + most));
    this.room = this.#bytes.subarray(DATA_AT);
  }

  /**
   * The packet.
   *
   * @param id Of the request.
   * @param length Bytes of data that there are.
   */
  finish(id: number, length: number): Uint8Array<ArrayBuffer> {
    const view = new DataView(this.#bytes.buffer);
    view.setUint32(0, DATA_AT - 4 + length);
    view.setUint8(4, PacketType.DATA);
    view.setUint32(5, id);
    view.setUint32(9, length);
    return this.#bytes.subarray(0, DATA_AT + length);
  }
}

/** `byte NAME`, `uint32 id`, `uint32 count`, count times `string name`, `string longname`, ATTRS. */
export function nameReply(id: number, entries: readonly NameEntry[]): Uint8Array<ArrayBuffer> {
  const fields = new FieldWriter(PacketType.NAME, 16 + entries.length * ENTRY).uint32(id).uint32(entries.length);
  for (const { name, longName, attributes } of entries) {
    fields.name(name).name(longName);
    writeAttributes(fields, attributes);
  }
  return fields.finish();
}

/** A NAME of one path, of which nothing else is known. */
export function pathReply(id: number, path: string): Uint8Array<ArrayBuffer> {
  return nameReply(id, [{ name: path, longName: path, attributes: {} }]);
}

/** `byte ATTRS`, `uint32 id`, ATTRS. */
export function attributesReply(id: number, attributes: FileAttributes): Uint8Array<ArrayBuffer> {
  const fields = new FieldWriter(PacketType.ATTRS).uint32(id);
  writeAttributes(fields, attributes);
  return fields.finish();
}

/** EXTENDED_REPLY of `statvfs@openssh.com`: eleven `uint64`. */
export function roomReply(id: number, room: FileSystemRoom): Uint8Array<ArrayBuffer> {
  const flags = (room.readOnly ? VFS_READ_ONLY : 0) | (room.noSetuid ? VFS_NO_SETUID : 0);
  return extended(id, 100).uint64(room.blockSize).uint64(room.fragmentSize)
    .uint64(room.blocks).uint64(room.freeBlocks).uint64(room.availableBlocks)
    .uint64(room.files).uint64(room.freeFiles).uint64(room.availableFiles)
    .uint64(room.id).uint64(flags).uint64(room.longestName).finish();
}

/** What `limits@openssh.com` tells, in bytes, and handles at once. */
export interface SftpLimits {
  readonly packet: number;
  readonly read: number;
  readonly write: number;
  readonly handles: number;
}

/** EXTENDED_REPLY of `limits@openssh.com`: four `uint64`. */
export function limitsReply(id: number, { packet, read, write, handles }: SftpLimits): Uint8Array<ArrayBuffer> {
  return extended(id).uint64(packet).uint64(read).uint64(write).uint64(handles).finish();
}

/** EXTENDED_REPLY of `users-groups-by-id@openssh.com`: two strings of strings; an id without a name has an empty one. */
export function ownersReply(
  id: number,
  users: readonly string[],
  groups: readonly string[],
): Uint8Array<ArrayBuffer> {
  return extended(id).bytes(namesOf(users)).bytes(namesOf(groups)).finish();
}

function extended(id: number, room = 64): FieldWriter {
  return new FieldWriter(PacketType.EXTENDED_REPLY, room).uint32(id);
}

function namesOf(names: readonly string[]): Uint8Array<ArrayBuffer> {
  const fields = new FieldWriter(0, names.length * 16);
  for (const name of names) fields.name(name);
  // Without the length and the type of a packet.
  return fields.finish().subarray(5);
}
