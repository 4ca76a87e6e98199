/**
 * The engine: a question to its answer, by the first step that has one (dns.md §4).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { DnsCaller } from "../caller.ts";
import { decodeMessage } from "../codec/decode.ts";
import { encodeMessage } from "../codec/encode.ts";
import { isWithin, ROOT } from "../codec/name.ts";
import { CLASS_IN, type EdnsOption, type Message, type Question, Rcode, Type } from "../codec/types.ts";
import { EDE } from "../extended_errors.ts";
import type { ForwardStats } from "../forward/forwarder.ts";
import { type NoReply, render, type Reply } from "../forward/reply.ts";
import type { DnsLimits } from "../limits.ts";
import type { Lookups } from "../pkarr/lookups.ts";
import type { Zone, ZoneStore } from "../zones/store.ts";
import { AnswerCache, isKeepable } from "./answer_cache.ts";
import { answerFrom, type ZoneAnswer } from "./authority.ts";
import type { Rates } from "./rates.ts";
import { Recursion, type RecursionOptions } from "./recursion.ts";
import { answered, refusal, withOptions } from "./responses.ts";
import { type KeyName, keyNameIn, PacketAnswers } from "./packet_answers.ts";
import { answerSpecial, type DesignatedResolver } from "./special_names.ts";

/** What is there at once, or has to be waited for. */
export type Soon<T> = T | Promise<T>;

/** Answers questions; failures are response codes. */
export interface Resolver {
  /**
   * The answer to a query; at once, unless it is asked of others.
   *
   * @param signal Who asked has left: what is waited for is rejected with its reason.
   */
  resolve(query: Message, caller: DnsCaller, signal?: AbortSignal): Soon<Message>;
}

/** Counters. */
export interface DnsStats extends Partial<ForwardStats> {
  /** Queries answered. */
  readonly queries: number;
  /** By response code. */
  readonly rcodes: Readonly<Record<string, number>>;
  /** Answers kept, and how often one was used. */
  readonly answerCache: { readonly entries: number; readonly hits: number };
}

/** Answers questions for fronts. */
export interface Engine extends Resolver {
  /** Whether there is anything to serve this caller. */
  serves(caller: DnsCaller): boolean;
  /**
   * The answer to a query as bytes: what {@linkcode Resolver.resolve} says, from the cache where it was said before.
   *
   * @param options Bytes at most, to a multiple of how many it is padded, and options of EDNS that it has besides.
   */
  respond(query: Message, caller: DnsCaller, options?: RespondOptions): Soon<Uint8Array<ArrayBuffer>>;
  /** Counters, as of now. */
  stats(): DnsStats;
}

/** Options of {@linkcode Engine.respond}. */
export interface RespondOptions {
  /** Bytes at most. Default 65,535. */
  readonly maxSize?: number;
  /** Pads to a multiple of so many bytes, where EDNS is spoken. */
  readonly padTo?: number;
  /** Options that are for this one alone, where EDNS is spoken. */
  readonly extra?: readonly EdnsOption[];
  /** Who asked has left: what is waited for is rejected with its reason. Not looked at where nothing is waited for. */
  readonly signal?: AbortSignal;
}

/** What an engine is made of. */
export interface EngineOptions {
  /** The zones. */
  readonly zones: ZoneStore;
  /** How often one caller may ask. */
  readonly rates: Rates;
  /** Limits. */
  readonly limits: DnsLimits;
  /** What tells clients that know this node by its address of its encrypted ways (RFC 9462). Default: nothing. */
  readonly ddr?: () => DesignatedResolver | undefined;
  /** Signed packets, whose names are answered too. Default: none. */
  readonly packets?: Lookups;
  /** Names of others, and for whom. Default: nobody's. */
  readonly recursion?: RecursionOptions;
}

/** Makes an engine. */
export function dnsEngine(options: EngineOptions): Engine {
  return new ZoneEngine(options);
}

/** What one question came to: a message, and the zone out of which, where one alone says all; or what others say. */
type Outcome =
  | { readonly message: Message; readonly zone?: Zone }
  | { readonly others: Soon<Reply | NoReply> };

class ZoneEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #recursion: Recursion;
  readonly #packets: PacketAnswers | undefined;
  readonly #cache: AnswerCache;
  readonly #rcodes = new Map<number, number>();
  #queries = 0;
  #hits = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#recursion = new Recursion(options.recursion, options.rates);
    this.#packets = options.packets && new PacketAnswers(options.packets, options.zones);
    this.#cache = new AnswerCache(options.limits.answerCache);
  }

  serves(caller: DnsCaller): boolean {
    return this.#options.zones.list().length > 0 || this.#packets?.any === true || this.#recursion.may(caller);
  }

  resolve(query: Message, caller: DnsCaller, signal?: AbortSignal): Soon<Message> {
    return then(this.#decide(query, caller, signal), (outcome) => {
      if ("message" in outcome) return this.#counted(outcome.message);
      return then(outcome.others, (reply) => this.#counted(this.#messageOf(reply, query)));
    });
  }

  respond(query: Message, caller: DnsCaller, options: RespondOptions = {}): Soon<Uint8Array<ArrayBuffer>> {
    // What a stream carries whole; other sizes are others' answers.
    const cacheable = options.maxSize === undefined && query.opcode === 0 && query.question?.class === CLASS_IN;
    const ra = this.#recursion.may(caller);
    const { padTo, extra } = options;
    const kept = cacheable ? this.#cache.get(query, this.#generation, { padTo, extra, ra }) : undefined;
    if (kept) {
      this.#hits++;
      this.#count(kept[3] & 0xf);
      return kept;
    }
    return then(this.#decide(query, caller, options.signal), (outcome) => {
      if ("others" in outcome) return then(outcome.others, (reply) => this.#rendered(reply, query, options));
      const { message, zone } = outcome;
      if (cacheable && zone && message.rcode === Rcode.NOERROR && isKeepable(message)) {
        const bytes = encodeMessage(message);
        this.#cache.set(query, bytes, zone.name.key, this.#options.zones.generation(zone));
        if (padTo === undefined && extra === undefined) {
          this.#count(message.rcode);
          return bytes;
        }
      }
      return this.#encoded(message, options);
    });
  }

  stats(): DnsStats {
    return {
      queries: this.#queries,
      rcodes: Object.fromEntries(this.#rcodes),
      answerCache: { entries: this.#cache.size, hits: this.#hits },
      ...this.#options.recursion?.forwarder.stats(),
    };
  }

  #decide(query: Message, caller: DnsCaller, signal: AbortSignal | undefined): Soon<Outcome> {
    const { question } = query;
    if (query.opcode !== 0) return { message: refusal(query, Rcode.NOTIMP) };
    if (!question) return { message: refusal(query, Rcode.FORMERR) };
    if (isRefusedKind(question)) {
      const unsupported = caller.front === "doq" && isTransfer(question);
      return { message: refusal(query, Rcode.REFUSED, unsupported ? EDE.NOT_SUPPORTED : undefined) };
    }
    const zone = this.#options.zones.find(question.name);
    const keyName = this.#packets && keyNameIn(question.name, zone);
    if (keyName) return this.#fromPacket(query, question, keyName, caller, signal);
    if (zone) return this.#fromZone(query, question, zone, caller, signal);
    const special = answerSpecial(question, this.#options.ddr?.());
    if (special) return { message: answered(query, special, this.#recursion.may(caller)) };
    return this.#ofOthers(query, caller, signal);
  }

  #ofOthers(query: Message, caller: DnsCaller, signal: AbortSignal | undefined): Outcome {
    const others = this.#recursion.resolve(query, caller, signal);
    if (!("refused" in others)) return { others };
    const rcode = others.refused === "nxdomain" ? Rcode.NXDOMAIN : Rcode.REFUSED;
    return { message: refusal(query, rcode, others.error, this.#recursion.may(caller)) };
  }

  #fromZone(
    query: Message,
    question: Question,
    zone: Zone,
    caller: DnsCaller,
    signal: AbortSignal | undefined,
  ): Soon<Outcome> {
    const ra = this.#recursion.may(caller);
    let answer: ZoneAnswer;
    try {
      answer = answerFrom(this.#options.zones, question);
    } catch (error) {
      // Removed by another process between two look-ups, or a database that somebody holds.
      if (!(error instanceof AlknetError)) throw error;
      return { message: refusal(query, Rcode.SERVFAIL) };
    }
    if (answer.rcode === Rcode.NXDOMAIN && !this.#options.rates.negative(caller, zone)) {
      return { message: refusal(query, Rcode.REFUSED, undefined, ra) };
    }
    if (answer.leadsTo && ra && query.flags.rd) return this.#follow(query, answer, caller, signal);
    // A chain, and addresses of names elsewhere, may depend on other zones: they are not kept.
    const alone = !answer.answer.some(({ type }) => type === Type.CNAME) &&
      answer.additional.every(({ name }) => isWithin(name, zone.name));
    return { message: answered(query, answer, ra), zone: alone ? zone : undefined };
  }

  #fromPacket(
    query: Message,
    question: Question,
    found: KeyName,
    caller: DnsCaller,
    signal: AbortSignal | undefined,
  ): Soon<Outcome> {
    const ra = this.#recursion.may(caller);
    const ask = ra && query.flags.rd && this.#options.rates.recursion(caller);
    let answer: Soon<ZoneAnswer>;
    try {
      answer = this.#packets!.answer(question, found, ask, signal);
    } catch (error) {
      if (!(error instanceof AlknetError)) throw error;
      return { message: refusal(query, Rcode.SERVFAIL) };
    }
    return then(answer, (answer) => {
      if (answer.rcode === Rcode.NXDOMAIN && !this.#options.rates.negative(caller, found.zone ?? { name: ROOT })) {
        return { message: refusal(query, Rcode.REFUSED, undefined, ra) };
      }
      if (answer.leadsTo && ask) return this.#follow(query, answer, caller, signal);
      return { message: answered(query, answer, ra) };
    });
  }

  /** A chain that leads out of our zones goes on with what others say of its end. */
  #follow(
    query: Message,
    answer: ZoneAnswer,
    caller: DnsCaller,
    signal: AbortSignal | undefined,
  ): Soon<Outcome> {
    const target = { ...query, question: { ...query.question!, name: answer.leadsTo! } };
    const special = answerSpecial(target.question, this.#options.ddr?.());
    const chain = answered(query, answer, true);
    const joined = (end: Pick<Message, "rcode" | "answer" | "authority">, edns = chain.edns): Outcome => ({
      message: {
        ...chain,
        rcode: end.rcode,
        answer: [...chain.answer, ...end.answer],
        authority: end.authority,
        edns,
      },
    });
    if (special) return joined(special);
    const outcome = this.#ofOthers(target, caller, signal);
    // Over its rate, or filtered: the chain so far is what there is.
    if ("message" in outcome) return { message: chain };
    return then(outcome.others, (reply) => {
      const end = this.#messageOf(reply, target);
      return joined(end, end.edns);
    });
  }

  #messageOf(reply: Reply | NoReply, query: Message): Message {
    if ("failure" in reply) return refusal(query, Rcode.SERVFAIL, reply.failure, true);
    const bytes = render(reply, query, { ra: true });
    return bytes ? decodeMessage(bytes) : refusal(query, Rcode.SERVFAIL, undefined, true);
  }

  #rendered(reply: Reply | NoReply, query: Message, options: RespondOptions): Uint8Array<ArrayBuffer> {
    const { maxSize, padTo, extra } = options;
    const bytes = "failure" in reply ? undefined : render(reply, query, { ra: true, padTo, extra });
    if (!bytes || maxSize !== undefined && bytes.byteLength > maxSize) {
      return this.#encoded(this.#messageOf(reply, query), options);
    }
    this.#count(bytes[3] & 0xf);
    return bytes;
  }

  #encoded(message: Message, { maxSize, padTo, extra }: RespondOptions): Uint8Array<ArrayBuffer> {
    this.#count(message.rcode);
    return encodeMessage(extra ? withOptions(message, extra) : message, { maxSize, padTo });
  }

  readonly #generation = (key: string): number => this.#options.zones.generationOf(key);

  #counted(message: Message): Message {
    this.#count(message.rcode);
    return message;
  }

  #count(rcode: number): void {
    this.#queries++;
    this.#rcodes.set(rcode, (this.#rcodes.get(rcode) ?? 0) + 1);
  }
}

/** Goes on at once where it can: most answers are there, and a turn of the event loop is most of what they cost. */
function then<T, U>(value: Soon<T>, next: (value: T) => Soon<U>): Soon<U> {
  return value instanceof Promise ? value.then(next) : next(value);
}

/** Types that are no data, and classes that are not served. AXFR and IXFR are the fronts', where there are any. */
function isRefusedKind({ type, class: kind }: Question): boolean {
  if (kind !== CLASS_IN) return true;
  return type === 0 || type === Type.OPT || type >= 128 && type <= 254;
}

function isTransfer({ type }: Question): boolean {
  return type === Type.AXFR || type === Type.IXFR;
}
