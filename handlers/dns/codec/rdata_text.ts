/**
 * The data of records as text, both ways (RFC 1035 §5.1, RFC 3597 §5).
 *
 * Types with a form of their own are A, AAAA, NS, CNAME, PTR, MX, TXT, SRV and SOA; all others are written
 * `\# LENGTH HEX`, which every type may be.
 *
 * @module
 */
import { formatIp, parseIp } from "@alknet/core/handler";
import { Buffer } from "node:buffer";
import { parseDuration } from "./duration.ts";
import { DnsSyntaxError } from "./errors.ts";
import { formatType } from "./mnemonics.ts";
import { type DnsName, formatName, nameOf, parseName } from "./name.ts";
import { Type } from "./types.ts";

/** A word of a record's data; a quoted one may be empty and have blanks. */
export interface Word {
  /** Its text; `\` and `\DDD` still stand. */
  readonly text: string;
  /** Whether it was in quotes. */
  readonly quoted: boolean;
}

interface Form {
  readonly words: string;
  parse(words: readonly Word[], origin: DnsName): Uint8Array;
  format(data: Uint8Array): string;
}

const nameForm: Form = {
  words: "a name",
  parse: ([name], origin) => parseName(name.text, origin).wire,
  format: (data) => formatName(nameOf(data)),
};

const FORMS: ReadonlyMap<number, Form> = new Map<number, Form>([
  [Type.A, {
    words: "an IPv4 address",
    parse([{ text }]) {
      const { bytes } = parseIp(text) ?? {};
      if (bytes?.byteLength !== 4) throw new DnsSyntaxError(`${JSON.stringify(text)} is no IPv4 address`);
      return bytes;
    },
    format: (data) => formatIp({ bytes: data.slice() }),
  }],
  [Type.AAAA, {
    words: "an IPv6 address",
    parse([{ text }]) {
      const { bytes, zone } = parseIp(text) ?? {};
      if (bytes?.byteLength !== 16 || zone !== undefined) {
        throw new DnsSyntaxError(`${JSON.stringify(text)} is no IPv6 address`);
      }
      return bytes;
    },
    format: (data) => formatIp({ bytes: data.slice() }),
  }],
  [Type.NS, nameForm],
  [Type.CNAME, nameForm],
  [Type.PTR, nameForm],
  [Type.MX, {
    words: "a preference and a name",
    parse: ([preference, name], origin) => bytesOf(u16(preference), parseName(name.text, origin).wire),
    format: (data) => `${data[0] << 8 | data[1]} ${formatName(nameOf(data.subarray(2)))}`,
  }],
  [Type.SRV, {
    words: "priority, weight, port and a name",
    parse: ([priority, weight, port, name], origin) =>
      bytesOf(u16(priority), u16(weight), u16(port), parseName(name.text, origin).wire),
    format(data) {
      const numbers = [0, 2, 4].map((at) => data[at] << 8 | data[at + 1]);
      return `${numbers.join(" ")} ${formatName(nameOf(data.subarray(6)))}`;
    },
  }],
  [Type.TXT, {
    words: "one text or more",
    parse: (words) => bytesOf(...words.map(characterString)),
    format(data) {
      const texts: string[] = [];
      for (let at = 0; at < data.byteLength; at += 1 + data[at]) {
        texts.push(quoted(data.subarray(at + 1, at + 1 + data[at])));
      }
      return texts.join(" ");
    },
  }],
  [Type.SOA, {
    words: "two names, a serial and four times",
    parse([server, mail, serial, ...times], origin) {
      const numbers = [u32(serial), ...times.map(({ text }) => parseDuration(text))];
      const fixed = new DataView(new ArrayBuffer(20));
      numbers.forEach((number, n) => fixed.setUint32(4 * n, number));
      return bytesOf(
        parseName(server.text, origin).wire,
        parseName(mail.text, origin).wire,
        new Uint8Array(fixed.buffer),
      );
    },
    format(data) {
      const { server, mail, numbers } = soaParts(data);
      return [formatName(server), formatName(mail), ...numbers].join(" ");
    },
  }],
]);
/** How many words each form has; TXT has as many as it likes. */
const COUNTS: ReadonlyMap<number, number> = new Map([[Type.MX, 2], [Type.SRV, 4], [Type.SOA, 7], [Type.TXT, -1]]);

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
  return form
    ? form.format(data)
    : `\\# ${data.byteLength}${data.byteLength > 0 ? ` ${Buffer.from(data).toString("hex")}` : ""}`;
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
  const count = COUNTS.get(type) ?? 1;
  if (count < 0 ? words.length === 0 : words.length !== count) {
    throw new DnsSyntaxError(`${formatType(type)} has ${form.words}, not ${words.length} words`);
  }
  return form.parse(words, origin);
}

/** Words out of a text: blanks part them, quotes keep them together. */
export function wordsOf(text: string): Word[] {
  const words: Word[] = [];
  const pattern = /\s*(?:"((?:[^"\\]|\\.)*)"(?=\s|$)|((?:[^\s"\\]|\\.)+)(?=\s|$))/gsuy;
  let at = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    words.push(match[1] !== undefined ? { text: match[1], quoted: true } : { text: match[2], quoted: false });
    at = pattern.lastIndex;
  }
  if (text.slice(at).trim() !== "") {
    throw new DnsSyntaxError(`${JSON.stringify(text.slice(at).trim())} is cut off, or has a quote in it`);
  }
  return words;
}

function parseUnknown(type: number, [length, ...hex]: readonly Word[]): Uint8Array {
  const digits = hex.map(({ text }) => text).join("");
  if (!/^\d{1,5}$/.test(length?.text ?? "") || !/^(?:[0-9a-f]{2})*$/i.test(digits)) {
    throw new DnsSyntaxError(`${formatType(type)}: \\# is followed by a length and hexadecimal digits`);
  }
  const data = new Uint8Array(Buffer.from(digits, "hex"));
  if (data.byteLength !== Number(length.text)) {
    throw new DnsSyntaxError(`${formatType(type)}: \\# says ${length.text} bytes, and ${data.byteLength} follow`);
  }
  const form = FORMS.get(type);
  // What we have a form for has to be what it says.
  if (form) {
    try {
      const again = form.parse(wordsOf(form.format(data)), nameOf(Uint8Array.of(0)));
      if (Buffer.compare(again, data) === 0) return data;
    } catch { /* told below */ }
    throw new DnsSyntaxError(`${formatType(type)}: these bytes are none`);
  }
  return data;
}

function characterString({ text }: Word): Uint8Array {
  const bytes: number[] = [];
  for (const [, decimal, escaped, plain] of text.matchAll(/\\(\d{3})|\\(.)|([^\\]+)/gsu)) {
    if (decimal !== undefined) {
      if (Number(decimal) > 255) throw new DnsSyntaxError(`\\${decimal} is no byte; \\000 to \\255 are`);
      bytes.push(Number(decimal));
    } else bytes.push(...new TextEncoder().encode(escaped ?? plain));
  }
  if (bytes.length > 255) throw new DnsSyntaxError(`a text has 255 bytes at most, this one ${bytes.length}; part it`);
  return Uint8Array.of(bytes.length, ...bytes);
}

function quoted(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) {
    if (byte === 0x22 || byte === 0x5c) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 0x20 && byte < 0x7f) text += String.fromCharCode(byte);
    else text += `\\${String(byte).padStart(3, "0")}`;
  }
  return `"${text}"`;
}

function u16({ text }: Word): Uint8Array {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 0xffff) {
    throw new DnsSyntaxError(`${JSON.stringify(text)} is no number to 65535`);
  }
  return Uint8Array.of(Number(text) >>> 8, Number(text) & 0xff);
}

function u32({ text }: Word): number {
  if (!/^\d{1,10}$/.test(text) || Number(text) > 0xffff_ffff) {
    throw new DnsSyntaxError(`${JSON.stringify(text)} is no serial`);
  }
  return Number(text);
}

function bytesOf(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function endOfName(data: Uint8Array, at: number): number {
  while (data[at] !== 0) at += data[at] + 1;
  return at + 1;
}
