/**
 * Answers out of a zone (RFC 1034 §4.3.2, RFC 4592, RFC 2308).
 *
 * From the apex towards the name, a look-up a label: the first cut on the way is where the zone ends, the first name that is
 * not there is where a wildcard may stand in.
 *
 * @module
 */
import { type DnsName, isWithin, nameOf, nameOfKey, wildcardOf } from "../codec/name.ts";
import { targetOf } from "../codec/rdata.ts";
import { soaParts } from "../codec/rdata_text.ts";
import { CLASS_IN, type Question, Rcode, type Records, type ResourceRecord, Type } from "../codec/types.ts";
import type { Zone, ZoneStore } from "../zones/store.ts";

/** What a zone has to say. */
export interface ZoneAnswer {
  /** How it went. */
  readonly rcode: number;
  /** Whether the zone itself answers; not where it refers to another. */
  readonly authoritative: boolean;
  /** The answer. */
  readonly answer: Records;
  /** SOA of a negative, NS of a referral. */
  readonly authority: Records;
  /** Addresses that will be asked for next. */
  readonly additional: Records;
  /** A name that is no zone's of ours, to which the chain of aliases comes. */
  readonly leadsTo?: DnsName;
}

/** Links of a chain of aliases that are followed. */
const MAX_CHAIN = 8;
/** RFC 8482 §4.2: `HINFO "RFC8482" ""`. */
const ANY_ANSWER = Uint8Array.of(7, ...new TextEncoder().encode("RFC8482"), 0);
const ANY_TTL = 3600;
/** Types whose targets' addresses go along. */
const HAS_TARGET: ReadonlySet<number> = new Set([Type.NS, Type.MX, Type.SRV, Type.SVCB, Type.HTTPS]);

/** Answers a question whose name lies in a zone of ours. */
export function answerFrom(zones: ZoneStore, question: Question): ZoneAnswer {
  const answer: ResourceRecord[] = [];
  const seen = new Set<string>();
  let name = question.name;
  for (let zone = zones.find(name);; zone = zones.find(name)) {
    // Out of our zones a chain ends: what lies there is asked of others.
    if (!zone) return { ...done(Rcode.NOERROR, answer, []), leadsTo: name };
    const found = lookUp(zones, zone, name, question.type);
    if (found.kind === "referral") return refer(zones, zone, found.cut, answer);
    if (found.kind === "nothing") return done(found.rcode, answer, [negativeSoa(zones, zone)]);
    answer.push(...found.records);
    if (found.kind === "set") return done(Rcode.NOERROR, answer, [], additionalOf(zones, found.records, answer));
    const target = nameOf(found.records[0].data);
    seen.add(name.key);
    if (seen.has(target.key) || seen.size > MAX_CHAIN) return done(Rcode.NOERROR, answer, []);
    name = target;
  }
}

/** What was found for a name. */
export type Found =
  | { readonly kind: "set" | "alias"; readonly records: Records }
  | { readonly kind: "referral"; readonly cut: Records }
  | { readonly kind: "nothing"; readonly rcode: number };

function lookUp(zones: ZoneStore, zone: Zone, name: DnsName, type: number): Found {
  let there: Records = [];
  for (const step of stepsTo(zone.name, name)) {
    const records = zones.at(zone, step);
    if (records.length === 0 && !zones.hasBelow(zone, step)) return atWildcard(zones, zone, step, name, type);
    // The zone ends at a cut; but what is asked of its parent's side, DS, is ours.
    const cut = step.key === zone.name.key ? [] : records.filter((record) => record.type === Type.NS);
    if (cut.length > 0 && !(type === Type.DS && step.key === name.key)) return { kind: "referral", cut };
    there = records;
  }
  return choose(there, name, type);
}

/** Names from the apex to one in its zone, one label more each. */
function* stepsTo(apex: DnsName, name: DnsName): Iterable<DnsName> {
  for (let end = apex.key.length;;) {
    yield end === name.key.length ? name : nameOfKey(name.key.slice(0, end));
    if (end === name.key.length) return;
    end = name.key.indexOf("\0", end) + 1;
  }
}

/** The wildcard of the closest encloser stands in for what is not there (RFC 4592 §3.3.1). */
function atWildcard(zones: ZoneStore, zone: Zone, missing: DnsName, name: DnsName, type: number): Found {
  const encloser = nameOfKey(missing.key.slice(0, missing.key.lastIndexOf("\0", missing.key.length - 2) + 1));
  const wildcard = wildcardOf(encloser);
  const records = zones.at(zone, wildcard);
  if (records.length > 0) return choose(records, name, type);
  // Names below the wildcard make it a name without records.
  return { kind: "nothing", rcode: zones.hasBelow(zone, wildcard) ? Rcode.NOERROR : Rcode.NXDOMAIN };
}

/** What a name that is there has of a type, with the owner as it was asked for. */
export function choose(records: Records, name: DnsName, type: number): Found {
  const own = (wanted: number) =>
    records.filter((record) => record.type === wanted).map((record) => ({ ...record, name }));
  if (type === Type.ANY) {
    if (records.length === 0) return { kind: "nothing", rcode: Rcode.NOERROR };
    return { kind: "set", records: [{ name, type: Type.HINFO, class: CLASS_IN, ttl: ANY_TTL, data: ANY_ANSWER }] };
  }
  const set = own(type);
  if (set.length > 0) return { kind: "set", records: set };
  const alias = own(Type.CNAME);
  if (alias.length > 0) return { kind: "alias", records: alias };
  return { kind: "nothing", rcode: Rcode.NOERROR };
}

function refer(zones: ZoneStore, zone: Zone, cut: Records, answer: Records): ZoneAnswer {
  const additional = addressesOf(zones, cut.map(({ data }) => nameOf(data)), (name) => isWithin(name, zone.name));
  // Behind a chain of ours the chain is what we know.
  const authoritative = answer.length > 0;
  return { rcode: Rcode.NOERROR, authoritative, answer, authority: cut, additional };
}

function done(rcode: number, answer: Records, authority: Records, additional: Records = []): ZoneAnswer {
  return { rcode, authoritative: true, answer, authority, additional };
}

/** The SOA that says for how long there is nothing (RFC 2308 §5). */
export function negativeSoa(zones: ZoneStore, zone: Zone): ResourceRecord {
  const soa = zones.at(zone, zone.name).find(({ type }) => type === Type.SOA)!;
  return { ...soa, ttl: Math.min(soa.ttl, soaParts(soa.data).numbers[4]) };
}

function additionalOf(zones: ZoneStore, records: Records, answer: Records): Records {
  const targets = records.filter(({ type }) => HAS_TARGET.has(type)).flatMap(({ type, data }) =>
    targetOf(type, data) ?? []
  );
  const known = new Set(answer.map(({ name }) => name.key));
  return addressesOf(zones, targets.map((wire) => nameOf(wire)), (name) => !known.has(name.key));
}

/** Addresses of names in zones of ours, below cuts too: glue. */
function addressesOf(
  zones: ZoneStore,
  names: readonly DnsName[],
  wanted: (name: DnsName) => boolean,
): ResourceRecord[] {
  const found: ResourceRecord[] = [];
  const seen = new Set<string>();
  for (const name of names) {
    const zone = seen.has(name.key) || !wanted(name) ? undefined : zones.find(name);
    seen.add(name.key);
    if (!zone) continue;
    const own = zones.at(zone, name).filter(({ type }) => type === Type.A || type === Type.AAAA);
    found.push(...own.map((record) => ({ ...record, name })));
  }
  return found;
}
