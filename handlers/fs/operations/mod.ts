/**
 * The operations of fs: `fs/…` on branches, `blobs/…` on what they are made of (fs.md §8). Whoever may not see a branch or a
 * blob is told the same whether it is there or not.
 *
 * @module
 */
import type { HandlerRegistration } from "@alknet/core/operations";
import type { TreeFs } from "../store.ts";
import { blobOperations } from "./blobs.ts";
import { branchOperations } from "./branches.ts";
import { fetchOperations, type ProviderFinder } from "./fetching.ts";
import { grantOperations, type TicketWriter } from "./grants.ts";
import { nameOperations } from "./names.ts";

/** Options of {@linkcode fsOperations}. */
export interface FsOperationsOptions {
  /** Whether whoever knows a hash may read the blob. Default `false`. */
  readonly publicBlobs?: boolean;
  /** Writes the tickets of grants. Without it `blobs/grant` is not offered. */
  readonly ticketOf?: TicketWriter;
  /** Finds nodes that may be asked for blobs. Without it `blobs/fetch` is not offered. */
  readonly providerOf?: ProviderFinder;
  /** Largest blob that is fetched, in bytes. Default 1 TiB. */
  readonly maxBlobSize?: number;
}

/** The operations on the files of a node. */
export function fsOperations(
  files: TreeFs,
  { publicBlobs = false, ticketOf, providerOf, maxBlobSize }: FsOperationsOptions = {},
): HandlerRegistration[] {
  return [
    ...nameOperations(files, publicBlobs),
    ...branchOperations(files),
    ...blobOperations(files, publicBlobs),
    ...grantOperations(files, publicBlobs, ticketOf),
    ...fetchOperations(files, providerOf, maxBlobSize),
  ];
}
