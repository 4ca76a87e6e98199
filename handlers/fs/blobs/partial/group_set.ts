/**
 * Which groups of a blob are there: rising boundaries, so that its cost is that of its gaps, not of the size that is claimed.
 *
 * @module
 */
import type { ChunkRanges } from "../../bao/ranges.ts";
import { chunksOf, GROUP_CHUNKS, groupsOf } from "../../bao/tree.ts";

/** A set of groups. */
export class GroupSet {
  /** The first, third, … begin what is there; there is always an even number. */
  readonly #boundaries: number[] = [];
  #count = 0;

  /** How many there are. */
  get count(): number {
    return this.#count;
  }

  /** Whether a group is there. */
  has(group: number): boolean {
    return this.#upTo(group) % 2 === 1;
  }

  /** Adds groups from one up to another. */
  add(from: number, to: number = from + 1): void {
    if (from >= to) return;
    const all = this.#boundaries;
    // Neighbours grow together.
    let first = this.#upTo(from - 1);
    let last = this.#upTo(to);
    const begin = first % 2 === 1 ? all[--first] : from;
    const end = last % 2 === 1 ? all[last++] : to;
    for (let i = first; i < last; i += 2) this.#count -= all[i + 1] - all[i];
    this.#count += end - begin;
    all.splice(first, last - first, begin, end);
  }

  /** Forgets all. */
  clear(): void {
    this.#boundaries.length = 0;
    this.#count = 0;
  }

  /** Runs of groups, each with its first and the one past its last. */
  *runs(): Generator<readonly [from: number, to: number]> {
    for (let i = 0; i < this.#boundaries.length; i += 2) yield [this.#boundaries[i], this.#boundaries[i + 1]];
  }

  /** Bytes of the groups that are there, of a blob of this size. */
  bytesOf(size: number): number {
    const groups = groupsOf(size);
    const whole = this.#count * GROUP_CHUNKS * 1024;
    return this.has(groups - 1) ? whole - (groups * GROUP_CHUNKS * 1024 - size) : whole;
  }

  /** The chunks that are there, of a blob of this size. */
  chunks(size: number): ChunkRanges {
    const end = chunksOf(size);
    return this.#boundaries.map((at) => BigInt(Math.min(at * GROUP_CHUNKS, end)));
  }

  /** How many boundaries are not above a group. */
  #upTo(group: number): number {
    const all = this.#boundaries;
    // Most come in their order.
    if (all.length === 0 || group >= all[all.length - 1]) return all.length;
    let low = 0;
    let high = all.length;
    while (low < high) {
      const middle = low + high >> 1;
      if (all[middle] <= group) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
