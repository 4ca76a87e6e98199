/**
 * A cache that holds so many bytes, and lets go of what was not used for long.
 *
 * @module
 */

interface Entry<V> {
  readonly value: V;
  readonly bytes: number;
}

/**
 * Values of known sizes by key, in two generations: what is used is in the younger one; once that is full, it becomes the
 * older one, and what was in that is gone. So nothing is ever taken out by itself: a `Map` from whose beginning much was
 * taken is slow to begin with.
 */
export class ByteCache<V> {
  readonly #capacity: number;
  #young = new Map<string, Entry<V>>();
  #old: ReadonlyMap<string, Entry<V>> = new Map();
  /** Bytes of the younger generation. */
  #held = 0;

  /** @param capacity Bytes that it holds at most. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The value of a key, which is now in use. */
  get(key: string): V | undefined {
    const young = this.#young.get(key);
    if (young) return young.value;
    const old = this.#old.get(key);
    if (old) this.#add(key, old);
    return old?.value;
  }

  /** Keeps a value; not one that would fill more than a quarter of the cache. */
  set(key: string, value: V, bytes: number): void {
    if (bytes <= this.#capacity / 4) this.#add(key, { value, bytes });
  }

  #add(key: string, entry: Entry<V>): void {
    const before = this.#young.get(key)?.bytes ?? 0;
    if (this.#held - before + entry.bytes > this.#capacity / 2) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#held = 0;
    } else this.#held -= before;
    this.#young.set(key, entry);
    this.#held += entry.bytes;
  }
}
