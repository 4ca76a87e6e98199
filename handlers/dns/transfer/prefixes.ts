/**
 * Addresses and prefixes by which callers are known, as configurations have them.
 *
 * @module
 */
import { AlknetError, canonicalIp, parseIp } from "@alknet/core/handler";

/** An address, or all that begin with the same bits. */
export interface AddressPrefix {
  /** 4 bytes or 16. */
  readonly bytes: Uint8Array;
  /** How many bits count. */
  readonly bits: number;
}

/**
 * Reads `192.0.2.53`, `192.0.2.0/24` or `2001:db8::/48`.
 *
 * @throws {AlknetError} `INVALID_PREFIX`: it is none, or bits are set behind those that count.
 */
export function parsePrefix(text: string): AddressPrefix {
  const [, address, length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const bytes = address === undefined ? undefined : parseIp(address)?.bytes;
  const bits = length === undefined ? 8 * (bytes?.byteLength ?? 0) : Number(length);
  if (!bytes || bits > 8 * bytes.byteLength) {
    throw new AlknetError("INVALID_PREFIX", `${JSON.stringify(text)} is no address or prefix, such as 192.0.2.0/24`);
  }
  const prefix = { bytes, bits };
  if (bytes.some((byte, n) => (byte & ~maskOf(prefix, n) & 0xff) !== 0)) {
    throw new AlknetError("INVALID_PREFIX", `${JSON.stringify(text)} has bits behind its ${bits}`);
  }
  return prefix;
}

/** Whether an address is one of these; an IPv4 address within an IPv6 one is itself. */
export function isAmong(address: string, prefixes: readonly AddressPrefix[]): boolean {
  const bytes = parseIp(canonicalIp(address))?.bytes;
  if (!bytes) return false;
  return prefixes.some((prefix) =>
    prefix.bytes.byteLength === bytes.byteLength &&
    prefix.bytes.every((byte, n) => (bytes[n] & maskOf(prefix, n)) === byte)
  );
}

function maskOf({ bits }: AddressPrefix, byte: number): number {
  return 0xff00 >> Math.min(8, Math.max(0, bits - 8 * byte)) & 0xff;
}
