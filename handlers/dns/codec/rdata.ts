/**
 * The data of records on the wire: where names are in it, which are compressed when written, and which may be when read.
 *
 * @module
 */
import { DnsMalformedError } from "./errors.ts";
import { readName } from "./name.ts";
import { Type } from "./types.ts";

/** How the data of a type is laid out: so many bytes, then names, then bytes; `strings` are character-strings before. */
interface Layout {
  readonly fixed: number;
  readonly strings?: number;
  readonly names: number;
  /** Bytes behind the names. */
  readonly rest: number;
}

/** Types whose data has names that a sender may have compressed (RFC 3597 §4). */
const LAYOUTS: ReadonlyMap<number, Layout> = new Map([
  [Type.NS, { fixed: 0, names: 1, rest: 0 }],
  [Type.CNAME, { fixed: 0, names: 1, rest: 0 }],
  [Type.PTR, { fixed: 0, names: 1, rest: 0 }],
  [Type.MB, { fixed: 0, names: 1, rest: 0 }],
  [Type.MG, { fixed: 0, names: 1, rest: 0 }],
  [Type.MR, { fixed: 0, names: 1, rest: 0 }],
  [Type.MINFO, { fixed: 0, names: 2, rest: 0 }],
  [Type.DNAME, { fixed: 0, names: 1, rest: 0 }],
  [Type.SOA, { fixed: 0, names: 2, rest: 20 }],
  [Type.MX, { fixed: 2, names: 1, rest: 0 }],
  [Type.AFSDB, { fixed: 2, names: 1, rest: 0 }],
  [Type.KX, { fixed: 2, names: 1, rest: 0 }],
  [Type.RP, { fixed: 0, names: 2, rest: 0 }],
  [Type.SRV, { fixed: 6, names: 1, rest: 0 }],
  [Type.NAPTR, { fixed: 4, strings: 3, names: 1, rest: 0 }],
]);
/** Types whose names we compress when we write (RFC 3597 §4: those of RFC 1035 alone). */
const COMPRESSED: ReadonlySet<number> = new Set([Type.NS, Type.CNAME, Type.SOA, Type.PTR, Type.MX]);
const MX_PREFERENCE = 2;

/**
 * Reads the data of a record out of a message; names come decompressed.
 *
 * @throws {DnsMalformedError} It does not end where it should.
 */
export function readRdata(message: Uint8Array, at: number, length: number, type: number): Uint8Array {
  const end = at + length;
  const layout = LAYOUTS.get(type);
  if (!layout) return checkedOpaque(message.slice(at, end), type);
  const parts: Uint8Array[] = [];
  let position = skipStrings(message, at + layout.fixed, end, layout.strings ?? 0);
  if (position > end) throw new DnsMalformedError("the data of a record is cut off");
  parts.push(message.subarray(at, position));
  for (let n = 0; n < layout.names; n++) {
    const { name, end: behind } = readName(message, position, end);
    parts.push(name.wire);
    position = behind;
  }
  if (position + layout.rest !== end) throw new DnsMalformedError("the data of a record does not end where it should");
  parts.push(message.subarray(position, end));
  return joined(parts);
}

/** Offset behind the fixed part of data whose first names are compressed when written, or -1: nothing is. */
export function compressedFrom(type: number): number {
  if (!COMPRESSED.has(type)) return -1;
  return type === Type.MX ? MX_PREFERENCE : 0;
}

/** How many names follow there. */
export function compressedNames(type: number): number {
  return type === Type.SOA ? 2 : 1;
}

/** The name in the data of a record that leads on to addresses, if it has one. */
export function targetOf(type: number, data: Uint8Array): Uint8Array | undefined {
  if (type === Type.NS || type === Type.CNAME || type === Type.PTR) return data;
  if (type === Type.MX) return data.subarray(2);
  if (type === Type.SRV) return data.subarray(6);
  if (type === Type.SVCB || type === Type.HTTPS) return data.subarray(2);
}

function checkedOpaque(data: Uint8Array, type: number): Uint8Array {
  const wanted = type === Type.A ? 4 : type === Type.AAAA ? 16 : data.byteLength;
  if (data.byteLength !== wanted) throw new DnsMalformedError("an address has the wrong length");
  if (type === Type.TXT && skipStrings(data, 0, data.byteLength, Infinity) !== data.byteLength) {
    throw new DnsMalformedError("a text ends outside of its record");
  }
  if ((type === Type.SVCB || type === Type.HTTPS) && hasPointer(data)) {
    throw new DnsMalformedError("the target of a service is not to be compressed (RFC 9460 §2.2)");
  }
  return data;
}

function hasPointer(data: Uint8Array): boolean {
  for (let at = 2; at < data.byteLength && data[at] !== 0; at += data[at] + 1) if (data[at] > 63) return true;
  return false;
}

/** Offset behind so many character-strings; beyond `end` where one is cut off. */
function skipStrings(bytes: Uint8Array, at: number, end: number, count: number): number {
  for (let n = 0; n < count && at < end; n++) at += 1 + bytes[at];
  return at;
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
