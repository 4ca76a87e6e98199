/**
 * Encodings: the size, then of each node that a selected chunk lies below its pair, and the chunks themselves, in pre-order.
 *
 * ```text
 * size (u64, little-endian), walk(0, n)
 * walk(start, k): nothing, if no chunk is selected; the bytes, if k = 1, or k <= 16 and all are;
 *                 else the pair (64 bytes), walk of the left child, walk of the right one
 * ```
 *
 * @module
 */
import { CorruptError } from "./corrupt_error.ts";
import { hashChunks, hashPair } from "./hasher.ts";
import type { Maybe, Outboard } from "./outboard.ts";
import { type ChunkRanges, Selection } from "./ranges.ts";
import { childrenOf, CHUNK, chunksOf, GROUP_CHUNKS, HASH, leftOf, PAIR } from "./tree.ts";

/** A blob that can be encoded. */
export interface EncodeSource {
  /** Its pairs, its size and its hash. */
  readonly outboard: Outboard;
  /** Gives exactly the bytes asked for, at most a group. */
  read(at: number, length: number): Maybe<Uint8Array>;
}

interface Step {
  readonly start: number;
  readonly count: number;
  /** Of its pair in the outboard, where it has one there. */
  readonly place: number;
  readonly expected: Uint8Array;
}

/** A part of a blob, verified. */
export type Part =
  /** A pair of the outboard. */
  | { readonly pair: Uint8Array }
  /** A node of at most a group, all of whose bytes are here; some of it is selected. */
  | { readonly bytes: Uint8Array; readonly start: number; readonly count: number };

/**
 * Walks what is selected of a blob, in pre-order. Each part is verified before it is given out, and is valid until the next
 * is asked for.
 *
 * @throws {AlknetError} `BLOB_CORRUPT`: what is stored is not the blob. What was given out before is right.
 */
export async function* walk(source: EncodeSource, selection: Selection): AsyncGenerator<Part> {
  const { outboard } = source;
  const { size, root } = outboard;
  const chunks = chunksOf(size);
  const ahead: Step[] = [{ start: 0, count: chunks, place: 0, expected: root }];
  for (let step = ahead.pop(); step; step = ahead.pop()) {
    const { start, count, place, expected } = step;
    if (selection.misses(start, count)) continue;
    const isRoot = count === chunks;
    if (count <= GROUP_CHUNKS) {
      const bytes = await source.read(start * CHUNK, Math.min(count * CHUNK, size - start * CHUNK));
      if (!isSame(hashChunks(bytes, start, isRoot), expected)) throw new CorruptError(root, "data", start);
      yield { bytes, start, count };
      continue;
    }
    const pair = await outboard.pair(place);
    if (pair?.byteLength !== PAIR || !isSame(hashPair(pair, isRoot), expected)) {
      throw new CorruptError(root, "outboard", start);
    }
    const left = leftOf(count);
    const [leftPlace, rightPlace] = childrenOf(place, Math.ceil(count / GROUP_CHUNKS));
    ahead.push({ start: start + left, count: count - left, place: rightPlace, expected: pair.slice(HASH) });
    ahead.push({ start, count: left, place: leftPlace, expected: pair.slice(0, HASH) });
    yield { pair };
  }
}

/**
 * Encodes ranges of a blob, as {@linkcode walk} does.
 *
 * @throws {AlknetError} `BLOB_CORRUPT`, likewise.
 */
export async function* encode(source: EncodeSource, ranges: ChunkRanges): AsyncGenerator<Uint8Array> {
  const { size } = source.outboard;
  const selection = Selection.of(ranges, size);
  yield sizeBytes(size);
  for await (const part of walk(source, selection)) {
    if ("pair" in part) yield part.pair;
    else if (selection.covers(part.start, part.count)) yield part.bytes;
    else yield* within(part.bytes, part.start, part.count, selection);
  }
}

/** Whether two hashes are the same. They are no secrets. */
export function isSame(one: Uint8Array, other: Uint8Array): boolean {
  for (let i = 0; i < HASH; i++) if (one[i] !== other[i]) return false;
  return true;
}

/** The size as an encoding begins with it. */
export function sizeBytes(size: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(size), true);
  return bytes;
}

/** The selected part of a group, whose pairs are in no outboard. */
function* within(bytes: Uint8Array, start: number, count: number, selection: Selection): Generator<Uint8Array> {
  if (selection.misses(start, count)) return;
  if (count === 1 || selection.covers(start, count)) return yield bytes;
  const left = leftOf(count);
  const [before, after] = [bytes.subarray(0, left * CHUNK), bytes.subarray(left * CHUNK)];
  const pair = new Uint8Array(PAIR);
  hashChunks(before, start, false, pair.subarray(0, HASH));
  hashChunks(after, start + left, false, pair.subarray(HASH));
  yield pair;
  yield* within(before, start, left, selection);
  yield* within(after, start + left, count - left, selection);
}
