/**
 * Names (RFC 1035 §3.1): labels of any bytes, compared without regard to the case of ASCII letters (RFC 4343).
 *
 * @module
 */
import { domainToASCII } from "node:url";
import { DnsMalformedError, DnsSyntaxError } from "./errors.ts";
import type { DnsName } from "./types.ts";

export type { DnsName };

/** Bytes of the longest name (RFC 1035 §2.3.4). */
const MAX_NAME = 255;
const MAX_LABEL = 63;
/** Pointers followed in one name: more than any that is written. */
const MAX_HOPS = 127;

class Name implements DnsName {
  readonly wire: Uint8Array;
  #key: string | undefined;

  constructor(wire: Uint8Array, key?: string) {
    this.wire = wire;
    this.#key = key;
  }

  get key(): string {
    return this.#key ??= keyOf(this.wire);
  }
}

/** The name of the root. */
export const ROOT: DnsName = new Name(Uint8Array.of(0));

/** A name whose wire form is known to be good. */
export function nameOf(wire: Uint8Array): DnsName {
  return new Name(wire);
}

/** Where names are put together, one at a time. */
const assembling = new Uint8Array(MAX_NAME);

/** Where a name ended that was read. */
export interface ReadName {
  /** The name. */
  readonly name: DnsName;
  /** Offset behind it. */
  readonly end: number;
}

/**
 * Reads a name from a message; pointers lead strictly backwards (RFC 1035 §4.1.4).
 *
 * @param message The whole message.
 * @param at Where it begins.
 * @param limit Offset at which what it stands in ends.
 * @throws {DnsMalformedError} It is longer than 255 bytes, or leads astray.
 */
export function readName(message: Uint8Array, at: number, limit: number = message.byteLength): ReadName {
  const wire = assembling;
  let length = 0;
  let end = -1;
  let hops = 0;
  // A pointer goes before the segment in which it stands.
  let segment = at;
  let bound = limit;
  for (let position = at;;) {
    if (position >= bound) throw new DnsMalformedError("a name ends outside of its message");
    const octet = message[position];
    if (octet === 0) {
      if (length + 1 > MAX_NAME) throw new DnsMalformedError("a name is longer than 255 bytes");
      wire[length++] = 0;
      if (end < 0) end = position + 1;
      return { name: new Name(wire.slice(0, length)), end };
    }
    if (octet <= MAX_LABEL) {
      const next = position + 1 + octet;
      if (next > bound) throw new DnsMalformedError("a label ends outside of its message");
      if (length + 1 + octet + 1 > MAX_NAME) throw new DnsMalformedError("a name is longer than 255 bytes");
      wire.set(message.subarray(position, next), length);
      length += 1 + octet;
      position = next;
      continue;
    }
    if (octet < 0xc0) throw new DnsMalformedError("a label of a type that there is not");
    if (position + 1 >= bound) throw new DnsMalformedError("a pointer ends outside of its message");
    const target = (octet & 0x3f) << 8 | message[position + 1];
    if (end < 0) end = position + 2;
    if (target >= segment || target < 12 || ++hops > MAX_HOPS) {
      throw new DnsMalformedError("a pointer of a name does not lead back");
    }
    position = segment = target;
    bound = message.byteLength;
  }
}

/** The key of a wire form. */
export function keyOf(wire: Uint8Array): string {
  let key = "";
  for (let at = 0; wire[at] !== 0; at += wire[at] + 1) {
    let label = "";
    for (let i = at + 1; i <= at + wire[at]; i++) {
      const byte = wire[i];
      if (byte > 1) label += String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);
      else label += byte === 0 ? "\x01\x01" : "\x01\x02";
    }
    key = `${label}\0${key}`;
  }
  return key;
}

/** The name that a key stands for, in lower case. */
export function nameOfKey(key: string): DnsName {
  // Each label is followed by a 0 there, and stands behind its length here.
  const wire = new Uint8Array(key.length + 1);
  let at = 0;
  for (let end = key.length - 1; end >= 0;) {
    const from = key.lastIndexOf("\0", end - 1) + 1;
    const length = at++;
    for (let i = from; i < end; i++) {
      const byte = key.charCodeAt(i);
      wire[at++] = byte === 1 ? key.charCodeAt(++i) - 1 : byte;
    }
    wire[length] = at - length - 1;
    end = from - 1;
  }
  return new Name(at === key.length ? wire : wire.slice(0, at + 1), key);
}

/** Whether two names are equal but for the case of letters. */
export function sameName(a: DnsName, b: DnsName): boolean {
  return a.key === b.key;
}

/** Whether a name is another or lies below it. */
export function isWithin(name: DnsName, zone: DnsName): boolean {
  return name.key.startsWith(zone.key);
}

/** The name above: without its first label. The root has none. */
export function parentOf({ wire }: DnsName): DnsName | undefined {
  return wire[0] === 0 ? undefined : new Name(wire.subarray(wire[0] + 1));
}

/** How many labels a name has, the root's none. */
export function labelsOf({ wire }: DnsName): number {
  let count = 0;
  for (let at = 0; wire[at] !== 0; at += wire[at] + 1) count++;
  return count;
}

/** `*` in place of all labels below a name. */
export function wildcardOf({ wire }: DnsName): DnsName {
  const name = new Uint8Array(wire.byteLength + 2);
  name.set([1, 0x2a]);
  name.set(wire, 2);
  return new Name(name);
}

/**
 * Reads a name that a person or a master file wrote (RFC 1035 §5.1): `\.` and the like, `\DDD`; other than ASCII by UTS 46.
 *
 * @param text `www`, or `www.home.example.`
 * @param origin What it is relative to unless it ends in a dot; default: nothing.
 * @throws {DnsSyntaxError} It is none.
 */
export function parseName(text: string, origin: DnsName = ROOT): DnsName {
  if (text === "@") return origin;
  if (text === "") throw new DnsSyntaxError("a name is missing; the root is written as a dot");
  if (text === ".") return ROOT;
  return parsePlain(text, origin) ?? parseEscaped(text, origin);
}

/** Letters of ASCII alone, as nearly all names have; nothing for what {@linkcode parseEscaped} is to look at. */
function parsePlain(text: string, origin: DnsName): DnsName | undefined {
  if (text.length >= MAX_NAME) return undefined;
  const absolute = text.endsWith(".");
  const end = absolute ? text.length - 1 : text.length;
  const rest = absolute ? ROOT.wire : origin.wire;
  const wire = new Uint8Array(end + 1 + rest.byteLength);
  let label = 0;
  for (let i = 0; i <= end; i++) {
    const code = i === end ? 0x2e : text.charCodeAt(i);
    if (code === 0x5c || code < 0x21 || code > 0x7e) return undefined;
    if (code !== 0x2e) wire[i + 1] = code;
    else {
      const length = i - label;
      if (length === 0 || length > MAX_LABEL) return undefined;
      wire[label] = length;
      label = i + 1;
    }
  }
  if (wire.byteLength > MAX_NAME) return undefined;
  wire.set(rest, end + 1);
  return new Name(wire);
}

function parseEscaped(text: string, origin: DnsName): DnsName {
  const labels: number[][] = [[]];
  let absolute = false;
  for (const part of asciiOf(text).matchAll(/\\(\d{3})|\\(.)|(\.)|([^\\])/gsu)) {
    const [, decimal, escaped, dot, plain] = part;
    if (dot) {
      labels.push([]);
      absolute = true;
      continue;
    }
    absolute = false;
    const byte = decimal !== undefined ? Number(decimal) : (escaped ?? plain).codePointAt(0)!;
    if (byte > 255) throw new DnsSyntaxError(`${JSON.stringify(text)}: a byte is written \\000 to \\255`);
    labels.at(-1)!.push(byte);
  }
  if (text.endsWith("\\") && !text.endsWith("\\\\")) throw new DnsSyntaxError(`${JSON.stringify(text)} ends in a \\`);
  if (absolute) labels.pop();
  const wire: number[] = [];
  for (const label of labels) {
    if (label.length === 0) throw new DnsSyntaxError(`${JSON.stringify(text)} has an empty label`);
    if (label.length > MAX_LABEL) throw new DnsSyntaxError(`${JSON.stringify(text)} has a label above 63 bytes`);
    wire.push(label.length, ...label);
  }
  if (absolute) wire.push(0);
  else wire.push(...origin.wire);
  if (wire.length > MAX_NAME) throw new DnsSyntaxError(`${JSON.stringify(text)} is longer than 255 bytes`);
  return new Name(Uint8Array.from(wire));
}

function asciiOf(text: string): string {
  // deno-lint-ignore no-control-regex
  if (/^[\x00-\x7f]*$/.test(text)) return text;
  const ascii = domainToASCII(text);
  if (ascii === "") throw new DnsSyntaxError(`${JSON.stringify(text)} is no name that domains can have`);
  return ascii;
}

/** A name as master files have it: absolute, with escapes. */
export function formatName({ wire }: DnsName): string {
  if (wire[0] === 0) return ".";
  let text = "";
  for (let at = 0; wire[at] !== 0; at += wire[at] + 1) {
    for (let i = at + 1; i <= at + wire[at]; i++) {
      const byte = wire[i];
      if (byte === 0x2e || byte === 0x5c || byte === 0x22) text += `\\${String.fromCharCode(byte)}`;
      else if (byte > 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
      else text += `\\${String(byte).padStart(3, "0")}`;
    }
    text += ".";
  }
  return text;
}
