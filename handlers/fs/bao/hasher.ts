/**
 * Hashes of chunks, groups and subtrees (BLAKE3 §2.4, §2.5): everything that is verified or stored is made of these.
 *
 * Words are little-endian, as on every machine that Deno runs on, so that a hash is read without a copy.
 *
 * @module
 */
import { compress, Flag, IV } from "./compress.ts";
import { hashFours } from "./simd.ts";
import { CHUNK, chunksOf, GROUP, GROUP_CHUNKS, groupsOf, HASH, leftOf, PAIR } from "./tree.ts";

const BLOCK = 64;
const BLOCK_WORDS = 16;
const CV_WORDS = 8;
const LEFT = CV_WORDS;

const cv = new Int32Array(CV_WORDS);
const cvBytes = new Uint8Array(cv.buffer);
/** A block that is not in whole words at hand: the last of a chunk, or a pair. */
const block = new Int32Array(BLOCK_WORDS);
const blockBytes = new Uint8Array(block.buffer);
/** A group whose bytes do not begin at a whole word of their buffer. */
const aligned = new Uint8Array(GROUP);
/** Chaining values of the chunks of a group, and then of what is above them. */
const group = new Int32Array(GROUP_CHUNKS * CV_WORDS);
const groupBytes = new Uint8Array(group.buffer);
const NO_BYTES = new Uint8Array();

/**
 * The chaining value of a group; with `isRoot`, the hash of a blob that is this group alone.
 *
 * @param bytes Up to 16 KiB.
 * @param index Which group of the blob it is.
 * @param into Where the 32 bytes go.
 */
export function hashGroup(
  bytes: Uint8Array,
  index: number,
  isRoot: boolean,
  into: Uint8Array = new Uint8Array(HASH),
): Uint8Array {
  return hashChunks(bytes, index * GROUP_CHUNKS, isRoot, into);
}

/**
 * The chaining value of a node of up to 16 chunks.
 *
 * @param start Index of its first chunk in the blob.
 */
export function hashChunks(
  bytes: Uint8Array,
  start: number,
  isRoot: boolean,
  into: Uint8Array = new Uint8Array(HASH),
): Uint8Array {
  if (bytes.byteLength === GROUP && start % GROUP_CHUNKS === 0) {
    foldGroup(hashFours(bytes, start, groupBytes), isRoot);
    into.set(groupBytes.subarray(0, HASH));
    return into;
  }
  const chunks = chunksOf(bytes.byteLength);
  const from = wholeWords(bytes);
  const words = new Int32Array(from.buffer, from.byteOffset, from.byteLength >> 2);
  for (let i = 0; i < chunks; i++) {
    const at = i * CHUNK;
    const length = Math.min(CHUNK, bytes.byteLength - at);
    hashChunk(words, from, at, length, start + i, isRoot && chunks === 1 ? Flag.ROOT : 0);
    group.set(cv, i * CV_WORDS);
  }
  foldGroup(chunks, isRoot);
  into.set(chunks === 1 ? cvBytes : groupBytes.subarray(0, HASH));
  return into;
}

/** The chaining value above a pair; with `isRoot`, the hash. */
export function hashPair(pair: Uint8Array, isRoot: boolean, into: Uint8Array = new Uint8Array(HASH)): Uint8Array {
  blockBytes.set(pair);
  cv.set(IV);
  compress(cv, block, 0, 0, BLOCK, isRoot ? Flag.PARENT | Flag.ROOT : Flag.PARENT);
  into.set(cvBytes);
  return into;
}

/**
 * The chaining value of a whole subtree of several groups, and its pairs.
 *
 * @param bytes A power of two of groups, or the end of the blob.
 * @param first Index of its first group, which the size of the subtree divides.
 * @param pairs Where its pairs go, in pre-order.
 */
export function hashSubtree(bytes: Uint8Array, first: number, isRoot: boolean, pairs: Uint8Array): Uint8Array {
  const groups = groupsOf(bytes.byteLength);
  if (groups === 1) return hashGroup(bytes, first, isRoot);
  const left = leftOf(groups);
  const pair = pairs.subarray(0, PAIR);
  const middle = left * GROUP;
  pair.set(hashSubtree(bytes.subarray(0, middle), first, false, pairs.subarray(PAIR)));
  pair.set(hashSubtree(bytes.subarray(middle), first + left, false, pairs.subarray(PAIR * left)), HASH);
  return hashPair(pair, isRoot);
}

/** The hash of bytes that are at hand. */
export function hashOf(bytes: Uint8Array): Uint8Array {
  const hasher = new Hasher();
  hasher.update(bytes);
  return hasher.finish();
}

/** Hashes bytes as they come; the pairs are not kept. */
export class Hasher {
  /** Chaining values of whole subtrees, the largest first, and the group that each begins with. */
  readonly #stack: Uint8Array[] = [];
  readonly #buffer = new Uint8Array(GROUP);
  #filled = 0;
  #groups = 0;

  /** Takes bytes. */
  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.byteLength;) {
      // The last group may be the root, or on its right edge: it waits until more comes.
      if (this.#filled === GROUP) this.#flush(this.#buffer);
      if (this.#filled === 0) {
        for (; bytes.byteLength - at > GROUP; at += GROUP) this.#flush(bytes.subarray(at, at + GROUP));
      }
      const part = bytes.subarray(at, at + GROUP - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.byteLength;
      at += part.byteLength;
    }
  }

  /** The hash, 32 bytes. Nothing may be taken after it. */
  finish(): Uint8Array {
    let hash = hashGroup(this.#buffer.subarray(0, this.#filled), this.#groups, this.#stack.length === 0);
    while (this.#stack.length > 0) hash = above(this.#stack.pop()!, hash, this.#stack.length === 0);
    return hash;
  }

  #flush(bytes: Uint8Array): void {
    let value = hashGroup(bytes, this.#groups++, false);
    for (let count = this.#groups; count % 2 === 0; count /= 2) value = above(this.#stack.pop()!, value, false);
    this.#stack.push(value);
    this.#filled = 0;
  }
}

const pairBytes = new Uint8Array(PAIR);

function above(left: Uint8Array, right: Uint8Array, isRoot: boolean): Uint8Array {
  pairBytes.set(left);
  pairBytes.set(right, HASH);
  return hashPair(pairBytes, isRoot);
}

/** Leaves the chaining value of a chunk in `cv`. */
function hashChunk(
  words: Int32Array,
  bytes: Uint8Array,
  at: number,
  length: number,
  index: number,
  root: number,
): void {
  cv.set(IV);
  let flags: number = Flag.CHUNK_START;
  let done = 0;
  for (; length - done > BLOCK; done += BLOCK) {
    compress(cv, words, at + done >> 2, index, BLOCK, flags);
    flags = 0;
  }
  flags |= Flag.CHUNK_END | root;
  const rest = length - done;
  if (rest === BLOCK) return compress(cv, words, at + done >> 2, index, BLOCK, flags);
  block.fill(0);
  blockBytes.set(bytes.subarray(at + done, at + length));
  compress(cv, block, 0, index, rest, flags);
}

/** Makes the one chaining value above those of the chunks of a group. */
function foldGroup(chunks: number, isRoot: boolean): void {
  for (let count = chunks; count > 1; count = Math.ceil(count / 2)) {
    for (let i = 0; i + 1 < count; i += 2) {
      cv.set(IV);
      compress(cv, group, i * LEFT, 0, BLOCK, isRoot && count === 2 ? Flag.PARENT | Flag.ROOT : Flag.PARENT);
      group.set(cv, i / 2 * CV_WORDS);
    }
    // One without a neighbour moves up as it is: that is what the largest power of two on the left comes to.
    if (count % 2 === 1) group.copyWithin((count - 1) / 2 * CV_WORDS, (count - 1) * CV_WORDS, count * CV_WORDS);
  }
}

/** The same bytes, beginning at a whole word. */
function wholeWords(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength === 0) return NO_BYTES;
  if (bytes.byteOffset % 4 === 0) return bytes;
  aligned.set(bytes);
  return aligned.subarray(0, bytes.byteLength);
}
