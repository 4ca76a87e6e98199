/**
 * Types by their names, as master files and people write them (RFC 1035 §3.2, RFC 3597 §5).
 *
 * @module
 */
import { DnsSyntaxError } from "./errors.ts";

const NAMES: ReadonlyMap<number, string> = new Map([
  [1, "A"],
  [2, "NS"],
  [5, "CNAME"],
  [6, "SOA"],
  [12, "PTR"],
  [13, "HINFO"],
  [15, "MX"],
  [16, "TXT"],
  [17, "RP"],
  [18, "AFSDB"],
  [28, "AAAA"],
  [33, "SRV"],
  [35, "NAPTR"],
  [39, "DNAME"],
  [43, "DS"],
  [44, "SSHFP"],
  [46, "RRSIG"],
  [47, "NSEC"],
  [48, "DNSKEY"],
  [50, "NSEC3"],
  [51, "NSEC3PARAM"],
  [52, "TLSA"],
  [59, "CDS"],
  [60, "CDNSKEY"],
  [64, "SVCB"],
  [65, "HTTPS"],
  [257, "CAA"],
]);
const TYPES: ReadonlyMap<string, number> = new Map([...NAMES].map(([type, name]) => [name, type]));

/** A type as text: its name, or `TYPE65280`. */
export function formatType(type: number): string {
  return NAMES.get(type) ?? `TYPE${type}`;
}

/**
 * A type from text, letters in any case.
 *
 * @throws {DnsSyntaxError} It is none.
 */
export function parseType(text: string): number {
  const upper = text.toUpperCase();
  const [, number] = /^TYPE(\d{1,5})$/.exec(upper) ?? [];
  const type = number === undefined ? TYPES.get(upper) : Number(number);
  if (type === undefined || type > 65_535) throw new DnsSyntaxError(`${JSON.stringify(text)} is no type of record`);
  return type;
}
