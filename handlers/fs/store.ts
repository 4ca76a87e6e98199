/**
 * What a node keeps for fs: its blobs, and who may read them.
 *
 * @module
 */
import type { BlobStore } from "./blobs/blob_store.ts";
import { DiskBlobStore } from "./blobs/disk/disk.ts";
import type { DiskStoreOptions } from "./blobs/disk/options.ts";
import { type Grants, MemoryGrants } from "./blobs/grants.ts";
import { MemoryBlobStore } from "./blobs/memory.ts";

/** The files of a node. */
export interface Fs extends AsyncDisposable {
  /** Its blobs. */
  readonly blobs: BlobStore;
  /** Who may read which. */
  readonly grants: Grants;
  /** Says where the node that serves them listens, so that tickets made by other processes name it. */
  announce(addresses: readonly string[]): Promise<void>;
}

/** Options of {@linkcode openFs}. */
export type FsOptions = DiskStoreOptions;

/**
 * Opens the store of a folder, which is made if it is not there. Several processes may have it open.
 *
 * @throws {AlknetError} `STORE_NEWER`, `INVALID_STORE`, `STORE_FULL`.
 */
export async function openFs(options: FsOptions): Promise<Fs> {
  const blobs = await DiskBlobStore.openFolder(options);
  return {
    blobs,
    grants: blobs.grants,
    announce: (addresses) => blobs.announce(addresses),
    [Symbol.asyncDispose]: () => blobs[Symbol.asyncDispose](),
  };
}

/** A store in memory, empty. */
export function memoryFs(): Fs {
  const blobs = new MemoryBlobStore();
  return {
    blobs,
    grants: new MemoryGrants((child) => blobs.rootsOf(child)),
    announce: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => blobs[Symbol.asyncDispose](),
  };
}
