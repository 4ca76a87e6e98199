/**
 * The shape of the tree (BLAKE3 §2.1): chunks of 1024 bytes, groups of 16 of them, and the place of each pair of an outboard.
 *
 * A node over more than one chunk has as its left child the largest power of two of chunks below its own number. An
 * outboard holds the pairs above groups in pre-order, each 64 bytes, without a length in front.
 *
 * @module
 */

/** Bytes of a chunk. */
export const CHUNK = 1024;
/** Chunks of a group: the least that is asked for, and the most that waits for a verdict. */
export const GROUP_CHUNKS = 16;
/** Bytes of a group. */
export const GROUP: number = CHUNK * GROUP_CHUNKS;
/** Bytes of a pair of chaining values. */
export const PAIR = 64;
/** Bytes of a hash, and of a chaining value. */
export const HASH = 32;
/** The largest blob, in bytes: what a number holds exactly. */
export const MAX_SIZE: number = Number.MAX_SAFE_INTEGER;

/** Chunks of so many bytes; nothing has one, which is empty. */
export function chunksOf(size: number): number {
  return Math.max(1, Math.ceil(size / CHUNK));
}

/** Groups of so many bytes, likewise. */
export function groupsOf(size: number): number {
  return Math.max(1, Math.ceil(size / GROUP));
}

/** Bytes of the outboard of a blob. */
export function outboardSize(size: number): number {
  return (groupsOf(size) - 1) * PAIR;
}

/** Of the chunks (or groups) of a node, those of its left child: the largest power of two below. */
export function leftOf(count: number): number {
  if (count <= 0x4000_0000) return 1 << 31 - Math.clz32(count - 1);
  return leftOf(Math.ceil(count / 0x4000_0000)) * 0x4000_0000;
}

/** Places of the children of a pair at a place in pre-order, whose node has so many groups. */
export function childrenOf(place: number, groups: number): readonly [left: number, right: number] {
  return [place + 1, place + leftOf(groups)];
}
