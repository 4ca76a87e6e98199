/**
 * Addresses whose packets stopped an engine: refused for a while, longer each time.
 *
 * @module
 */
import { addressGroup } from "../../../ip.ts";

/** A ban that holds. */
export interface Ban {
  /** Address, or the unit that it belongs to. */
  readonly address: string;
  /** Milliseconds it still holds. */
  readonly ms: number;
}

interface Record {
  times: number;
  until: number;
}

/** Longest ban, in milliseconds. */
const MAX_BAN = 24 * 60 * 60 * 1000;
/** A culprit that behaved for this many times its last ban starts anew. */
const FORGIVEN_AFTER = 10;

/** The bans of one node. */
export class Bans {
  readonly #first: number;
  readonly #now: () => number;
  readonly #records = new Map<string, Record>();

  /**
   * @param first Length of a first ban, in milliseconds; each further one is twice as long.
   * @param now Clock, in milliseconds.
   */
  constructor(first: number, now: () => number = () => performance.now()) {
    this.#first = first;
    this.#now = now;
  }

  /** Bans an address; returns the ban. */
  add(address: string): Ban {
    const group = addressGroup(address);
    const now = this.#now();
    const record = this.#records.get(group) ?? { times: 0, until: 0 };
    if (now - record.until > FORGIVEN_AFTER * this.#length(record.times)) record.times = 0;
    record.times++;
    const ms = this.#length(record.times);
    record.until = now + ms;
    this.#records.set(group, record);
    return { address: group, ms };
  }

  /** The bans that hold now, for an engine that starts. */
  current(): Ban[] {
    const now = this.#now();
    return [...this.#records].flatMap(([address, { until }]) => until > now ? [{ address, ms: until - now }] : []);
  }

  #length(times: number): number {
    return Math.min(this.#first * 2 ** Math.max(0, times - 1), MAX_BAN);
  }
}
