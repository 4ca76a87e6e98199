/**
 * How often something may be done: buckets that fill as time goes by.
 *
 * @module
 */
import { RecentMap } from "@alknet/core/handler";

interface Bucket {
  tokens: number;
  at: number;
}

/** Bursts are so many times the rate. */
const BURST = 2;

/** Rates by key; those that were not used lately are forgotten first. */
export class Rates {
  readonly #now: () => number;
  readonly #buckets: RecentMap<string, Bucket>;

  /**
   * @param entries How many are remembered.
   * @param now Milliseconds that only go forward.
   */
  constructor(entries: number, now: () => number) {
    this.#buckets = new RecentMap({ most: entries });
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
    const tokens = before ? Math.min(count * BURST, before.tokens + (now - before.at) * count / period) : count * BURST;
    const may = tokens >= 1;
    this.#buckets.set(key, { tokens: may ? tokens - 1 : tokens, at: now });
    return may ? 0 : Math.ceil((1 - tokens) * period / count);
  }
}
