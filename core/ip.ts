/**
 * IP addresses as text: read, written in the one form that a comparison needs, and grouped by who controls them.
 *
 * @module
 */
import { isIP } from "node:net";
import { networkInterfaces } from "node:os";

/** An IP address. */
export interface IpAddress {
  /** Its 4 or 16 bytes. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** The zone of an IPv6 address as it was written: name or index of a network interface (RFC 4007 §11). */
  readonly zone?: string;
}

/** Where the IPv4 address begins in one that was made IPv6: mapped (RFC 4291 §2.5.5.2), or for a translator (RFC 6052 §2.1). */
const MAPPED = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);
const TRANSLATED = Uint8Array.of(0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0);

/** The address in a text, without brackets; nothing if there is none. */
export function parseIp(text: string): IpAddress | undefined {
  const version = isIP(text);
  if (version === 4) return { bytes: Uint8Array.from(text.split("."), Number) };
  if (version === 0) return undefined;
  // At most one "::", groups of hex, perhaps a dotted tail (RFC 4291 §2.2), perhaps a zone.
  const [address, zone] = text.split("%", 2);
  const dotted = address.includes(".") ? address.slice(address.lastIndexOf(":") + 1) : undefined;
  const groups = dotted === undefined ? address : `${address.slice(0, -dotted.length)}0:0`;
  const [head, tail] = groups.split("::").map((part) => part === "" ? [] : part.split(":"));
  const bytes = new Uint8Array(16);
  head.forEach((group, index) => writeGroup(bytes, index, group));
  tail?.forEach((group, index) => writeGroup(bytes, 8 - tail.length + index, group));
  if (dotted !== undefined) bytes.set(Uint8Array.from(dotted.split("."), Number), 12);
  return zone === undefined ? { bytes } : { bytes, zone };
}

/** Dotted, or RFC 5952 §4: lower case, no leading zeros, "::" for the first longest run of two or more zero groups. */
export function formatIp({ bytes, zone }: IpAddress): string {
  if (bytes.byteLength === 4) return bytes.join(".");
  const groups = groupsOf(bytes);
  let start = -1;
  let longest = 1;
  for (let from = 0; from < 8; from++) {
    let to = from;
    while (to < 8 && groups[to] === "0") to++;
    if (to - from > longest) {
      start = from;
      longest = to - from;
    }
  }
  const text = start < 0
    ? groups.join(":")
    : `${groups.slice(0, start).join(":")}::${groups.slice(start + longest).join(":")}`;
  return zone === undefined ? text : `${text}%${zone}`;
}

/**
 * An address as the system writes it: equal addresses are equal texts. One that is IPv4 within IPv6 is the IPv4 address, a
 * zone is the index of its interface, and only link-local addresses have one. What is no address stays as it is.
 */
export function canonicalIp(text: string): string {
  const ip = parseIp(text);
  return ip ? formatIp(canonical(ip)) : text;
}

/**
 * The unit that limits count: an IPv4 address, also within an IPv6 one, or the /64 of an IPv6 address, which one host
 * controls whole. A link-local prefix belongs to nobody: there it is the address and its zone. What is no address, such as
 * a unit, stays as it is.
 */
export function addressGroup(text: string): string {
  return addressGroups(text)[0];
}

/**
 * The unit that limits count, then those around it that one site may control whole: the /56 and the /48 of an IPv6 address
 * (RFC 6177 §2). There is nothing around any other.
 */
export function addressGroups(text: string): [string, ...string[]] {
  if (!text.includes(":")) return [text];
  const ip = parseIp(text);
  if (!ip) return [text];
  const { bytes, zone } = canonical(ip);
  if (begins(bytes, TRANSLATED)) return [bytes.subarray(12).join(".")];
  if (bytes.byteLength === 4 || isLinkLocal(bytes)) return [formatIp({ bytes, zone })];
  const [a, b, c, d] = groupsOf(bytes);
  const subnet = (parseInt(d, 16) & 0xff00).toString(16);
  return [`${a}:${b}:${c}:${d}::/64`, `${a}:${b}:${c}:${subnet}::/56`, `${a}:${b}:${c}::/48`];
}

function canonical({ bytes, zone }: IpAddress): IpAddress {
  if (begins(bytes, MAPPED)) return { bytes: bytes.slice(12) };
  const index = zone !== undefined && isLinkLocal(bytes) ? zoneIndex(zone) : undefined;
  return index === undefined ? { bytes } : { bytes, zone: index };
}

/** fe80::/10 (RFC 4291 §2.5.6). */
function isLinkLocal(bytes: Uint8Array): boolean {
  return bytes.byteLength === 16 && bytes[0] === 0xfe && (bytes[1] & 0xc0) === 0x80;
}

/** The index of an interface; 0 is none. A name that nothing here has, or may be asked for, stays. */
function zoneIndex(zone: string): string | undefined {
  if (/^\d+$/.test(zone)) return Number(zone) === 0 ? undefined : String(Number(zone));
  try {
    const addresses = networkInterfaces()[zone] ?? [];
    const own = addresses.find((address) => address.family === "IPv6" && address.scopeid > 0);
    return own?.family === "IPv6" ? String(own.scopeid) : zone;
  } catch {
    return zone;
  }
}

function begins(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.byteLength === 16 && prefix.every((byte, at) => bytes[at] === byte);
}

function groupsOf(bytes: Uint8Array): string[] {
  return Array.from({ length: 8 }, (_, at) => (bytes[2 * at] << 8 | bytes[2 * at + 1]).toString(16));
}

function writeGroup(bytes: Uint8Array, index: number, group: string): void {
  const value = parseInt(group, 16);
  bytes[2 * index] = value >>> 8;
  bytes[2 * index + 1] = value & 0xff;
}
