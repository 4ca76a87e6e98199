/**
 * A branch as POSIX has files: what SFTP, mounts and programs read and write by path (fs.md §6, §8).
 *
 * Paths are absolute, of "/" and any names between; ".", ".." and links are resolved, links that are absolute from the
 * root of the branch. What leads out of it is refused.
 *
 * @module
 */
import type { BlobReader } from "../blobs/blob_store.ts";
import type { Entry } from "../tree/path_tree.ts";
import type { Hash } from "../wire/hash_text.ts";

/** How a file is opened, as open(2) has it. */
export interface OpenOptions {
  /** It will be read. */
  readonly read?: boolean;
  /** It will be written. */
  readonly write?: boolean;
  /** Each write goes to the end. */
  readonly append?: boolean;
  /** It is made where it is not there. */
  readonly create?: boolean;
  /** With `create`: refused where it is there. */
  readonly exclusive?: boolean;
  /** What it holds goes. */
  readonly truncate?: boolean;
  /** It is committed only if what is there then is this blob, or what this handle has committed before; `null`: nothing. */
  readonly ifHash?: Hash | null;
  /** Permissions of what is made. Default 0o644. */
  readonly mode?: number;
}

/** What is changed of a name. */
export interface Attributes {
  /** Permissions, 12 bits. */
  readonly mode?: number;
  /** Milliseconds since 1970. */
  readonly mtime?: number;
  /** Bytes, of a file. */
  readonly size?: number;
}

/** How much there is room for: the quota of the branch's owner where there is one, else the disk. */
export interface Space {
  /** Bytes in all. */
  readonly bytes: number;
  /** Bytes that may be added. */
  readonly free: number;
  /** Names in all. */
  readonly files: number;
  /** Names that may be added. */
  readonly freeFiles: number;
}

/**
 * A file that is open. One that is only read stays what it was when it was opened, unless the same {@linkcode BranchFiles}
 * writes to it then: what is written is seen by its own handles at once, and by all others once it is committed.
 */
export interface OpenFile extends BlobReader {
  /** What is known of it. */
  stat(): Promise<Entry>;
  /**
   * Writes all of it at a place.
   *
   * @throws {AlknetError} `QUOTA_EXCEEDED`, `STORE_FULL`.
   */
  write(at: number, bytes: Uint8Array): Promise<void>;
  /** Makes it so long; what is new is zeros. */
  truncate(size: number): Promise<void>;
  /** Changes what is given. */
  set(attributes: Attributes): Promise<void>;
  /**
   * Commits what was written, as closing does.
   *
   * @throws {AlknetError} See {@linkcode PathTree.commit}.
   */
  commit(): Promise<void>;
  /** Forgets what was written since the last commit, and closes. */
  abort(): Promise<void>;
  /**
   * Closes it; the last handle commits what was written. Twice is harmless.
   *
   * @throws {AlknetError} It was not committed, and is gone.
   */
  close(): Promise<void>;
}

/** A branch, for one client. All methods throw the codes of fs.md §9. */
export interface BranchFiles extends AsyncDisposable {
  /** Opens a file. */
  open(path: string, options: OpenOptions): Promise<OpenFile>;
  /**
   * What is at a path.
   *
   * @param follow Whether a link at the end is followed. Default `true`.
   */
  stat(path: string, follow?: boolean): Promise<Entry>;
  /** What a folder holds, as it is when this begins. */
  list(path: string): AsyncIterable<Entry>;
  /** Makes a folder. */
  mkdir(path: string, mode?: number): Promise<void>;
  /** Removes a folder that is empty. */
  rmdir(path: string): Promise<void>;
  /** Removes what is no folder. */
  remove(path: string): Promise<void>;
  /**
   * Gives a name to what has another.
   *
   * @param replace Whether what has it gives way, as by rename(2).
   */
  rename(from: string, to: string, replace?: boolean): Promise<void>;
  /** Makes a link. */
  symlink(path: string, target: string): Promise<void>;
  /** The path without ".", ".." and links. What is not there is allowed as its last name. */
  realpath(path: string): Promise<string>;
  /** Changes what is given. */
  set(path: string, attributes: Attributes, follow?: boolean): Promise<void>;
  /** How much there is room for. */
  space(): Promise<Space>;
}
