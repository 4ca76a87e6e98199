/**
 * Names that are answered here whoever asks, because the question must not leave (RFC 6761, RFC 6303, RFC 7686, RFC 8375).
 *
 * @module
 */
import { type DnsName, formatName, parseName } from "../codec/name.ts";
import { parseRdata, wordsOf } from "../codec/rdata_text.ts";
import { CLASS_IN, type Question, Rcode, type ResourceRecord, Type } from "../codec/types.ts";
import type { ZoneAnswer } from "./authority.ts";

const LOCALHOST = parseName("localhost.");
const LOCALHOST_TTL = 3600;
const DDR_TTL = 300;
const LOOPBACK: ReadonlyMap<number, Uint8Array> = new Map([
  [Type.A, Uint8Array.of(127, 0, 0, 1)],
  [Type.AAAA, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)],
]);
/** SVCB of resolvers that are known by address (RFC 9462 §4): without a name of our own there is none. */
const RESOLVER = parseName("_dns.resolver.arpa.");
/** RFC 6303 §3. */
const EMPTY_SOA = parseRdata(Type.SOA, wordsOf("localhost. nobody.invalid. 1 3600 1200 604800 10800"), LOCALHOST);
const EMPTY_TTL = 10_800;

/** Zones of which there is nothing, each without its dot. */
const EMPTY_ZONES: readonly DnsName[] = [
  ...["invalid", "local", "onion", "alt", "home.arpa"],
  ...["10", "168.192", "254.169", "0", "127"].map((net) => `${net}.in-addr.arpa`),
  ...Array.from({ length: 16 }, (_, n) => `${16 + n}.172.in-addr.arpa`),
  ...["2.0.192", "100.51.198", "113.0.203", "255.255.255.255"].map((net) => `${net}.in-addr.arpa`),
  ...Array.from({ length: 64 }, (_, n) => `${64 + n}.100.in-addr.arpa`),
  ...["8.e.f", "9.e.f", "a.e.f", "b.e.f", "c.f", "d.f", "8.b.d.0.1.0.0.2"].map((net) => `${net}.ip6.arpa`),
  `0.${"0.".repeat(31)}ip6.arpa`,
  `1.${"0.".repeat(31)}ip6.arpa`,
].map((text) => parseName(`${text}.`));
const EMPTY: ReadonlyMap<string, DnsName> = new Map(EMPTY_ZONES.map((name) => [name.key, name]));

/** This node, as clients are to know it. */
export interface DesignatedResolver {
  /** The name in its certificate. */
  readonly name: DnsName;
  /** Its port. */
  readonly port: number;
  /** Protocols by which it answers. */
  readonly alpns: readonly ("dot" | "doq" | "h2")[];
}

/** The answer for such a name; nothing for others. */
export function answerSpecial({ name, type }: Question, ddr?: DesignatedResolver): ZoneAnswer | undefined {
  if (name.key.startsWith(LOCALHOST.key)) return localhost(name, type);
  if (name.key === RESOLVER.key) {
    return ddr && type === Type.SVCB ? designated(name, ddr) : nothing(Rcode.NOERROR, RESOLVER);
  }
  const zone = emptyZoneOf(name);
  if (zone) return nothing(name.key === zone.key ? Rcode.NOERROR : Rcode.NXDOMAIN, zone);
}

function designated(name: DnsName, { name: target, port, alpns }: DesignatedResolver): ZoneAnswer {
  const path = alpns.includes("h2") ? ' dohpath="/dns-query{?dns}"' : "";
  const text = `1 ${formatName(target)} alpn="${alpns.join(",")}" port=${port}${path}`;
  const data = parseRdata(Type.SVCB, wordsOf(text), target);
  const record: ResourceRecord = { name, type: Type.SVCB, class: CLASS_IN, ttl: DDR_TTL, data };
  return { rcode: Rcode.NOERROR, authoritative: true, answer: [record], authority: [], additional: [] };
}

function emptyZoneOf({ key }: DnsName): DnsName | undefined {
  for (let end = key.indexOf("\0") + 1; end > 0; end = key.indexOf("\0", end) + 1) {
    const zone = EMPTY.get(key.slice(0, end));
    if (zone) return zone;
  }
}

function localhost(name: DnsName, type: number): ZoneAnswer {
  const data = LOOPBACK.get(type);
  if (!data) return nothing(Rcode.NOERROR, LOCALHOST);
  const record: ResourceRecord = { name, type, class: CLASS_IN, ttl: LOCALHOST_TTL, data };
  return { rcode: Rcode.NOERROR, authoritative: true, answer: [record], authority: [], additional: [] };
}

function nothing(rcode: number, zone: DnsName): ZoneAnswer {
  const soa: ResourceRecord = { name: zone, type: Type.SOA, class: CLASS_IN, ttl: EMPTY_TTL, data: EMPTY_SOA };
  return { rcode, authoritative: true, answer: [], authority: [soa], additional: [] };
}
