/**
 * What strangers and callers may cost (dns.md §9). Times are milliseconds, sizes bytes.
 *
 * @module
 */

/** So many a second, and so many at once. */
export interface Rate {
  /** A second, in the long run. */
  readonly perSecond: number;
  /** At once. */
  readonly burst: number;
}

/** Limits, each with a default. */
export interface DnsLimits {
  /** Bytes of a query. */
  readonly query: number;
  /** Bytes of an answer. */
  readonly response: number;
  /** Queries of a connection that run at once. */
  readonly inFlight: number;
  /** Time without a byte after which an idle connection is closed. */
  readonly idle: number;
  /** Time for a frame to be whole. */
  readonly frame: number;
  /** Time for an answer to be taken. */
  readonly stalled: number;
  /** Queries of an address group; identities have ten times as many. */
  readonly queryRate: Rate;
  /** NXDOMAIN of a caller and zone. */
  readonly negativeRate: Rate;
  /** Questions of a caller about names of others. */
  readonly recursionRate: Rate;
  /** Signed packets that an address group brings. */
  readonly publishRate: Rate;
  /** Bytes of encoded answers that are kept. */
  readonly answerCache: number;
  /** Bytes of answers of upstreams that are kept. */
  readonly cache: number;
  /** Questions that wait for upstreams at once. */
  readonly upstreamInFlight: number;
  /** Callers whose rates are remembered; the oldest go. */
  readonly rateEntries: number;
  /** Records of the largest zone. */
  readonly zoneRecords: number;
}

/** The defaults. */
export const DNS_LIMITS: DnsLimits = {
  query: 4096,
  response: 65_535,
  inFlight: 64,
  idle: 10_000,
  frame: 5000,
  stalled: 10_000,
  queryRate: { perSecond: 500, burst: 1000 },
  negativeRate: { perSecond: 50, burst: 50 },
  recursionRate: { perSecond: 100, burst: 400 },
  publishRate: { perSecond: 2, burst: 10 },
  answerCache: 32 * 1024 * 1024,
  cache: 64 * 1024 * 1024,
  upstreamInFlight: 2000,
  rateEntries: 65_536,
  zoneRecords: 5_000_000,
};

/**
 * The defaults with changes.
 *
 * @throws {RangeError} A limit is not a positive whole number.
 */
export function dnsLimitsWith(changes: Partial<DnsLimits> = {}): DnsLimits {
  for (const [name, value] of Object.entries(changes)) {
    const numbers = typeof value === "number" ? [value] : [value.perSecond, value.burst];
    for (const number of numbers) {
      if (!Number.isSafeInteger(number) || number < 1) {
        throw new RangeError(`limit ${name} is ${number}; it is 1 at least`);
      }
    }
  }
  return { ...DNS_LIMITS, ...changes };
}
