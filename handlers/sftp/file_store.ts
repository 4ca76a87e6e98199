/**
 * What an SFTP server serves: files by path. A folder of the disk is one store; one by content can be another.
 *
 * Paths are absolute in the store ("/" is its root), of "/" and any names between, as the client wrote them: a store resolves
 * "." and "..", and what leads out of it is refused with `PERMISSION_DENIED`.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

/** Why a store refused. `FAILURE` has its reason in the message: a full disk, a folder that is not empty. */
export type StoreErrorCode = "NO_SUCH_FILE" | "PERMISSION_DENIED" | "FAILURE" | "UNSUPPORTED";

/** A refusal of a store. The message is for the client: it names no path outside of the store. */
export class StoreError extends AlknetError {
  override name = "StoreError";
  declare readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** Attributes of a file, absent where the store does not know them. */
export interface FileAttributes {
  /** Bytes. */
  readonly size?: number;
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Type and permissions as `st_mode` has them. */
  readonly mode?: number;
  /** Of the last access and the last change, in whole seconds since 1970. */
  readonly times?: { readonly accessed: number; readonly modified: number };
  /** Names of the file, for the long form of a listing. */
  readonly links?: number;
}

/** How to open a file (draft-ietf-secsh-filexfer-02 §6.3). */
export interface OpenFlags {
  readonly read: boolean;
  readonly write: boolean;
  readonly append: boolean;
  readonly create: boolean;
  readonly truncate: boolean;
  /** With `create`: refused where it exists. */
  readonly exclusive: boolean;
}

/** Room of a file system, as `statvfs` has it. */
export interface FileSystemRoom {
  readonly blockSize: number;
  readonly fragmentSize: number;
  readonly blocks: bigint;
  readonly freeBlocks: bigint;
  readonly availableBlocks: bigint;
  readonly files: bigint;
  readonly freeFiles: bigint;
  readonly availableFiles: bigint;
  readonly id: bigint;
  readonly readOnly: boolean;
  readonly noSetuid: boolean;
  readonly longestName: number;
}

/** A file that is open. Calls may overlap. */
export interface StoreFile {
  /** Reads at a position up to as much as fits. Returns the bytes read: 0 is the end. */
  read(into: Uint8Array<ArrayBuffer>, position: number): Promise<number>;
  /** Writes all of it at a position, or at the end of a file open for appending. */
  write(bytes: Uint8Array<ArrayBuffer>, position: number): Promise<void>;
  attributes(): Promise<FileAttributes>;
  setAttributes(attributes: FileAttributes): Promise<void>;
  /** Has what was written survive a loss of power. */
  sync(): Promise<void>;
  room(): Promise<FileSystemRoom>;
  close(): Promise<void>;
}

/** A name in a directory. */
export interface DirectoryEntry {
  readonly name: string;
  /** Of the entry itself: a link is not followed. */
  readonly attributes: FileAttributes;
}

/** A directory that is open. */
export interface StoreDirectory {
  /** The next entries, up to so many, "." and ".." among them. None is the end. */
  next(atMost: number): Promise<readonly DirectoryEntry[]>;
  close(): Promise<void>;
}

/** Files by path. Every method throws {@linkcode StoreError}. */
export interface FileStore {
  open(path: string, flags: OpenFlags, attributes: FileAttributes): Promise<StoreFile>;
  openDirectory(path: string): Promise<StoreDirectory>;
  /** @param follow Whether a link at the end is followed. */
  attributes(path: string, follow: boolean): Promise<FileAttributes>;
  setAttributes(path: string, attributes: FileAttributes, follow: boolean): Promise<void>;
  remove(path: string): Promise<void>;
  makeDirectory(path: string, attributes: FileAttributes): Promise<void>;
  removeDirectory(path: string): Promise<void>;
  /** @param replace Whether a file of that name gives way (`rename(2)`), or the rename is refused. */
  rename(from: string, to: string, replace: boolean): Promise<void>;
  hardLink(existing: string, path: string): Promise<void>;
  /** @param target Kept as it is; not resolved. */
  symbolicLink(target: string, path: string): Promise<void>;
  readLink(path: string): Promise<string>;
  /** The path without ".", ".." and links. What does not exist is allowed as its last name. */
  realPath(path: string): Promise<string>;
  room(path: string): Promise<FileSystemRoom>;
}
