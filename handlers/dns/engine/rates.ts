/**
 * How often one caller may ask. All fronts share one.
 *
 * @module
 */
import { addressGroup, type Logger } from "@alknet/core/handler";
import { callerKey, type DnsCaller } from "../caller.ts";
import type { DnsLimits, Rate } from "../limits.ts";
import type { Zone } from "../zones/store.ts";

/** Rates; `false` is over it, counted and logged. */
export interface Rates {
  /** Whether a query may be looked at. */
  query(caller: DnsCaller): boolean;
  /** Whether a name of a zone may be told not to be there. */
  negative(caller: DnsCaller, zone: Zone): boolean;
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
  loggedAt: number;
}

/** What an identity may do more often than a stranger. */
const IDENTITY_FACTOR = 10;
/** How long names that are not there are refused to who asked for too many, in milliseconds. */
const NEGATIVE_PAUSE = 10_000;
const MINUTE = 60_000;

/** Makes the rates of a node. */
export function dnsRates(options: RatesOptions): Rates {
  return new TokenRates(options);
}

class TokenRates implements Rates {
  readonly refused: Map<string, number> = new Map();
  readonly #options: RatesOptions;
  readonly #now: () => number;
  /** Oldest use first. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(options: RatesOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  query(caller: DnsCaller): boolean {
    const { queryRate } = this.#options.limits;
    const rate = caller.identity ? scaled(queryRate, IDENTITY_FACTOR) : queryRate;
    const bucket = this.#bucket(`q ${callerKey(caller)}`, rate);
    if (this.#take(bucket)) return true;
    return this.#refuse(caller, bucket, "query-rate");
  }

  negative(caller: DnsCaller, zone: Zone): boolean {
    const { negativeRate } = this.#options.limits;
    const bucket = this.#bucket(`n ${callerKey(caller)} ${zone.name.key}`, negativeRate);
    const now = this.#now();
    if (bucket.closedUntil > now) return false;
    if (this.#take(bucket)) return true;
    bucket.closedUntil = now + NEGATIVE_PAUSE;
    return this.#refuse(caller, bucket, "negative-rate");
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
      this.#buckets.delete(key);
      bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) / 1000 * perSecond);
      bucket.at = now;
    } else bucket = { tokens: burst, at: now, closedUntil: 0, loggedAt: -Infinity };
    this.#buckets.set(key, bucket);
    if (this.#buckets.size > this.#options.limits.rateEntries) {
      this.#buckets.delete(this.#buckets.keys().next().value!);
    }
    return bucket;
  }

  #refuse({ address, front }: DnsCaller, bucket: Bucket, reason: string): false {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1);
    const now = this.#now();
    if (now - bucket.loggedAt >= MINUTE) {
      bucket.loggedAt = now;
      this.#options.log?.warn("refused src={src} reason={reason} proto={proto}", {
        src: addressGroup(address),
        reason,
        proto: front,
      });
    }
    return false;
  }
}

function scaled({ perSecond, burst }: Rate, factor: number): Rate {
  return { perSecond: factor * perSecond, burst: factor * burst };
}
