/**
 * fs: blobs under their BLAKE3 hash, over `alknet/blobs` and, the same bytes for stock iroh-blobs, `/iroh-bytes/4`.
 *
 * Participants: a provider that serves blobs, and a getter that believes only what it hashed. Goals: no wrong byte is stored
 * or passed on; what was acknowledged survives `kill -9`; a slow or hostile peer costs its own streams.
 * With a bucket behind it a store has its blobs there too, or there alone: {@linkcode BucketOptions}. It is believed nothing.
 * A branch is a tree of names over blobs, with versions: {@linkcode PathTree}, {@linkcode fsOperations}. It is forked, compared
 * and merged at the cost of what was changed. As files of POSIX it is read and written by {@linkcode BranchFiles}: what is
 * written to a file is a version once it is closed, and nothing of it is left when the process dies before. Over HTTP blobs
 * and branches are read: {@linkcode fsWeb}.
 * Rights: a blob is read by the scopes `blobs:read`, `blobs:write`, `blobs:admin` and `admin`, by a grant to anyone, to an
 * identity or to a key, of it or of a sequence that lists it, by a branch that one may read and that links it, and by whoever
 * knows its hash where `publicBlobs` says so. Others are told the same whether it is there or not. A branch is used by its
 * owner, by the scopes `fs:read`, `fs:write`, `fs:admin`, of one branch as `fs:read:NAME`, and by a resource `branch/NAME`. On `/iroh-bytes/4` over QUIC a requester has no identity; `alknet/blobs` proves both keys.
 * A blob stays while a tag, a hold, or a sequence that has one refers to it; the rest is collected. Of a blob that did not come
 * whole the verified parts stay for a week.
 * Failures: a malformed request costs its own stream, too many of them the connection. Limits are in {@linkcode FsLimits}.
 *
 * @example A store in memory, one of whose blobs anyone may get
 * ```ts
 * import { router } from "@alknet/core";
 * import { fs, memoryFs } from "@alknet/handlers/fs";
 *
 * await using files = memoryFs();
 * const { hash, size } = await files.blobs.add(new Blob(["hello"]).stream());
 * await files.grants.grant({ hash, subject: "anyone" });
 * const node = router().use(fs(files));
 * console.assert(size === 5 && hash.startsWith("ea8f163db3") && node.alpns.includes("alknet/blobs"));
 * ```
 *
 * @module
 */
import { defineHandler, type Handler, Slots } from "@alknet/core/handler";
import { type FsLimits, fsLimitsWith } from "./limits.ts";
import type { Fs } from "./store.ts";
import { serveConnection, type ServeParts } from "./transfer/server.ts";

export type {
  AddOptions,
  AddPath,
  BlobReader,
  BlobStatus,
  BlobStore,
  Collected,
  CollectOptions,
  HashAndFormat,
  Held,
  OpenSource,
  ReceiveOptions,
  Tag,
  TagOptions,
  TagPage,
  Told,
  VerifyStep,
} from "./blobs/blob_store.ts";
export type { Grant, GrantAction, Grants, NewGrant, PushGrant, SecretGrant, Subject } from "./blobs/grants.ts";
export { linksOf } from "./blobs/sequence.ts";
export type { Quota, Quotas } from "./blobs/disk/tables/usage.ts";
export { announcedAddresses } from "./blobs/disk/holder.ts";
export type { Attributes, BranchFiles, OpenFile, OpenOptions, Space } from "./files/branch_files.ts";
export { type BranchRight, mayUse as mayUseBranch } from "./rights.ts";
export { FS_LIMITS, type FsLimits, fsLimitsWith } from "./limits.ts";
export { probeBucket } from "./bucket/probe.ts";
export type { Settled } from "./blobs/disk/elsewhere.ts";
export { type PostgresOptions, PostgresPassword, type PostgresPlace, postgresPlace } from "./tree/postgres/options.ts";
export { probePostgres } from "./tree/postgres/probe.ts";
export { BucketCredential, type BucketOptions, bucketUrl, CACHE_BYTES } from "./bucket/options.ts";
export type { DiskStoreOptions } from "./blobs/disk/options.ts";
export { type Fs, type FsOptions, memoryFs, openFs, type TreeFs } from "./store.ts";
export type {
  Branch,
  Change,
  ChangeOp,
  Conflict,
  Copy,
  Difference,
  Entry,
  Kind,
  Link,
  MergeOptions,
  MergeResult,
  Mkdir,
  Move,
  OwnerUsage,
  Page,
  PathTree,
  Policy,
  Remove,
  Restore,
  SetAttributes,
  Snapshot,
  Symlink,
  TreeEdit,
  TreeView,
  WatchOptions,
} from "./tree/path_tree.ts";
export { fsOperations, type FsOperationsOptions } from "./operations/mod.ts";
export type { ProviderFinder } from "./operations/fetching.ts";
export type { TicketContent, TicketWriter } from "./operations/grants.ts";
export { type FsWeb, fsWeb, type FsWebOptions, isFsPath } from "./web/web.ts";
export type { Asker } from "./rights.ts";
export { HistoryGoneError, TreeUnavailableError } from "./tree/errors.ts";
export { getBlob, type GetOptions } from "./transfer/client.ts";
export { download, type DownloadOptions, type DownloadProgress } from "./transfer/several/download.ts";
export type { Patience, Provider } from "./transfer/several/source.ts";
export { pushBlob, type PushOptions } from "./transfer/pushing/sending.ts";

/** Our name of the protocol: both ends prove their keys. */
export const BLOBS_ALPN = "alknet/blobs";
/** The name that stock iroh-blobs knows. */
export const IROH_BLOBS_ALPN = "/iroh-bytes/4";

/** Options of {@linkcode fs}. */
export interface FsHandlerOptions {
  /** Changes to {@linkcode FS_LIMITS}. */
  readonly limits?: Partial<FsLimits>;
  /** Whether whoever knows a hash may read it. Default `false`. */
  readonly publicBlobs?: boolean;
}

/**
 * Serves the blobs of a store.
 *
 * @throws {RangeError} A limit is none, or not a positive whole number.
 */
export function fs(
  { blobs, grants, tree }: Fs,
  options: FsHandlerOptions = {},
): Handler<readonly [typeof BLOBS_ALPN, typeof IROH_BLOBS_ALPN]> {
  const { publicBlobs = false } = options;
  const limits = fsLimitsWith(options.limits);
  const parts: ServeParts = {
    blobs,
    grants,
    tree,
    publicBlobs,
    limits,
    slots: new Slots({ all: limits.nodeStreams, identity: limits.streams, address: limits.anonymousStreams }),
  };
  return defineHandler({
    alpns: [BLOBS_ALPN, IROH_BLOBS_ALPN],
    description: "content-addressed blobs",
    handle: (connection, context) => serveConnection(connection, context, parts),
  });
}
