/**
 * Answers to Observe: what is there of a blob, and then what changed, until the requester has enough.
 *
 * @module
 */
import type { BidiStream } from "@alknet/core/handler";
import type { ChunkRanges } from "../bao/ranges.ts";
import type { BlobStore } from "../blobs/blob_store.ts";
import type { Hash } from "../wire/hash_text.ts";
import { writeItem } from "../wire/observe.ts";
import { Output } from "./output.ts";

/**
 * Answers one.
 *
 * @param options How long the requester may take nothing, in milliseconds, and what ends the answer.
 * @throws {SlowError} What writing throws.
 */
export async function observe(
  stream: BidiStream,
  hash: Hash,
  blobs: BlobStore,
  { stall, signal }: { readonly stall: number; readonly signal: AbortSignal },
): Promise<void> {
  const output = new Output(stream.writable, stall);
  const left = new AbortController();
  output.gone.then(() => left.abort());
  let before: ChunkRanges = [];
  for await (const { size = 0, have } of blobs.observe(hash, AbortSignal.any([signal, left.signal]))) {
    await output.put(writeItem({ size: BigInt(size), ranges: difference(before, have) }));
    await output.flush();
    before = have;
  }
  if (!left.signal.aborted) await output.end();
}

/** What is in one of two ranges and not in the other: the boundaries that only one of them has. */
export function difference(one: ChunkRanges, other: ChunkRanges): ChunkRanges {
  const [first, second] = [new Set(one), new Set(other)];
  return [...one.filter((at) => !second.has(at)), ...other.filter((at) => !first.has(at))]
    .sort((a, b) => a < b ? -1 : 1);
}
