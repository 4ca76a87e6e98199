/**
 * The outboard of a blob as content: its pairs in pre-order, without a length in front (fs.md §2). Each is verified by those
 * above it before it is given out.
 *
 * @module
 */
import { CorruptError } from "../bao/corrupt_error.ts";
import { isSame } from "../bao/encode.ts";
import { hashPair } from "../bao/hasher.ts";
import { childrenOf, groupsOf, HASH, leftOf, outboardSize, PAIR } from "../bao/tree.ts";
import type { BlobReader, OpenSource } from "../blobs/blob_store.ts";

interface Step {
  readonly place: number;
  readonly groups: number;
  readonly expected: Uint8Array;
}

/** A reader of the pairs of a source, which it owns. */
export function outboardReader(source: OpenSource): BlobReader {
  const { size } = source.outboard;
  return {
    size: outboardSize(size),
    read: (at, length) => readPairs(source, at, Math.max(0, Math.min(length, outboardSize(size) - at))),
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}

async function readPairs({ outboard }: OpenSource, at: number, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  if (length === 0) return bytes;
  const [first, end] = [Math.floor(at / PAIR), Math.ceil((at + length) / PAIR)];
  const all = groupsOf(outboard.size);
  const ahead: Step[] = [{ place: 0, groups: all, expected: outboard.root }];
  for (let step = ahead.pop(); step; step = ahead.pop()) {
    const { place, groups, expected } = step;
    // A node over so many groups has that many pairs less one, from its place on.
    if (groups === 1 || place >= end || place + groups - 1 <= first) continue;
    const pair = await outboard.pair(place);
    if (pair?.byteLength !== PAIR || !isSame(hashPair(pair, groups === all), expected)) {
      throw new CorruptError(outboard.root, "outboard", place);
    }
    const from = place * PAIR - at;
    const to = Math.max(0, from);
    if (place >= first) bytes.set((from < 0 ? pair.subarray(-from) : pair).subarray(0, length - to), to);
    const left = leftOf(groups);
    const [leftPlace, rightPlace] = childrenOf(place, groups);
    ahead.push({ place: rightPlace, groups: groups - left, expected: pair.slice(HASH) });
    ahead.push({ place: leftPlace, groups: left, expected: pair.slice(0, HASH) });
  }
  return bytes;
}
