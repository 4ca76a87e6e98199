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
  /** The class, as it stands before the message. */
  override name = "StoreError";
  /** Why. */
  declare readonly code: StoreErrorCode;

  /**
   * A refusal.
   *
   * @param code Why.
   * @param message For the client.
   * @param options The `cause`, where there is one.
   */
  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** Attributes of a file, absent where the store does not know them. */
export interface FileAttributes {
  /** Bytes. */
  readonly size?: number;
  /** Numbers of user and group. */
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
  /** It will be read. */
  readonly read: boolean;
  /** It will be written. */
  readonly write: boolean;
  /** Each write goes to the end, wherever it asks to go. */
  readonly append: boolean;
  /** It is made where it does not exist. */
  readonly create: boolean;
  /** What it holds goes. */
  readonly truncate: boolean;
  /** With `create`: refused where it exists. */
  readonly exclusive: boolean;
}

/** Room of a file system, as `statvfs` has it. */
export interface FileSystemRoom {
  /** Bytes that are best read and written at once. */
  readonly blockSize: number;
  /** Bytes of a block, where blocks are counted. */
  readonly fragmentSize: number;
  /** Blocks in all. */
  readonly blocks: bigint;
  /** Blocks that are free. */
  readonly freeBlocks: bigint;
  /** Blocks that are free for everyone. */
  readonly availableBlocks: bigint;
  /** Files that there can be. */
  readonly files: bigint;
  /** Files that there can be more. */
  readonly freeFiles: bigint;
  /** Files that everyone can make more. */
  readonly availableFiles: bigint;
  /** Tells file systems apart. */
  readonly id: bigint;
  /** Whether nothing can be changed. */
  readonly readOnly: boolean;
  /** Whether set-user-id has no effect. */
  readonly noSetuid: boolean;
  /** Bytes of a name at most. */
  readonly longestName: number;
}

/** A file that is open. Calls may overlap. */
export interface StoreFile {
  /** Reads at a position up to as much as fits. Returns the bytes read: 0 is the end. */
  read(into: Uint8Array<ArrayBuffer>, position: number): Promise<number>;
  /** Writes all of it at a position, or at the end of a file open for appending. */
  write(bytes: Uint8Array<ArrayBuffer>, position: number): Promise<void>;
  /** What is known of it. */
  attributes(): Promise<FileAttributes>;
  /** Changes what is given. */
  setAttributes(attributes: FileAttributes): Promise<void>;
  /** Has what was written survive a loss of power. */
  sync(): Promise<void>;
  /** The room of the file system that it is on. */
  room(): Promise<FileSystemRoom>;
  /** Closes it, when calls that run are over. */
  close(): Promise<void>;
}

/** A name in a directory. */
export interface DirectoryEntry {
  /** Bytes that are no UTF-8 are lone surrogates in it. */
  readonly name: string;
  /** Of the entry itself: a link is not followed. */
  readonly attributes: FileAttributes;
}

/** A directory that is open. */
export interface StoreDirectory {
  /** The next entries, up to so many, "." and ".." among them. None is the end. */
  next(atMost: number): Promise<readonly DirectoryEntry[]>;
  /** Closes it. */
  close(): Promise<void>;
}

/** Files by path. Every method throws {@linkcode StoreError}. */
export interface FileStore {
  /** Opens a file; where it is made, with these attributes. */
  open(path: string, flags: OpenFlags, attributes: FileAttributes): Promise<StoreFile>;
  /** Opens a directory. */
  openDirectory(path: string): Promise<StoreDirectory>;
  /**
   * What is known of a file.
   *
   * @param follow Whether a link at the end is followed.
   */
  attributes(path: string, follow: boolean): Promise<FileAttributes>;
  /** Changes what is given. */
  setAttributes(path: string, attributes: FileAttributes, follow: boolean): Promise<void>;
  /** Removes what is no directory. */
  remove(path: string): Promise<void>;
  /** Makes a directory. */
  makeDirectory(path: string, attributes: FileAttributes): Promise<void>;
  /** Removes a directory that is empty. */
  removeDirectory(path: string): Promise<void>;
  /**
   * Gives a file another name.
   *
   * @param replace Whether a file of that name gives way (`rename(2)`), or the rename is refused.
   */
  rename(from: string, to: string, replace: boolean): Promise<void>;
  /** Gives a file one more name. */
  hardLink(existing: string, path: string): Promise<void>;
  /**
   * Makes a link.
   *
   * @param target Kept as it is; not resolved.
   */
  symbolicLink(target: string, path: string): Promise<void>;
  /** The target of a link, as it was made. */
  readLink(path: string): Promise<string>;
  /** The path without ".", ".." and links. What does not exist is allowed as its last name. */
  realPath(path: string): Promise<string>;
  /** The room of the file system that a file is on. */
  room(path: string): Promise<FileSystemRoom>;
}
