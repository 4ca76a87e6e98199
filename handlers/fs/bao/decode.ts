/**
 * Decoding: nothing is given out before it hashed to what stands above it, and at most a group waits for that.
 *
 * The size is a claim until the last chunk is verified; nothing is allocated by it.
 *
 * @module
 */
import { isSame } from "./encode.ts";
import { EncodingError, type TreeNode } from "./encoding_error.ts";
import { hashChunks, hashPair } from "./hasher.ts";
import type { Maybe } from "./outboard.ts";
import { type ChunkRanges, Selection } from "./ranges.ts";
import { childrenOf, CHUNK, chunksOf, GROUP_CHUNKS, HASH, leftOf, MAX_SIZE, PAIR } from "./tree.ts";

/** Where encodings come from. */
export interface ByteReader {
  /** So many bytes; fewer at the end alone. They are valid until the next call. */
  read(length: number): Maybe<Uint8Array>;
}

/** Takes what was verified. Bytes are valid until it returns, or what it returned has settled. */
export interface DecodeSink {
  /** The size that the sender claims, first of all. What it throws ends the decoding. */
  size?(claimed: number): Maybe<void>;
  /** A pair of the outboard, and its place in pre-order. */
  pair?(place: number, pair: Uint8Array): Maybe<void>;
  /** Bytes of the blob, one chunk or a group, and where they begin. */
  leaf(at: number, bytes: Uint8Array): Maybe<void>;
}

interface Step extends TreeNode {
  /** Of its pair in the outboard, where it has one there. */
  readonly place: number;
  readonly expected: Uint8Array;
}

const SIZE = 8;

/**
 * Decodes ranges of a blob.
 *
 * @param hash Of the blob, 32 bytes.
 * @param ranges What was asked for.
 * @returns The size; proven if the last chunk is among the ranges.
 * @throws {EncodingError} It is not that blob, or ends early.
 */
export async function decode(
  hash: Uint8Array,
  ranges: ChunkRanges,
  from: ByteReader,
  sink: DecodeSink,
): Promise<number> {
  const size = sizeOf(await from.read(SIZE));
  await sink.size?.(size);
  const selection = Selection.of(ranges, size);
  const chunks = chunksOf(size);
  const ahead: Step[] = [{ start: 0, count: chunks, place: 0, expected: hash }];
  for (let step = ahead.pop(); step; step = ahead.pop()) {
    const { start, count, place, expected } = step;
    if (selection.misses(start, count)) continue;
    const isRoot = count === chunks;
    if (count === 1 || (count <= GROUP_CHUNKS && selection.covers(start, count))) {
      const at = start * CHUNK;
      const length = Math.min(count * CHUNK, size - at);
      const bytes = await from.read(length);
      if (bytes.byteLength < length) throw cut(step);
      if (!isSame(hashChunks(bytes, start, isRoot), expected)) throw wrong(step);
      await sink.leaf(at, bytes);
      continue;
    }
    const pair = await from.read(PAIR);
    if (pair.byteLength < PAIR) throw cut(step);
    if (!isSame(hashPair(pair, isRoot), expected)) throw wrong(step);
    const left = leftOf(count);
    const [leftPlace, rightPlace] = childrenOf(place, Math.ceil(count / GROUP_CHUNKS));
    ahead.push({ start: start + left, count: count - left, place: rightPlace, expected: pair.slice(HASH) });
    ahead.push({ start, count: left, place: leftPlace, expected: pair.slice(0, HASH) });
    if (count > GROUP_CHUNKS) await sink.pair?.(place, pair);
  }
  return size;
}

function sizeOf(bytes: Uint8Array): number {
  if (bytes.byteLength < SIZE) throw new EncodingError("ENCODING_CUT", "the encoding ends within its size");
  const size = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (size <= BigInt(MAX_SIZE)) return Number(size);
  throw new EncodingError("HASH_MISMATCH", `the encoding claims ${size} bytes; a blob has at most ${MAX_SIZE}`);
}

function wrong(node: TreeNode): EncodingError {
  return new EncodingError("HASH_MISMATCH", "the encoding is not that of the blob", node);
}

function cut(node: TreeNode): EncodingError {
  return new EncodingError("ENCODING_CUT", "the encoding ends early", node);
}
