/**
 * Addresses of the public Internet, apart from all that mean something else: the host itself, its network, documentation,
 * multicast (RFC 6890 and the registries that it began).
 *
 * @module
 */
import { parseIp } from "@alknet/core/handler";

/** Blocks of IPv4 that are not public: first address and length of the prefix. */
const SPECIAL: readonly (readonly [number, number, number, number, bits: number])[] = [
  [0, 0, 0, 0, 8],
  [10, 0, 0, 0, 8],
  [100, 64, 0, 0, 10],
  [127, 0, 0, 0, 8],
  [169, 254, 0, 0, 16],
  [172, 16, 0, 0, 12],
  [192, 0, 0, 0, 24],
  [192, 0, 2, 0, 24],
  [192, 88, 99, 0, 24],
  [192, 168, 0, 0, 16],
  [198, 18, 0, 0, 15],
  [198, 51, 100, 0, 24],
  [203, 0, 113, 0, 24],
  [224, 0, 0, 0, 3],
];

/** Whether an address is one of the public Internet; what is no address is not. */
export function isPublicAddress(text: string): boolean {
  const ip = parseIp(text);
  return ip !== undefined && (ip.bytes.length === 4 ? isPublic4(ip.bytes) : isPublic6(ip.bytes));
}

/** Whether an address is that of no single machine: unspecified, broadcast, multicast. It can be granted to nobody. */
export function isNobodysAddress(text: string): boolean {
  const ip = parseIp(text);
  if (ip === undefined) return false;
  const bytes = embedded4(ip.bytes) ?? ip.bytes;
  return bytes.length === 4
    ? bytes[0] === 0 || bytes[0] >= 224
    : bytes[0] === 0xff || bytes.every((byte) => byte === 0);
}

function isPublic4(bytes: Uint8Array): boolean {
  const value = number4(bytes);
  return !SPECIAL.some(([a, b, c, d, bits]) => (value ^ number4([a, b, c, d])) >>> (32 - bits) === 0);
}

function isPublic6(bytes: Uint8Array): boolean {
  const inner = embedded4(bytes);
  if (inner) return isPublic4(inner);
  const [a, b] = [bytes[0] << 8 | bytes[1], bytes[2] << 8 | bytes[3]];
  // Global unicast is 2000::/3; within it: protocols and tunnels 2001::/23, documentation, 6to4.
  if (a >>> 13 !== 1 || a === 0x2002) return false;
  if (a === 0x2001 && (b < 0x200 || b === 0xdb8)) return false;
  return !(a === 0x3fff && b >>> 12 === 0);
}

/** The IPv4 address within an IPv6 one: mapped (RFC 4291 §2.5.5.2) or for a translator (RFC 6052 §2.1). */
function embedded4(bytes: Uint8Array): Uint8Array | undefined {
  if (bytes.length !== 16) return undefined;
  const start = bytes.subarray(0, 12);
  const mapped = start.every((byte, at) => byte === (at < 10 ? 0 : 0xff));
  const translated = start.every((byte, at) => byte === ([0, 0x64, 0xff, 0x9b][at] ?? 0));
  return mapped || translated ? bytes.subarray(12) : undefined;
}

function number4(bytes: ArrayLike<number>): number {
  return (bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3]) >>> 0;
}
