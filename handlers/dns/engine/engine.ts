/**
 * The engine: a question to its answer, by the first step that has one (dns.md §4).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { DnsCaller } from "../caller.ts";
import { encodeMessage } from "../codec/encode.ts";
import { isWithin } from "../codec/name.ts";
import {
  CLASS_IN,
  type Edns,
  EdnsCode,
  type EdnsOption,
  type Message,
  type Question,
  Rcode,
  Type,
} from "../codec/types.ts";
import type { DnsLimits } from "../limits.ts";
import type { Zone, ZoneStore } from "../zones/store.ts";
import { AnswerCache, isKeepable } from "./answer_cache.ts";
import { answerFrom, type ZoneAnswer } from "./authority.ts";
import type { Rates } from "./rates.ts";
import { answerSpecial, type DesignatedResolver } from "./special_names.ts";

/** Answers questions; failures are response codes. */
export interface Resolver {
  /** The answer to a query. */
  resolve(query: Message, caller: DnsCaller): Message;
}

/** Counters. */
export interface DnsStats {
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
  respond(query: Message, caller: DnsCaller, options?: RespondOptions): Uint8Array<ArrayBuffer>;
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
}

/** Bytes of the largest answer over UDP that is offered where EDNS is spoken. */
const UDP_SIZE = 1232;
/** Extended errors (RFC 8914 §4) and their fixed words. */
export const EDE = {
  PROHIBITED: [18, "recursion is not for you"],
  NO_TRANSFER: [18, "this zone is not for you"],
  NOT_AUTHORITATIVE: [20, "no zone of ours"],
  NOT_SUPPORTED: [21, "no transfers over QUIC"],
} as const;
/** One of {@linkcode EDE}. */
export type ExtendedError = typeof EDE[keyof typeof EDE];

/** Makes an engine. */
export function dnsEngine(options: EngineOptions): Engine {
  return new ZoneEngine(options);
}

/** What one question came to, and the zone out of which, where one alone says all. */
interface Outcome {
  readonly message: Message;
  readonly zone?: Zone;
}

class ZoneEngine implements Engine {
  readonly #options: EngineOptions;
  readonly #cache: AnswerCache;
  readonly #rcodes = new Map<number, number>();
  #queries = 0;
  #hits = 0;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#cache = new AnswerCache(options.limits.answerCache);
  }

  serves(): boolean {
    return this.#options.zones.list().length > 0;
  }

  resolve(query: Message, caller: DnsCaller): Message {
    const { message } = this.#decide(query, caller);
    this.#count(message.rcode);
    return message;
  }

  respond(query: Message, caller: DnsCaller, options: RespondOptions = {}): Uint8Array<ArrayBuffer> {
    const { maxSize, padTo, extra } = options;
    // What a stream carries whole; other sizes are others' answers.
    const cacheable = maxSize === undefined && query.opcode === 0 && query.question?.class === CLASS_IN;
    const kept = cacheable ? this.#cache.get(query, this.#generation, options) : undefined;
    if (kept) {
      this.#hits++;
      this.#count(kept[3] & 0xf);
      return kept;
    }
    const { message, zone } = this.#decide(query, caller);
    this.#count(message.rcode);
    if (cacheable && zone && message.rcode === Rcode.NOERROR && isKeepable(message)) {
      const bytes = encodeMessage(message);
      this.#cache.set(query, bytes, zone.name.key, this.#options.zones.generation(zone));
      if (padTo === undefined && extra === undefined) return bytes;
    }
    return encodeMessage(extra ? withOptions(message, extra) : message, { maxSize, padTo });
  }

  stats(): DnsStats {
    return {
      queries: this.#queries,
      rcodes: Object.fromEntries(this.#rcodes),
      answerCache: { entries: this.#cache.size, hits: this.#hits },
    };
  }

  #decide(query: Message, caller: DnsCaller): Outcome {
    const { question } = query;
    if (query.opcode !== 0) return { message: refusal(query, Rcode.NOTIMP) };
    if (!question) return { message: refusal(query, Rcode.FORMERR) };
    if (isRefusedKind(question)) {
      const unsupported = caller.front === "doq" && isTransfer(question);
      return { message: refusal(query, Rcode.REFUSED, unsupported ? EDE.NOT_SUPPORTED : undefined) };
    }
    const zone = this.#options.zones.find(question.name);
    if (zone) return this.#fromZone(query, question, zone, caller);
    const special = answerSpecial(question, this.#options.ddr?.());
    if (special) return { message: answered(query, special) };
    // Others' names are nobody's here: there is nobody to ask.
    return { message: refusal(query, Rcode.REFUSED, query.flags.rd ? EDE.PROHIBITED : EDE.NOT_AUTHORITATIVE) };
  }

  #fromZone(query: Message, question: Question, zone: Zone, caller: DnsCaller): Outcome {
    let answer: ZoneAnswer;
    try {
      answer = answerFrom(this.#options.zones, question);
    } catch (error) {
      // Removed by another process between two look-ups, or a database that somebody holds.
      if (!(error instanceof AlknetError)) throw error;
      return { message: refusal(query, Rcode.SERVFAIL) };
    }
    if (answer.rcode === Rcode.NXDOMAIN && !this.#options.rates.negative(caller, zone)) {
      return { message: refusal(query, Rcode.REFUSED) };
    }
    // A chain, and addresses of names elsewhere, may depend on other zones: they are not kept.
    const alone = !answer.answer.some(({ type }) => type === Type.CNAME) &&
      answer.additional.every(({ name }) => isWithin(name, zone.name));
    return { message: answered(query, answer), zone: alone ? zone : undefined };
  }

  readonly #generation = (key: string): number => this.#options.zones.generationOf(key);

  #count(rcode: number): void {
    this.#queries++;
    this.#rcodes.set(rcode, (this.#rcodes.get(rcode) ?? 0) + 1);
  }
}

/** Types that are no data, and classes that are not served. AXFR and IXFR are the fronts', where there are any. */
function isRefusedKind({ type, class: kind }: Question): boolean {
  if (kind !== CLASS_IN) return true;
  return type === 0 || type === Type.OPT || type >= 128 && type <= 254;
}

function isTransfer({ type }: Question): boolean {
  return type === Type.AXFR || type === Type.IXFR;
}

function withOptions(message: Message, options: readonly EdnsOption[]): Message {
  const { edns } = message;
  return edns ? { ...message, edns: { ...edns, options: [...edns.options, ...options] } } : message;
}

function answered(query: Message, { rcode, authoritative, answer, authority, additional }: ZoneAnswer): Message {
  return { ...responseTo(query, rcode, authoritative), answer, authority, additional };
}

/** An answer that says no more than a code. */
export function refusal(query: Message, rcode: number, error?: ExtendedError): Message {
  return { ...responseTo(query, rcode, false, error), answer: [], authority: [], additional: [] };
}

/** An answer but for its records. */
export function responseTo(
  query: Message,
  rcode: number,
  aa: boolean,
  error?: ExtendedError,
): Omit<Message, "answer" | "authority" | "additional"> {
  const { id, opcode, question, flags: { rd, cd } } = query;
  const flags = { aa, tc: false, rd, ra: false, ad: false, cd };
  return { id, response: true, opcode, rcode, flags, question, edns: query.edns && ednsOf(query.edns, error) };
}

function ednsOf({ dnssecOk }: Edns, error: ExtendedError | undefined): Edns {
  const options: EdnsOption[] = [];
  if (error) {
    const words = new TextEncoder().encode(error[1]);
    options.push({ code: EdnsCode.EXTENDED_ERROR, data: Uint8Array.of(error[0] >>> 8, error[0] & 0xff, ...words) });
  }
  return { udpSize: UDP_SIZE, version: 0, dnssecOk, options };
}
