/**
 * Zones for tests, from lines as master files have them.
 *
 * @module
 */
import {
  dnsEngine,
  type DnsLimits,
  dnsLimitsWith,
  dnsRates,
  type DnsStore,
  type DnsStoreOptions,
  formatName,
  formatRdata,
  formatType,
  type FrontParts,
  type Message,
  newZone,
  openDnsStore,
  parseName,
  parseRdata,
  parseType,
  type ResourceRecord,
  wordsOf,
  type Zone,
} from "../../../handlers/dns/mod.ts";

/** A record from `NAME TTL TYPE DATA…`, names relative to an origin. */
export function record(line: string, origin: string): ResourceRecord {
  const [name, ttl, type, ...data] = line.trim().split(/\s+/);
  const zone = parseName(`${origin}.`);
  const number = parseType(type);
  return {
    name: parseName(name, zone),
    ttl: Number(ttl),
    class: 1,
    type: number,
    data: parseRdata(number, wordsOf(data.join(" ")), zone),
  };
}

/** A store in memory with one zone that has these records besides its apex. */
export function storeWith(
  origin: string,
  lines: readonly string[] = [],
  options: DnsStoreOptions = {},
): [DnsStore, Zone] {
  const store = openDnsStore(":memory:", options);
  const made = store.zones.create(newZone(parseName(`${origin}.`), { serial: 1 }), "primary");
  return [
    store,
    lines.length === 0 ? made : store.zones.apply(made, { add: lines.map((line) => record(line, origin)) }),
  ];
}

/** What a front is given, over a store. */
export function partsOver(store: DnsStore, changes: Partial<DnsLimits> = {}): FrontParts {
  const limits = dnsLimitsWith(changes);
  const rates = dnsRates({ limits });
  return { engine: dnsEngine({ zones: store.zones, rates, limits }), rates, limits };
}

/** A query. */
export function query(name: string, type = "A", changes: Partial<Message> = {}): Message {
  return {
    id: 0x1234,
    response: false,
    opcode: 0,
    rcode: 0,
    flags: { aa: false, tc: false, rd: false, ra: false, ad: false, cd: false },
    question: { name: parseName(`${name}.`), type: parseType(type), class: 1 },
    answer: [],
    authority: [],
    additional: [],
    ...changes,
  };
}

/** A record as a line, its owner without its last dot. */
export function line({ name, ttl, type, data }: ResourceRecord): string {
  return `${formatName(name).replace(/(.)\.$/, "$1")} ${ttl} ${formatType(type)} ${formatRdata(type, data)}`;
}
