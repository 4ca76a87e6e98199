/**
 * A map that remembers what was used lately.
 *
 * @module
 */

/** How much a {@linkcode RecentMap} remembers. */
export interface RecentMapOptions<Key, Value> {
  /** What all it holds may cost together: entries, where nothing else is said. */
  readonly most: number;
  /** What an entry costs. Default 1. */
  readonly costOf?: (key: Key, value: Value) => number;
}

/**
 * A map of bounded size, of which what was not used lately goes first. All it does takes constant time: a `Map` of which
 * the oldest is deleted for each newcomer looks past all that was deleted before, tens of microseconds at 10^5 entries.
 *
 * What is used lies in a young half. When that is full, the old half is forgotten whole, and the young one is the old from
 * then on; so it holds the half of what it may at least, and an entry that is used again and again stays.
 */
export class RecentMap<Key, Value extends NonNullable<unknown>> {
  readonly #most: number;
  readonly #costOf: (key: Key, value: Value) => number;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();
  #youngCost = 0;
  #oldCost = 0;

  /**
   * Makes an empty one.
   *
   * @param options How much it remembers.
   */
  constructor({ most, costOf = () => 1 }: RecentMapOptions<Key, Value>) {
    this.#most = most;
    this.#costOf = costOf;
  }

  /** Entries. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }

  /** What they cost together. */
  get cost(): number {
    return this.#youngCost + this.#oldCost;
  }

  /** The value of a key, which counts as used. */
  get(key: Key): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old === undefined) return undefined;
    this.#oldCost -= this.#costOf(key, old);
    this.#old.delete(key);
    this.#add(key, old);
    return old;
  }

  /** Gives a key a value. */
  set(key: Key, value: Value): void {
    this.delete(key);
    this.#add(key, value);
  }

  /** Forgets a key. Says whether it was there. */
  delete(key: Key): boolean {
    const young = this.#young.get(key);
    if (young !== undefined) {
      this.#youngCost -= this.#costOf(key, young);
      return this.#young.delete(key);
    }
    const old = this.#old.get(key);
    if (old === undefined) return false;
    this.#oldCost -= this.#costOf(key, old);
    return this.#old.delete(key);
  }

  #add(key: Key, value: Value): void {
    const cost = this.#costOf(key, value);
    if (this.#young.size > 0 && this.#youngCost + cost > this.#most / 2) {
      this.#old = this.#young;
      this.#oldCost = this.#youngCost;
      this.#young = new Map();
      this.#youngCost = 0;
    }
    this.#young.set(key, value);
    this.#youngCost += cost;
  }
}
