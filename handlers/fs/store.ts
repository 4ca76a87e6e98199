/**
 * What a node keeps for fs: its blobs, who may read them, and trees of names over them.
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import { resolve } from "node:path";
import type { BlobReader, BlobStore } from "./blobs/blob_store.ts";
import { INLINE } from "./blobs/disk/files.ts";
import { DiskBlobStore } from "./blobs/disk/disk.ts";
import type { Settled } from "./blobs/disk/elsewhere.ts";
import type { DiskStoreOptions } from "./blobs/disk/options.ts";
import { type Grants, MemoryGrants } from "./blobs/grants.ts";
import { MemoryBlobStore } from "./blobs/memory.ts";
import { type BucketOptions, bucketUrl, CACHE_BYTES } from "./bucket/options.ts";
import { Contents } from "./contents.ts";
import type { BranchFiles } from "./files/branch_files.ts";
import { TreeFiles } from "./files/face.ts";
import { Sessions } from "./files/sessions.ts";
import { type FsLimits, fsLimitsWith } from "./limits.ts";
import type { PathTree } from "./tree/path_tree.ts";
import type { PostgresOptions } from "./tree/postgres/options.ts";
import { RowsTree } from "./tree/rows_tree.ts";
import { SqliteEngine } from "./tree/sqlite.ts";
import type { Provider } from "./transfer/several/source.ts";
import type { Hash } from "./wire/hash_text.ts";

/** The files of a node. */
export interface Fs extends AsyncDisposable {
  /** Its blobs. */
  readonly blobs: BlobStore;
  /** Who may read which. */
  readonly grants: Grants;
  /** Its branches, where it keeps any: a store in memory does not. */
  readonly tree?: PathTree;
  /** Says where the node that serves them listens, so that tickets made by other processes name it. */
  announce(addresses: readonly string[]): Promise<void>;
}

/** The files of a node, with trees of names over its blobs. */
export interface TreeFs extends Fs {
  /** Its branches. */
  readonly tree: PathTree;
  /**
   * A branch, or a version of one, as POSIX has files, for one client. Whether there is one, and whether it may be used, is
   * looked at by each of its methods.
   */
  files(branch: string, identity?: Identity): BranchFiles;
  /**
   * Opens what a file of a branch has in it. What is not here is got from the `providers` first.
   *
   * @throws {AlknetError} `BLOB_NOT_FOUND`: it is not here, and there are no providers. `BLOB_ABSENT`: none of them has it, or
   * not in time.
   */
  content(hash: Hash): Promise<BlobReader>;
  /**
   * Sends to the bucket what is not there yet, as far as it can be reached, and lets go here what may. It is done by itself
   * too, by the process that opened the store first. Without a bucket there is nothing to send.
   */
  settle(): Promise<Settled>;
}

/** Options of {@linkcode openFs}. */
export interface FsOptions extends DiskStoreOptions {
  /** Changes to {@linkcode FS_LIMITS}; of them `sessions`, `sessionIdle`, `fetches`, `fetchTime` and `maxBlobSize` count here. */
  readonly limits?: Partial<FsLimits>;
  /** A bucket that has its blobs too. */
  readonly bucket?: BucketOptions;
  /** A database that has its branches, for several nodes. Default: they are in the store. */
  readonly postgres?: PostgresOptions;
  /** Who is asked for what files of branches have in them and is not here; the first eight are. Default: nobody. */
  readonly providers?: readonly Provider[];
}

/**
 * Opens the store of a folder, which is made if it is not there. Several processes may have it open.
 *
 * @throws {AlknetError} `STORE_NEWER`, `INVALID_STORE`, `STORE_FULL`.
 * @throws {RangeError} A limit is none, or not a positive whole number; something of the bucket is wrong.
 */
export async function openFs(options: FsOptions): Promise<TreeFs> {
  const limits = fsLimitsWith(options.limits);
  const { bucket, postgres } = options;
  if (bucket) bucketUrl(bucket);
  const shared = postgres && new (await import("./tree/postgres/shared.ts")).SharedTrees(postgres);
  const blobs = await DiskBlobStore.openFolder(
    options,
    bucket && (async (parts) => {
      const { S3Bucket } = await import("./bucket/s3/client.ts");
      const { Tier } = await import("./bucket/tier/tier.ts");
      return await Tier.open(new S3Bucket(bucket), parts, {
        mode: bucket.mode ?? "mirror",
        cacheBytes: bucket.cacheBytes ?? CACHE_BYTES,
      });
    }),
    shared,
  );
  const engine = shared
    ? new (await import("./tree/postgres/engine.ts")).PostgresEngine(shared, blobs.tables)
    : new SqliteEngine(blobs.tables);
  const tree = new RowsTree(engine, options.historyDays);
  const contents = new Contents(blobs, options.providers ?? [], limits);
  const sessions = new Sessions({
    open: (hash) => contents.open(hash),
    folder: resolve(options.folder),
    newPath: () => blobs.newPath(),
    keep: (staged) => {
      const isMany = "bytes" in staged && staged.bytes.byteLength > INLINE;
      return isMany ? blobs.add(new Blob([staged.bytes as Uint8Array<ArrayBuffer>]).stream()) : blobs.adopt(staged);
    },
    now: options.now ?? Date.now,
  }, limits);
  return {
    blobs,
    tree,
    files: (branch, identity) => new TreeFiles(branch, identity, { tree, sessions }),
    content: (hash) => contents.open(hash),
    grants: blobs.grants,
    announce: (addresses) => blobs.announce(addresses),
    settle: () => blobs.settle(),
    async [Symbol.asyncDispose]() {
      await contents[Symbol.asyncDispose]();
      await sessions[Symbol.asyncDispose]();
      await tree[Symbol.asyncDispose]();
      await blobs[Symbol.asyncDispose]();
    },
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
