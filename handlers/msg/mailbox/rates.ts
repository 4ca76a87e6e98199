/**
 * How often something may be done: buckets that fill as time goes by.
 *
 * @module
 */

interface Bucket {
  tokens: number;
  at: number;
}

/** Bursts are so many times the rate. */
const BURST = 2;

/** Rates by key; the ones that were used least recently are forgotten first. */
export class Rates {
  readonly #entries: number;
  readonly #now: () => number;
  /** Oldest use first. */
  readonly #buckets = new Map<string, Bucket>();

  /**
   * @param entries How many are remembered.
   * @param now Milliseconds that only go forward.
   */
  constructor(entries: number, now: () => number) {
    this.#entries = entries;
    this.#now = now;
  }

  /**
   * Takes one.
   *
   * @param key Whose.
   * @param count How many in a period.
   * @param period In milliseconds.
   * @returns 0 when it may be done, else the milliseconds until it may.
   */
  take(key: string, count: number, period: number): number {
    const now = this.#now();
    const before = this.#buckets.get(key);
    this.#buckets.delete(key);
    const tokens = before ? Math.min(count * BURST, before.tokens + (now - before.at) * count / period) : count * BURST;
    const may = tokens >= 1;
    this.#buckets.set(key, { tokens: may ? tokens - 1 : tokens, at: now });
    if (this.#buckets.size > this.#entries) this.#buckets.delete(this.#buckets.keys().next().value!);
    return may ? 0 : Math.ceil((1 - tokens) * period / count);
  }
}
