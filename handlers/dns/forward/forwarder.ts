/**
 * Names of others: out of the cache, or of upstreams, which are authenticated.
 *
 * Equal questions share one; whoever leaves cancels its own wait alone. Where nobody answers, what was known is said for a
 * day more (RFC 8767).
 *
 * @module
 */
import type { Logger } from "@alknet/core/handler";
import { type Clock, SYSTEM_CLOCK } from "@alknet/core/operations";
import { type DnsName, nameOfKey } from "../codec/name.ts";
import { type Message, Rcode } from "../codec/types.ts";
import { EDE } from "../extended_errors.ts";
import type { DnsLimits } from "../limits.ts";
import { type Entry, ForwardCache, questionKey } from "./cache.ts";
import { keep, type NoReply, type Reply } from "./reply.ts";
import { AskingFailed, askUpstreams } from "./upstreams/asking.ts";
import { Upstream, type UpstreamOptions } from "./upstreams/upstream.ts";

/** Counters. */
export interface ForwardStats {
  /** Questions that are known, what they take of memory, and how often one was. */
  readonly cache: { readonly entries: number; readonly bytes: number; readonly hits: number; readonly stale: number };
  /** By address: questions sent, and those without a usable end. */
  readonly upstreams: Readonly<Record<string, { readonly asked: number; readonly failed: number }>>;
}

/** Answers questions about names of others. */
export interface Forwarder extends Disposable {
  /**
   * The answer to a query; at once where it is known. Never rejects but with the signal's reason.
   *
   * @param query With a question of class IN.
   * @param signal Who asked has left.
   */
  resolve(query: Message, signal?: AbortSignal): Reply | NoReply | Promise<Reply | NoReply>;
  /**
   * Forgets all, or what was asked of a name and of those below it.
   *
   * @returns How many answers were forgotten.
   */
  flush(name?: DnsName): number;
  /** Counters, as of now. */
  stats(): ForwardStats;
}

/** Options of {@linkcode forwarder}. */
export interface ForwarderOptions {
  /** Whom to ask; one at least. */
  readonly upstreams: readonly UpstreamOptions[];
  /** Zones in which private addresses are what they should be. Default: none. */
  readonly privateZones?: readonly DnsName[];
  /** Limits. */
  readonly limits: DnsLimits;
  /** Times. Default: the machine's. */
  readonly clock?: Clock;
  /** Told of upstreams that cannot be reached. */
  readonly log?: Logger;
}

const SECOND = 1000;
/** For how long a failure is not asked for again, in milliseconds. */
const FAILED = 5 * SECOND;
/** For how long what is over is said where nobody answers, in milliseconds. */
const STALE = 86_400 * SECOND;
/** Its TTL, in seconds. */
const STALE_TTL = 30;
/** How long one waits before it is said, in milliseconds. */
const STALE_WAIT = 1800;
/** How often it is asked for, in milliseconds. */
const STALE_RETRY = 30 * SECOND;
/** The part of its time that is left when an answer is asked for once more. */
const PREFETCH = 0.1;
const UDP_SIZE = 1232;

/** Makes one; upstreams are dialled as they are asked. */
export function forwarder(options: ForwarderOptions): Forwarder {
  return new CachingForwarder(options);
}

class CachingForwarder implements Forwarder {
  readonly #options: ForwarderOptions;
  readonly #clock: Clock;
  readonly #upstreams: readonly Upstream[];
  readonly #cache: ForwardCache;
  /** What is being asked, by question. */
  readonly #asking = new Map<string, Promise<Reply | NoReply>>();
  #hits = 0;
  #stale = 0;

  constructor(options: ForwarderOptions) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#upstreams = options.upstreams.map((upstream) => new Upstream(upstream, this.#clock, options.log));
    this.#cache = new ForwardCache(options.limits.cache);
  }

  resolve(query: Message, signal?: AbortSignal): Reply | NoReply | Promise<Reply | NoReply> {
    const key = questionKey(query);
    const now = this.#clock.now();
    const entry = this.#cache.get(key);
    if (entry && now < entry.until) {
      this.#hits++;
      if (!entry.kept) return { failure: EDE.CACHED_ERROR };
      if (now >= entry.askAgainAt) {
        // Once: whatever comes of it, it is not asked for again before it is over.
        entry.askAgainAt = entry.until;
        this.#ask(key, query);
      }
      return { kept: entry.kept, age: Math.floor((now - entry.at) / SECOND) };
    }
    const stale = entry && staleOf(entry, now);
    if (stale && now < entry.askAgainAt) {
      this.#stale++;
      return stale;
    }
    const asking = this.#ask(key, query);
    if (!asking) return stale ?? { failure: EDE.NETWORK };
    return this.#wait(asking, stale, signal);
  }

  flush(name?: DnsName): number {
    return this.#cache.flush(name?.key);
  }

  stats(): ForwardStats {
    const { size: entries, bytes } = this.#cache;
    return {
      cache: { entries, bytes, hits: this.#hits, stale: this.#stale },
      upstreams: Object.fromEntries(this.#upstreams.map(({ options, counts }) => [options.label, counts])),
    };
  }

  [Symbol.dispose](): void {
    for (const upstream of this.#upstreams) upstream[Symbol.dispose]();
  }

  /** What is asked already, or is from now on; nothing where too much is. It never rejects. */
  #ask(key: string, query: Message): Promise<Reply | NoReply> | undefined {
    let asking = this.#asking.get(key);
    if (!asking && this.#asking.size < this.#options.limits.upstreamInFlight) {
      asking = this.#askUpstreams(key, query).finally(() => this.#asking.delete(key));
      this.#asking.set(key, asking);
    }
    return asking;
  }

  async #askUpstreams(key: string, { question, flags, edns }: Message): Promise<Reply | NoReply> {
    const { privateZones = [] } = this.#options;
    const query = upstreamQuery(
      { ...question!, name: nameOfKey(question!.name.key) },
      flags.cd,
      edns?.dnssecOk === true,
    );
    try {
      const taken = await askUpstreams(query, { upstreams: this.#upstreams, privateZones, clock: this.#clock });
      const kept = keep(query, taken, taken.filtered ? EDE.PRIVATE_ADDRESS : undefined);
      if (taken.ttl !== undefined) {
        const at = this.#clock.now();
        const until = at + taken.ttl * SECOND;
        this.#cache.set(key, { kept, at, until, askAgainAt: until - PREFETCH * taken.ttl * SECOND });
      }
      return { kept, age: 0 };
    } catch (error) {
      if (!(error instanceof AskingFailed)) throw error;
      return this.#failed(key, error);
    }
  }

  /** Nobody answers: what was known is kept, and that it failed where nothing was. */
  #failed(key: string, { error: failure }: AskingFailed): Reply | NoReply {
    const at = this.#clock.now();
    const entry = this.#cache.get(key);
    if (entry?.kept && at < entry.until) return { kept: entry.kept, age: Math.floor((at - entry.at) / SECOND) };
    const stale = entry && staleOf(entry, at);
    if (stale) {
      entry.askAgainAt = at + STALE_RETRY;
      this.#stale++;
      return stale;
    }
    this.#cache.set(key, { at, until: at + FAILED, askAgainAt: at + FAILED });
    return { failure };
  }

  /** Waits for an answer, but not for long where something else could be said. */
  #wait(asking: Promise<Reply | NoReply>, stale: Reply | undefined, signal?: AbortSignal): Promise<Reply | NoReply> {
    const { promise, resolve, reject } = Promise.withResolvers<Reply | NoReply>();
    const leave = (): void => reject(signal!.reason);
    const stop = stale && this.#clock.after(STALE_WAIT, () => {
      this.#stale++;
      resolve(stale);
    });
    signal?.addEventListener("abort", leave, { once: true });
    if (signal?.aborted) leave();
    asking.then(resolve, reject);
    return promise.finally(() => {
      stop?.();
      signal?.removeEventListener("abort", leave);
    });
  }
}

/** What was an answer within the last day. */
function staleOf({ kept, until }: Entry, now: number): Reply | undefined {
  if (!kept || now >= until + STALE) return undefined;
  const isNegative = (kept.bytes[3] & 0xf) === Rcode.NXDOMAIN;
  return { kept, age: 0, ttl: STALE_TTL, error: isNegative ? EDE.STALE_NXDOMAIN : EDE.STALE };
}

/** The query as it goes to upstreams: of who asks it holds nothing. */
function upstreamQuery(question: NonNullable<Message["question"]>, cd: boolean, dnssecOk: boolean): Message {
  return {
    id: 0,
    response: false,
    opcode: 0,
    rcode: 0,
    // RFC 6840 §5.7: AD asks to be told whether it was validated.
    flags: { aa: false, tc: false, rd: true, ra: false, ad: true, cd },
    question,
    answer: [],
    authority: [],
    additional: [],
    edns: { udpSize: UDP_SIZE, version: 0, dnssecOk, options: [] },
  };
}
