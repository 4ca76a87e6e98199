/**
 * Addresses whose packets stopped an engine: refused for a while, longer each time, and wider when neighbours do the same.
 *
 * @module
 */
import { addressGroups } from "../../../ip.ts";

/** A ban that holds. */
export interface Ban {
  /** Address, or the unit that it belongs to. */
  readonly address: string;
  /** Milliseconds it still holds. */
  readonly ms: number;
}

interface Record {
  /** Engines that were stopped from here. */
  times: number;
  /** Until when it is banned itself. */
  until: number;
  /** Until when it is remembered. */
  remembered: number;
  /** The units within it that stopped an engine; two tell all that is asked. */
  readonly inside: Set<string>;
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

  /**
   * Bans an address; returns the ban. Whoever has a whole site goes on from its next /64: the second one of a /56 has that
   * banned, the second /56 of a /48 that.
   */
  add(address: string): Ban {
    const now = this.#now();
    for (const [group, { remembered }] of this.#records) if (now > remembered) this.#records.delete(group);
    const units = addressGroups(address);
    const records = units.map((unit) => this.#counted(unit));
    records.slice(1).forEach(({ inside }, at) => inside.size < 2 && inside.add(units[at]));
    const widest = records.findLastIndex(({ inside }, at) => at === 0 || inside.size > 1);
    const banned = records[widest];
    const ms = Math.min(this.#first * 2 ** (banned.times - 1), MAX_BAN);
    banned.until = now + ms;
    for (const record of records) record.remembered = Math.max(record.remembered, banned.until + FORGIVEN_AFTER * ms);
    return { address: units[widest], ms };
  }

  /** The bans that hold now, for an engine that starts. */
  current(): Ban[] {
    const now = this.#now();
    return [...this.#records].flatMap(([address, { until }]) => until > now ? [{ address, ms: until - now }] : []);
  }

  #counted(unit: string): Record {
    const record = this.#records.get(unit) ?? { times: 0, until: 0, remembered: 0, inside: new Set() };
    record.times++;
    this.#records.set(unit, record);
    return record;
  }
}
