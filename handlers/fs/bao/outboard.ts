/**
 * Outboards: the pairs of a blob above its groups, without which serving a part of it would mean hashing all of it.
 *
 * @module
 */
import { hashPair, hashSubtree } from "./hasher.ts";
import { GROUP, groupsOf, HASH, leftOf, outboardSize, PAIR } from "./tree.ts";

/** What is given where it is at hand, and promised where it is not. */
export type Maybe<T> = T | Promise<T>;

/** The pairs of a blob. */
export interface Outboard {
  /** Bytes of the blob. */
  readonly size: number;
  /** Its hash. */
  readonly root: Uint8Array;
  /** The pair at a place in pre-order; nothing where it is not there. */
  pair(place: number): Maybe<Uint8Array | undefined>;
}

/** Groups that are read and hashed at once: 4 MiB. */
export const AT_ONCE = 256;

/**
 * Hashes a blob that can be read anywhere, a few MiB at a time.
 *
 * @param size Its bytes.
 * @param read Gives exactly the bytes asked for.
 * @param put Takes pairs, one or several that follow each other, and the place of the first.
 * @returns The hash.
 */
export async function hashBlob(
  size: number,
  read: (at: number, length: number) => Maybe<Uint8Array>,
  put: (place: number, pairs: Uint8Array) => Maybe<void>,
): Promise<Uint8Array> {
  return await hashTree(size, async (first, groups, isRoot) => {
    const at = first * GROUP;
    const pairs = new Uint8Array((groups - 1) * PAIR);
    const value = hashSubtree(await read(at, Math.min(groups * GROUP, size - at)), first, isRoot, pairs);
    return { value, pairs };
  }, put);
}

/** A subtree that was hashed. */
export interface HashedSubtree {
  /** Its chaining value; of the whole blob its hash. */
  readonly value: Uint8Array;
  /** Its pairs, in pre-order. */
  readonly pairs: Uint8Array;
}

/**
 * Hashes a blob by its subtrees of 4 MiB, whoever hashes these; they are asked for from left to right.
 *
 * @param subtree Hashes so many groups from one on.
 * @param put Takes pairs, one or several that follow each other, and the place of the first.
 * @returns The hash.
 */
export async function hashTree(
  size: number,
  subtree: (first: number, groups: number, isRoot: boolean) => Maybe<HashedSubtree>,
  put: (place: number, pairs: Uint8Array) => Maybe<void>,
): Promise<Uint8Array> {
  const node = async (first: number, groups: number, place: number, isRoot: boolean): Promise<Uint8Array> => {
    if (groups <= AT_ONCE) {
      const { value, pairs } = await subtree(first, groups, isRoot);
      if (groups > 1) await put(place, pairs);
      return value;
    }
    const left = leftOf(groups);
    const pair = new Uint8Array(PAIR);
    pair.set(await node(first, left, place + 1, false));
    pair.set(await node(first + left, groups - left, place + left, false), HASH);
    await put(place, pair);
    return hashPair(pair, isRoot);
  };
  return await node(0, groupsOf(size), 0, true);
}

/** The outboard of bytes at hand. */
export class MemoryOutboard implements Outboard {
  readonly size: number;
  readonly root: Uint8Array;
  /** All pairs, in pre-order. */
  readonly pairs: Uint8Array;

  /**
   * The outboard of a blob that was hashed before.
   *
   * @param size Bytes of the blob.
   * @param root Its hash.
   * @param pairs All of them, in pre-order.
   */
  constructor(size: number, root: Uint8Array, pairs: Uint8Array) {
    this.size = size;
    this.root = root;
    this.pairs = pairs;
  }

  /** Hashes bytes. */
  static of(bytes: Uint8Array): MemoryOutboard {
    const pairs = new Uint8Array(outboardSize(bytes.byteLength));
    return new MemoryOutboard(bytes.byteLength, hashSubtree(bytes, 0, true, pairs), pairs);
  }

  pair(place: number): Uint8Array | undefined {
    const at = place * PAIR;
    return at < this.pairs.byteLength ? this.pairs.subarray(at, at + PAIR) : undefined;
  }
}
