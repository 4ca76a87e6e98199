/**
 * What a write session has around it.
 *
 * @module
 */
import type { BlobReader, Held } from "../blobs/blob_store.ts";
import type { Hash } from "../wire/hash_text.ts";
import type { TreeEdit } from "../tree/path_tree.ts";
import type { MemoryPool } from "./content.ts";

/** What sessions need of the store. */
export interface SessionStore {
  /** Opens what a file has in it. */
  readonly open: (hash: Hash) => Promise<BlobReader>;
  /** Its folder, for messages. */
  readonly folder: string;
  /** Where a file may be made that is gone when the process is. */
  readonly newPath: () => string;
  /** Makes a blob of what was written; a file is the store's from then on. */
  readonly keep: (taken: { readonly bytes: Uint8Array } | { readonly path: string }) => Promise<Held>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What a session needs of its surroundings. */
export interface SessionPlace extends SessionStore {
  /** Memory that sessions share. */
  readonly pool: MemoryPool;
  /** Makes a commit as whoever writes. */
  readonly commit: (work: (edit: TreeEdit) => void) => Promise<unknown>;
  /** Bytes that may be added. */
  readonly room: () => Promise<number>;
}

/** A place among the sessions. */
export interface SessionSlot extends Disposable {
  /** When something was asked of it; milliseconds since 1970. */
  used: number;
}
