/**
 * Ranges of chunks: rising boundaries, of which the first, third and so on begin a selected range.
 *
 * @module
 */
import { chunksOf } from "./tree.ts";

/** Selected from the first, third, … boundary on, up to the next; an odd number of them leaves the end open. */
export type ChunkRanges = readonly bigint[];

/** No chunk. */
export const NOTHING: ChunkRanges = Object.freeze([]);
/** Every chunk. */
export const ALL: ChunkRanges = Object.freeze([0n]);
/** The last chunk alone, whatever the size: what proves it. */
export const SIZE_PROOF: ChunkRanges = Object.freeze([2n ** 64n - 1n]);

/**
 * The chunks that are not among ranges, which end within the blob. What lies beyond its end is, unless the last chunk is among
 * them: where the size is not proven, it may be larger.
 */
export function complementOf(ranges: ChunkRanges, size: number): ChunkRanges {
  const rest = ranges[0] === 0n ? ranges.slice(1) : [0n, ...ranges];
  return rest.at(-1) === BigInt(chunksOf(size)) ? rest.slice(0, -1) : rest;
}

/** Whether both select the same. */
export function isSameRanges(one: ChunkRanges, other: ChunkRanges): boolean {
  return one.length === other.length && one.every((at, i) => at === other[i]);
}

/** Whether boundaries rise. */
export function areRanges(ranges: ChunkRanges): boolean {
  return ranges.every((at, i) => at >= 0n && at < 2n ** 64n && (i === 0 || ranges[i - 1] < at));
}

/** What ranges select of the chunks of one blob. */
export class Selection {
  readonly #boundaries: readonly number[];

  private constructor(boundaries: readonly number[]) {
    this.#boundaries = boundaries;
  }

  /** Chunks from one up to another, and no more. */
  static within(start: number, end: number): Selection {
    return new Selection([start, end]);
  }

  /**
   * What is selected: that within the blob, and its last chunk if anything at or past it is asked for (the size proof).
   *
   * @param ranges Rising.
   * @param size Bytes of the blob.
   */
  static of(ranges: ChunkRanges, size: number): Selection {
    const chunks = chunksOf(size);
    const last = chunks - 1;
    const boundaries: number[] = [];
    for (const at of ranges) {
      if (at >= chunks) break;
      boundaries.push(Number(at));
    }
    const isOpen = boundaries.length % 2 === 1;
    const reaches = ranges.length > 0 && (ranges.length % 2 === 1 || ranges[ranges.length - 1] > BigInt(last));
    if (isOpen) boundaries.push(chunks);
    // A range that ends where the last chunk begins grows by it.
    else if (reaches && boundaries.at(-1) === last) boundaries[boundaries.length - 1] = chunks;
    else if (reaches) boundaries.push(last, chunks);
    return new Selection(boundaries);
  }

  /** Whether nothing of these chunks is selected. */
  misses(start: number, count: number): boolean {
    const next = this.#boundariesUpTo(start);
    return next % 2 === 0 && !(this.#boundaries[next] < start + count);
  }

  /** Whether all of these chunks are selected. */
  covers(start: number, count: number): boolean {
    const next = this.#boundariesUpTo(start);
    return next % 2 === 1 && this.#boundaries[next] >= start + count;
  }

  /** How many boundaries are not above a chunk. */
  #boundariesUpTo(chunk: number): number {
    let low = 0;
    let high = this.#boundaries.length;
    while (low < high) {
      const middle = low + high >> 1;
      if (this.#boundaries[middle] <= chunk) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
