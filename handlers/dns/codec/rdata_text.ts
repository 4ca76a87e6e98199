/**
 * The data of records as text, both ways (RFC 1035 §5.1, RFC 3597 §5).
 *
 * What no type has a form for, and what its own form cannot say, is written `\# LENGTH HEX`, which every type may be.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { DnsSyntaxError } from "./errors.ts";
import { formatType } from "./mnemonics.ts";
import { type DnsName, nameOf, ROOT } from "./name.ts";
import { type Field, FieldReader, joined } from "./text/fields.ts";
import { FORMS } from "./text/forms.ts";
import { checkedAlias } from "./text/svcb.ts";
import { type Word, wordsOf } from "./text/words.ts";
import { Type } from "./types.ts";

export { type Word, wordsOf };

/** The parts of a SOA. */
export interface Soa {
  /** The first name server. */
  readonly server: DnsName;
  /** Who is responsible, as a name. */
  readonly mail: DnsName;
  /** Serial, then refresh, retry, expire and minimum in seconds. */
  readonly numbers: readonly number[];
}

/** The parts of a SOA's data. */
export function soaParts(data: Uint8Array): Soa {
  const first = endOfName(data, 0);
  const second = endOfName(data, first);
  const view = new DataView(data.buffer, data.byteOffset + second, 20);
  return {
    server: nameOf(data.subarray(0, first)),
    mail: nameOf(data.subarray(first, second)),
    numbers: [0, 4, 8, 12, 16].map((at) => view.getUint32(at)),
  };
}

/** The data of a SOA with another serial. */
export function withSerial(data: Uint8Array, serial: number): Uint8Array {
  const changed = data.slice();
  new DataView(changed.buffer).setUint32(data.byteLength - 20, serial);
  return changed;
}

/** The data of a record as master files have it. */
export function formatRdata(type: number, data: Uint8Array): string {
  const form = FORMS.get(type);
  try {
    if (form) return formatFields(form, data);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return `\\# ${data.byteLength}${data.byteLength > 0 ? ` ${Buffer.from(data).toString("hex")}` : ""}`;
}

function formatFields(form: readonly Field[], data: Uint8Array): string {
  const reader = new FieldReader(data);
  const texts = form.map((field) => field.format(reader)).filter((text) => text !== "");
  if (reader.left > 0) throw new RangeError("bytes follow the data");
  return texts.join(" ");
}

/**
 * The data of a record from its words.
 *
 * @param origin What names are relative to.
 * @throws {DnsSyntaxError} They are not what the type has.
 */
export function parseRdata(type: number, words: readonly Word[], origin: DnsName): Uint8Array {
  if (words[0]?.text === "\\#" && !words[0].quoted) return parseUnknown(type, words.slice(1));
  const form = FORMS.get(type);
  if (!form) {
    throw new DnsSyntaxError(`${formatType(type)} has no form of its own here; write \\# LENGTH HEX (RFC 3597)`);
  }
  return parseFields(type, form, words, origin);
}

function parseFields(type: number, form: readonly Field[], words: readonly Word[], origin: DnsName): Uint8Array {
  const last = form[form.length - 1].count;
  const least = last === "any" ? form.length - 1 : form.length;
  if (words.length < least || last === 1 && words.length > least) {
    const wanted = form.map((field) => field.words).join(", ");
    throw new DnsSyntaxError(`${formatType(type)} has ${wanted}; not ${words.length} words`);
  }
  const parts = form.map(({ count, parse }, n) => parse(count === 1 ? [words[n]] : words.slice(n), origin));
  const data = parts.length === 1 ? parts[0] : joined(parts);
  const isService = type === Type.SVCB || type === Type.HTTPS;
  return isService ? checkedAlias(data, words.length > least) : data;
}

function parseUnknown(type: number, [length, ...hex]: readonly Word[]): Uint8Array {
  const digits = hex.map(({ text }) => text).join("");
  if (!/^\d{1,5}$/.test(length?.text ?? "") || !/^(?:[0-9a-f]{2})*$/i.test(digits)) {
    throw new DnsSyntaxError(`${formatType(type)}: \\# is followed by a length and hexadecimal digits`);
  }
  const data = new Uint8Array(Buffer.from(digits, "hex"));
  if (data.byteLength !== Number(length.text) || data.byteLength > 65_535) {
    throw new DnsSyntaxError(`${formatType(type)}: \\# says ${length.text} bytes, and ${data.byteLength} follow`);
  }
  const form = FORMS.get(type);
  // What we have a form for has to be what it says.
  if (form) {
    try {
      const again = parseFields(type, form, wordsOf(formatFields(form, data)), ROOT);
      if (Buffer.compare(again, data) === 0) return data;
    } catch { /* told below */ }
    throw new DnsSyntaxError(`${formatType(type)}: these bytes are none`);
  }
  return data;
}

function endOfName(data: Uint8Array, at: number): number {
  while (data[at] !== 0) at += data[at] + 1;
  return at + 1;
}
