/**
 * Reading hash sequences from a store.
 *
 * @module
 */
import { HASH } from "../bao/tree.ts";
import { corrupt } from "../errors.ts";
import type { Hash } from "../wire/hash_text.ts";
import type { BlobStore } from "./blob_store.ts";

/** Links of a sequence: all of them are in memory at times. */
const MAX_LINKS = 1_000_000;
/** Bytes that are read at once: whole links. */
const PIECE = 1024 * 1024;

/**
 * The links of a sequence that is in a store.
 *
 * @throws {AlknetError} `BLOB_NOT_FOUND`; `BLOB_CORRUPT`: it is none, or has too many links.
 */
export async function linksOf(store: Pick<BlobStore, "open">, hash: Hash): Promise<Uint8Array[]> {
  await using reader = await store.open(hash);
  if (reader.size % HASH !== 0) throw corrupt(hash, `it is no sequence of hashes: it has ${reader.size} bytes`);
  if (reader.size / HASH > MAX_LINKS) throw corrupt(hash, `it lists more than ${MAX_LINKS} blobs`);
  const links: Uint8Array[] = [];
  for (let at = 0; at < reader.size; at += PIECE) {
    const bytes = await reader.read(at, PIECE);
    for (let i = 0; i < bytes.byteLength; i += HASH) links.push(bytes.subarray(i, i + HASH));
  }
  return links;
}
