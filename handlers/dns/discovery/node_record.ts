/**
 * What a node says of itself in a signed packet: where it listens, what it serves, until when that holds. TXT records of
 * `_alknet.<key>`, one `key=value` each; `_iroh.<key>` is read too.
 *
 * Whatever stands there is a hint: the key, which is pinned, decides who answers.
 *
 * @module
 */
import { formatSocketAddress, parseAddress } from "@alknet/core/address";
import { AlknetError, parseIp } from "@alknet/core/handler";
import { parseName, ROOT } from "../codec/name.ts";
import { parseRdata, wordsOf } from "../codec/rdata_text.ts";
import { CLASS_IN, type DnsName, type Records, type ResourceRecord, Type } from "../codec/types.ts";
import type { SignedPacket } from "../pkarr/signed_packet.ts";

/** What a node says of itself. */
export interface NodeRecord {
  /** `HOST:PORT` each, best first. */
  readonly addresses: readonly string[];
  /** What is served there; a hint. */
  readonly alpns: readonly string[];
  /** Unix seconds from which on the addresses are not dialled. */
  readonly expires: number;
}

/** What is written. */
export interface NodeRecordOptions extends NodeRecord {
  /** Whether clients of iroh find the addresses too. */
  readonly iroh?: boolean;
  /** Whether browsers find the node by its key, as a name: HTTPS, A and AAAA at the key itself (RFC 9460). */
  readonly https?: boolean;
}

/** Addresses that are read and written. */
export const MAX_ADDRESSES = 8;

const TTL = 300;
/** Seconds for which a packet holds that does not say it. */
const DEFAULT_LIFE = 86_400;
const VERSION = "1";

/** The records of a node. */
export function nodeRecords(
  nodeId: string,
  { addresses, alpns, expires, iroh = false, https = false }: NodeRecordOptions,
): Records {
  const first = addresses.slice(0, MAX_ADDRESSES);
  const own = first.map((address) => `addr=${address}`);
  const texts = [`v=${VERSION}`, ...own, ...(alpns.length > 0 ? [`alpn=${alpns.join(",")}`] : []), `exp=${expires}`];
  return [
    ...texts.map((text) => textRecord(`_alknet.${nodeId}.`, text)),
    ...(iroh ? own : []).map((text) => textRecord(`_iroh.${nodeId}.`, text)),
    ...(https ? apexRecords(parseName(`${nodeId}.`), first) : []),
  ];
}

/** What a packet says of its node; nothing where it says nothing that is understood. */
export function nodeRecord({ nodeId, records, timestamp }: SignedPacket): NodeRecord | undefined {
  const iroh = pairsIn(textsAt(records, `_iroh.${nodeId}.`));
  return nodeRecordOf(textsAt(records, `_alknet.${nodeId}.`), Number(timestamp / 1_000_000n), valuesOf(iroh, "addr"));
}

/**
 * What the texts of `_alknet.<key>` say; nothing where that is not understood.
 *
 * @param since Unix seconds: when it was said.
 * @param more Addresses that are said elsewhere.
 */
export function nodeRecordOf(
  texts: readonly string[],
  since: number,
  more: readonly string[] = [],
): NodeRecord | undefined {
  const pairs = pairsIn(texts);
  const versions = valuesOf(pairs, "v");
  const fields = versions.length === 1 && versions[0] === VERSION ? pairs : [];
  const addresses = [...valuesOf(fields, "addr"), ...more].flatMap((text) => addressIn(text) ?? []);
  if (fields.length === 0 && addresses.length === 0) return undefined;
  return {
    addresses: [...new Set(addresses)].slice(0, MAX_ADDRESSES),
    alpns: onlyOne(valuesOf(fields, "alpn"), alpnsIn) ?? [],
    expires: onlyOne(valuesOf(fields, "exp"), secondsIn) ?? Math.floor(since) + DEFAULT_LIFE,
  };
}

type Pair = readonly [key: string, value: string];

function textsAt(records: Records, owner: string): string[] {
  const { key } = parseName(owner);
  const isText = ({ name, type, class: kind }: ResourceRecord) =>
    name.key === key && type === Type.TXT && kind === CLASS_IN;
  return records.filter(isText).map(({ data }) => textIn(data));
}

function pairsIn(texts: readonly string[]): Pair[] {
  return texts.filter((text) => /^[\x20-\x7e]+$/.test(text)).map((text) => {
    const at = text.indexOf("=");
    return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  });
}

/** The character-strings of a TXT, joined. */
function textIn(data: Uint8Array): string {
  let text = "";
  for (let at = 0; at < data.byteLength; at += 1 + data[at]) {
    text += String.fromCharCode(...data.subarray(at + 1, at + 1 + data[at]));
  }
  return text;
}

function valuesOf(pairs: readonly Pair[], wanted: string): string[] {
  return pairs.filter(([key]) => key === wanted).map(([, value]) => value);
}

/** A field that may stand there once: what is malformed or repeated counts as absent. */
function onlyOne<T>(values: readonly string[], read: (value: string) => T | undefined): T | undefined {
  return values.length === 1 ? read(values[0]) : undefined;
}

function addressIn(text: string): string | undefined {
  try {
    const { host, port, nodeId } = parseAddress(text);
    if (nodeId !== undefined || port < 1) return undefined;
    return formatSocketAddress({ hostname: host, port });
  } catch (error) {
    if (error instanceof AlknetError) return undefined;
    throw error;
  }
}

function alpnsIn(text: string): string[] | undefined {
  const alpns = text.split(",");
  return alpns.every((alpn) => /^[\x21-\x7e]{1,255}$/.test(alpn)) ? alpns : undefined;
}

function secondsIn(text: string): number | undefined {
  return /^\d{1,12}$/.test(text) ? Number(text) : undefined;
}

/** One port has a record, and the addresses that have it: a browser takes each with each. Host names are none's. */
function apexRecords(name: DnsName, addresses: readonly string[]): ResourceRecord[] {
  const hosts = addresses.map((address) => parseAddress(address)).flatMap(({ host, port }) => {
    const ip = parseIp(host);
    return ip && ip.zone === undefined ? [{ bytes: ip.bytes, port }] : [];
  });
  if (hosts.length === 0) return [];
  const { port } = hosts[0];
  const record = (type: number, data: Uint8Array) => ({ name, type, class: CLASS_IN, ttl: TTL, data });
  const service = parseRdata(Type.HTTPS, wordsOf(`1 . alpn="h2,http/1.1" port=${port}`), ROOT);
  const there = hosts.filter((host) => host.port === port);
  return [
    record(Type.HTTPS, service),
    ...there.map(({ bytes }) => record(bytes.byteLength === 4 ? Type.A : Type.AAAA, bytes)),
  ];
}

function textRecord(owner: string, text: string): ResourceRecord {
  const bytes = new TextEncoder().encode(text);
  const parts: number[] = [];
  for (let at = 0; at < bytes.byteLength; at += 255) {
    const part = bytes.subarray(at, at + 255);
    parts.push(part.byteLength, ...part);
  }
  return { name: parseName(owner), type: Type.TXT, class: CLASS_IN, ttl: TTL, data: Uint8Array.from(parts) };
}
