/**
 * A cache that holds so many bytes, and lets go of what was used longest ago.
 *
 * @module
 */

/** Values of known sizes by key. */
export class ByteCache<V> {
  readonly #capacity: number;
  readonly #entries = new Map<string, { readonly value: V; readonly bytes: number }>();
  #held = 0;

  /** @param capacity Bytes that it holds at most. */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** The value of a key, which is now the one used last. */
  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** Keeps a value; not one that would fill more than a quarter of the cache. */
  set(key: string, value: V, bytes: number): void {
    if (bytes > this.#capacity / 4) return;
    this.#drop(key);
    this.#entries.set(key, { value, bytes });
    this.#held += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#held <= this.#capacity) break;
      this.#drop(oldest);
    }
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#held -= entry.bytes;
  }
}
