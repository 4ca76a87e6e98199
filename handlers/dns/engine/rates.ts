/**
 * How often one caller may ask. All fronts share one.
 *
 * @module
 */
import { type Logger, RecentMap } from "@alknet/core/handler";
import { callerKey, type DnsCaller, groupOf } from "../caller.ts";
import type { DnsLimits, Rate } from "../limits.ts";
import type { Zone } from "../zones/store.ts";
import { type RefusalReason, Refusals } from "./refusals.ts";

/** Rates; `false` is over it, counted and logged. */
export interface Rates {
  /** Whether a query may be looked at. */
  query(caller: DnsCaller): boolean;
  /** Whether names of others may be asked for. */
  recursion(caller: DnsCaller): boolean;
  /** Whether a signed packet may be looked at. */
  publish(caller: DnsCaller): boolean;
  /** Whether a name of a zone may be told not to be there. */
  negative(caller: DnsCaller, zone: Pick<Zone, "name">): boolean;
  /** Counts and logs what a front refused for a reason of its own. */
  refuse(caller: DnsCaller, reason: RefusalReason): void;
  /** Refusals so far, by reason. */
  readonly refused: ReadonlyMap<string, number>;
}

/** Options of {@linkcode dnsRates}. */
export interface RatesOptions {
  /** Limits. */
  readonly limits: DnsLimits;
  /** Milliseconds that only go forward. Default `performance.now`. */
  readonly now?: () => number;
  /** Gets one line an address group, reason and minute. */
  readonly log?: Logger;
}

interface Bucket {
  tokens: number;
  at: number;
  /** Until when nothing is let through, for buckets that punish. */
  closedUntil: number;
}

/** What an identity may do more often than a stranger. */
const IDENTITY_FACTOR = 10;
/** How long names that are not there are refused to who asked for too many, in milliseconds. */
const NEGATIVE_PAUSE = 10_000;

/** Makes the rates of a node. */
export function dnsRates(options: RatesOptions): Rates {
  return new TokenRates(options);
}

class TokenRates implements Rates {
  readonly #limits: DnsLimits;
  readonly #identityRate: Rate;
  readonly #now: () => number;
  readonly #refusals: Refusals;
  readonly #buckets: RecentMap<string, Bucket>;

  constructor({ limits, now = () => performance.now(), log }: RatesOptions) {
    this.#limits = limits;
    this.#identityRate = scaled(limits.queryRate, IDENTITY_FACTOR);
    this.#now = now;
    this.#buckets = new RecentMap({ most: limits.rateEntries });
    this.#refusals = new Refusals({ entries: limits.rateEntries, now, log });
  }

  get refused(): ReadonlyMap<string, number> {
    return this.#refusals.counts;
  }

  refuse(caller: DnsCaller, reason: RefusalReason): void {
    this.#refusals.add(caller, reason);
  }

  query(caller: DnsCaller): boolean {
    const rate = caller.identity ? this.#identityRate : this.#limits.queryRate;
    if (this.#take(this.#bucket(`q ${callerKey(caller)}`, rate))) return true;
    this.refuse(caller, "query-rate");
    return false;
  }

  recursion(caller: DnsCaller): boolean {
    if (this.#take(this.#bucket(`r ${callerKey(caller)}`, this.#limits.recursionRate))) return true;
    this.refuse(caller, "recursion-rate");
    return false;
  }

  publish(caller: DnsCaller): boolean {
    // Whoever one is: a key of one's own is soon made.
    if (this.#take(this.#bucket(`p ${groupOf(caller)}`, this.#limits.publishRate))) return true;
    this.refuse(caller, "publish-rate");
    return false;
  }

  negative(caller: DnsCaller, zone: Pick<Zone, "name">): boolean {
    const bucket = this.#bucket(`n ${callerKey(caller)} ${zone.name.key}`, this.#limits.negativeRate);
    const now = this.#now();
    if (bucket.closedUntil <= now) {
      if (this.#take(bucket)) return true;
      bucket.closedUntil = now + NEGATIVE_PAUSE;
    }
    this.refuse(caller, "negative-rate");
    return false;
  }

  #take(bucket: Bucket): boolean {
    if (bucket.tokens < 1) return false;
    bucket.tokens--;
    return true;
  }

  #bucket(key: string, { perSecond, burst }: Rate): Bucket {
    const now = this.#now();
    let bucket = this.#buckets.get(key);
    if (bucket) {
      bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) / 1000 * perSecond);
      bucket.at = now;
    } else this.#buckets.set(key, bucket = { tokens: burst, at: now, closedUntil: 0 });
    return bucket;
  }
}

function scaled({ perSecond, burst }: Rate, factor: number): Rate {
  return { perSecond: factor * perSecond, burst: factor * burst };
}
