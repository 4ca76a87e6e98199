/**
 * What is taken of an upstream's answer: what belongs to the question, and nothing that answers another (RFC 5452 §6).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { type DnsName, isWithin, nameOf } from "../codec/name.ts";
import { soaParts } from "../codec/rdata_text.ts";
import {
  CLASS_IN,
  type Message,
  type Question,
  Rcode,
  type Records,
  type ResourceRecord,
  Type,
} from "../codec/types.ts";
import { isPrivate } from "./rebinding.ts";

/** What is believed of an upstream, and of whom. */
export interface AcceptOptions {
  /** Whether its word that it validated counts. */
  readonly trustAd: boolean;
  /** Zones in which private addresses are what they should be. */
  readonly privateZones: readonly DnsName[];
}

/** What was taken. */
export interface Accepted {
  /** NOERROR or NXDOMAIN. */
  readonly rcode: number;
  /** The chain from the name asked for, and what stands at its end. */
  readonly answer: Records;
  /** SOA of a negative, and proofs where they were asked for. */
  readonly authority: Records;
  /** Whether somebody who is believed validated it. */
  readonly ad: boolean;
  /** Seconds for which it may be kept; absent: it may not. */
  readonly ttl?: number;
  /** Whether private addresses were taken out. */
  readonly filtered: boolean;
}

/** Seconds for which an answer is kept at least, and at most. */
const MIN_TTL = 5;
const MAX_TTL = 86_400;
/** The same at most, where there is nothing (RFC 2308 §5). */
const MAX_NEGATIVE_TTL = 900;
/** Links of a chain of aliases. */
const MAX_CHAIN = 16;
const PROOFS: ReadonlySet<number> = new Set([Type.NSEC, Type.NSEC3, Type.RRSIG]);

/**
 * Takes what belongs to a query.
 *
 * @param query As it was sent.
 * @param message What came, already read and with the query's id.
 * @throws {AlknetError} `DNS_UPSTREAM`: it answers something else, is cut, leads in a circle, or is a failure.
 */
export function accept(query: Message, message: Message, { trustAd, privateZones }: AcceptOptions): Accepted {
  const asked = query.question!;
  const { question, rcode, flags } = message;
  if (!message.response || message.opcode !== 0 || message.id !== query.id || !question || !isSame(asked, question)) {
    throw unusable("answers what nobody asked");
  }
  if (flags.tc) throw unusable("answers only in part");
  if (rcode !== Rcode.NOERROR && rcode !== Rcode.NXDOMAIN) throw unusable(`failed with code ${rcode}`);
  const signed = query.edns?.dnssecOk === true;
  const chain = chainOf(asked, message.answer, signed);
  const soa = message.authority.find(({ type, class: kind, name }) =>
    type === Type.SOA && kind === CLASS_IN && isWithin(chain.end, name)
  );
  const negative = soa && { ...soa, ttl: Math.min(soa.ttl, soaParts(soa.data).numbers[4], MAX_NEGATIVE_TTL) };
  const proofs = signed ? message.authority.filter(isProof) : [];
  const isNegative = !chain.complete;
  const kept = [...chain.records, ...(isNegative && negative ? [negative] : []), ...proofs];
  const least = kept.reduce((ttl, record) => Math.min(ttl, clamped(record.ttl)), MAX_TTL);
  const mayBePrivate = privateZones.some((zone) => isWithin(asked.name, zone));
  const answer = mayBePrivate ? chain.records : chain.records.filter((record) => !isPrivate(record));
  return {
    rcode,
    answer: answer.map(withClampedTtl),
    authority: [...(isNegative && negative ? [negative] : []), ...proofs].map(withClampedTtl),
    ad: trustAd && flags.ad,
    ttl: isNegative && !negative ? undefined : least,
    filtered: answer.length < chain.records.length,
  };
}

/** Whether a message has the answer that RFC 5452 §9.1 wants: to this question and no other. */
function isSame(a: Question, b: Question): boolean {
  return a.type === b.type && a.class === b.class && a.name.key === b.name.key;
}

interface Chain {
  readonly records: ResourceRecord[];
  /** The name that the chain comes to. */
  readonly end: DnsName;
  /** Whether what was asked for stands there. */
  readonly complete: boolean;
}

function chainOf({ name, type }: Question, answer: Records, signed: boolean): Chain {
  const byOwner = Map.groupBy(answer.filter(({ class: kind }) => kind === CLASS_IN), (record) => record.name.key);
  const records: ResourceRecord[] = [];
  const seen = new Set<string>();
  for (let end = name;;) {
    const there = byOwner.get(end.key) ?? [];
    const set = there.filter((record) => type === Type.ANY || record.type === type);
    if (set.length > 0) {
      records.push(...set);
      if (type !== Type.ANY) records.push(...signaturesOf(there, type, signed));
      return { records, end, complete: true };
    }
    for (const above of dnamesAbove(end, byOwner)) {
      if (!seen.has(`dname ${above[0].name.key}`)) records.push(...setOf(above, Type.DNAME, signed));
      seen.add(`dname ${above[0].name.key}`);
    }
    const alias = there.find((record) => record.type === Type.CNAME);
    if (!alias) return { records, end, complete: false };
    records.push(alias, ...signaturesOf(there, Type.CNAME, signed));
    seen.add(end.key);
    end = nameOf(alias.data);
    if (seen.has(end.key) || seen.size > MAX_CHAIN) throw unusable("leads in a circle");
  }
}

/** What stands at names above one that have a DNAME (RFC 6672): the alias below was made of it. */
function* dnamesAbove({ key }: DnsName, byOwner: ReadonlyMap<string, Records>): Iterable<Records> {
  if (![...byOwner.values()].some((records) => records.some(({ type }) => type === Type.DNAME))) return;
  for (const [owner, records] of byOwner) {
    if (owner !== key && key.startsWith(owner) && records.some(({ type }) => type === Type.DNAME)) yield records;
  }
}

function setOf(there: Records, type: number, signed: boolean): ResourceRecord[] {
  return [...there.filter((record) => record.type === type), ...signaturesOf(there, type, signed)];
}

function signaturesOf(there: Records, covered: number, signed: boolean): ResourceRecord[] {
  if (!signed || covered === Type.RRSIG) return [];
  return there.filter(({ type, data }) => type === Type.RRSIG && (data[0] << 8 | data[1]) === covered);
}

function isProof({ type, class: kind }: ResourceRecord): boolean {
  return kind === CLASS_IN && PROOFS.has(type);
}

function withClampedTtl(record: ResourceRecord): ResourceRecord {
  return { ...record, ttl: clamped(record.ttl) };
}

function clamped(ttl: number): number {
  return Math.min(MAX_TTL, Math.max(MIN_TTL, ttl));
}

function unusable(what: string): AlknetError {
  return new AlknetError("DNS_UPSTREAM", `an upstream ${what}`);
}
