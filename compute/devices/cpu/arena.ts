/**
 * Regions of one growing memory: first fit, neighbours joined when they are given back.
 *
 * @module
 */

/** Regions begin at multiples of this many bytes, a line of the cache. */
export const ALIGNMENT = 64;

interface Region {
  start: number;
  size: number;
}

/** A memory cut into regions. */
export class Arena {
  /** Free regions, by start; no two touch. */
  readonly #free: Region[] = [];
  readonly #used = new Map<number, number>();
  readonly #grow: (end: number) => boolean;
  #end: number;

  /**
   * @param start First byte that may be given out.
   * @param grow Makes the memory reach a byte, or says that it cannot.
   */
  constructor(start: number, grow: (end: number) => boolean) {
    this.#end = start;
    this.#grow = grow;
  }

  /** The address of a region, or undefined where there is no room. */
  allocate(bytes: number): number | undefined {
    const size = Math.ceil(Math.max(1, bytes) / ALIGNMENT) * ALIGNMENT;
    const at = this.#free.findIndex((region) => region.size >= size);
    if (at >= 0) {
      const region = this.#free[at];
      const { start } = region;
      if (region.size === size) this.#free.splice(at, 1);
      else {
        region.start += size;
        region.size -= size;
      }
      this.#used.set(start, size);
      return start;
    }
    const last = this.#free.at(-1);
    const joins = last !== undefined && last.start + last.size === this.#end;
    const start = joins ? last.start : this.#end;
    if (!this.#grow(start + size)) return undefined;
    if (joins) this.#free.pop();
    this.#end = start + size;
    this.#used.set(start, size);
    return start;
  }

  /** Gives a region back. */
  free(start: number): void {
    const size = this.#used.get(start);
    if (size === undefined) throw new RangeError("no region begins there");
    this.#used.delete(start);
    let at = this.#free.findIndex((region) => region.start > start);
    if (at < 0) at = this.#free.length;
    this.#free.splice(at, 0, { start, size });
    this.#join(at);
    if (at > 0) this.#join(at - 1);
  }

  #join(at: number): void {
    const [one, next] = [this.#free[at], this.#free[at + 1]];
    if (next === undefined || one.start + one.size !== next.start) return;
    one.size += next.size;
    this.#free.splice(at + 1, 1);
  }
}
