/**
 * Addresses that nobody outside has business to hand out: with them a foreign name would reach what is near the client.
 *
 * @module
 */
import { type ResourceRecord, Type } from "../codec/types.ts";

/** Keys of SVCB and HTTPS that hold addresses (RFC 9460 §7.3). */
const IPV4_HINT = 4;
const IPV6_HINT = 6;
/** `::ffff:0:0/96` and `64:ff9b::/96`: an IPv4 address stands in the last four bytes. */
const MAPPED = [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff], [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]] as const;

/** Whether a record holds an address that is private, loopback or link-local. */
export function isPrivate({ type, data }: Pick<ResourceRecord, "type" | "data">): boolean {
  if (type === Type.A) return isPrivateIpv4(data);
  if (type === Type.AAAA) return isPrivateIpv6(data);
  return (type === Type.SVCB || type === Type.HTTPS) && hasPrivateHint(data);
}

function isPrivateIpv4([a, b]: Uint8Array): boolean {
  if (a === 0 || a === 10 || a === 127) return true;
  if (a === 100) return (b & 0xc0) === 64;
  if (a === 169) return b === 254;
  if (a === 172) return (b & 0xf0) === 16;
  return a === 192 && b === 168;
}

function isPrivateIpv6(data: Uint8Array): boolean {
  if (MAPPED.some((prefix) => prefix.every((byte, n) => data[n] === byte))) return isPrivateIpv4(data.subarray(12));
  // `::/96`: unspecified, loopback, and IPv4 as it was once written.
  if (data.subarray(0, 12).every((byte) => byte === 0)) return true;
  const [a, b] = data;
  // fc00::/7, fe80::/10, and fec0::/10, which was for sites.
  return (a & 0xfe) === 0xfc || a === 0xfe && b >= 0x80;
}

function hasPrivateHint(data: Uint8Array): boolean {
  let at = 2;
  while (at < data.byteLength && data[at] !== 0) at += 1 + data[at];
  for (at++; at + 4 <= data.byteLength;) {
    const key = data[at] << 8 | data[at + 1];
    const end = at + 4 + (data[at + 2] << 8 | data[at + 3]);
    const size = key === IPV4_HINT ? 4 : key === IPV6_HINT ? 16 : 0;
    // What is cut off is no hint that anybody could use.
    for (at += 4; size > 0 && at + size <= Math.min(end, data.byteLength); at += size) {
      const address = data.subarray(at, at + size);
      if (size === 4 ? isPrivateIpv4(address) : isPrivateIpv6(address)) return true;
    }
    at = end;
  }
  return false;
}
