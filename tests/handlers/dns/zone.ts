/**
 * Zones for tests, from lines as master files have them.
 *
 * @module
 */
import {
  decodeMessage,
  dnsEngine,
  type DnsLimits,
  dnsLimitsWith,
  dnsRates,
  type DnsStore,
  type DnsStoreOptions,
  encodeMessage,
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
  type Soon,
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

/** What is there without waiting. */
export function atOnce<T>(value: Soon<T>): T {
  if (value instanceof Promise) throw new Error("it has to be waited for");
  return value;
}

/** A record as a line, its owner without its last dot. */
export function line({ name, ttl, type, data }: ResourceRecord): string {
  return `${formatName(name).replace(/(.)\.$/, "$1")} ${ttl} ${formatType(type)} ${formatRdata(type, data)}`;
}

/** Messages, each behind its length. */
export function framed(...messages: readonly (Message | Uint8Array)[]): Uint8Array {
  const parts = messages.map((message) => message instanceof Uint8Array ? message : encodeMessage(message));
  return Uint8Array.from(parts.flatMap((bytes) => [bytes.byteLength >>> 8, bytes.byteLength & 0xff, ...bytes]));
}

/** All answers until a stream ends. */
export async function answersOf(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Message[]> {
  const bytes: number[] = [];
  for (let part = await reader.read(); !part.done; part = await reader.read()) bytes.push(...part.value);
  const found: Message[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes[at] << 8 | bytes[at + 1];
    found.push(decodeMessage(Uint8Array.from(bytes.slice(at + 2, at + 2 + length))));
    at += 2 + length;
  }
  return found;
}
