/**
 * Fields of which the data of records is made, each with its text, both ways.
 *
 * @module
 */
import { formatIp, parseIp } from "@alknet/core/handler";
import { Buffer } from "node:buffer";
import { parseDuration } from "../duration.ts";
import { DnsSyntaxError } from "../errors.ts";
import { formatType, parseType } from "../mnemonics.ts";
import { type DnsName, formatName, nameOf, parseName } from "../name.ts";
import { bytesOfText, quoted, type Word } from "./words.ts";

/** Data of a record that is read field by field. */
export class FieldReader {
  readonly #data: Uint8Array;
  #at = 0;

  /** @param data The data. */
  constructor(data: Uint8Array) {
    this.#data = data;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#data.byteLength - this.#at;
  }

  /**
   * The next bytes.
   *
   * @throws {RangeError} There are not so many.
   */
  take(count: number): Uint8Array {
    if (count > this.left) throw new RangeError("data is cut off");
    return this.#data.subarray(this.#at, this.#at += count);
  }

  /** The next number of so many bytes. Throws as {@linkcode take} does. */
  number(bytes: number): number {
    return this.take(bytes).reduce((sum, byte) => sum * 256 + byte, 0);
  }

  /** The next bytes behind a length of one. Throws as {@linkcode take} does. */
  counted(): Uint8Array {
    return this.take(this.number(1));
  }

  /** The next name, which is not compressed. Throws as {@linkcode take} does. */
  name(): DnsName {
    const from = this.#at;
    for (let length = this.number(1); length > 0; length = this.number(1)) {
      if (length > 63) throw new RangeError("a name is compressed");
      this.take(length);
    }
    if (this.#at - from > 255) throw new RangeError("a name is too long");
    return nameOf(this.#data.subarray(from, this.#at));
  }
}

/** A field. */
export interface Field {
  /** What it is, for people. */
  readonly words: string;
  /** How many words it has; `rest` has one or more, all that are left; `any` may have none. */
  readonly count: 1 | "rest" | "any";
  /**
   * Its bytes.
   *
   * @throws {DnsSyntaxError} The words are none of it.
   */
  parse(words: readonly Word[], origin: DnsName): Uint8Array;
  /**
   * Its text.
   *
   * @throws {RangeError} The data has none.
   */
  format(data: FieldReader): string;
}

/** A number of so many bytes. */
export function number(words: string, bytes: 1 | 2 | 4): Field {
  const most = 256 ** bytes - 1;
  return {
    words,
    count: 1,
    parse([{ text }]) {
      if (!/^\d{1,10}$/.test(text) || Number(text) > most) {
        throw new DnsSyntaxError(`${JSON.stringify(text)} is no ${words}: a number to ${most}`);
      }
      return bigEndian(Number(text), bytes);
    },
    format: (data) => String(data.number(bytes)),
  };
}

/** A number of one byte that has names too. */
export function mnemonic(words: string, names: Readonly<Record<string, number>>): Field {
  const plain = number(words, 1);
  return {
    ...plain,
    parse([word], origin) {
      const known = Object.hasOwn(names, word.text.toUpperCase()) ? names[word.text.toUpperCase()] : undefined;
      return known === undefined ? plain.parse([word], origin) : Uint8Array.of(known);
    },
  };
}

/** Seconds, or a time with units. */
export const duration: Field = {
  words: "time",
  count: 1,
  parse: ([{ text }]) => bigEndian(parseDuration(text), 4),
  format: (data) => String(data.number(4)),
};

/** A moment, as RRSIG has it (RFC 4034 §3.2). */
export const moment: Field = {
  words: "moment",
  count: 1,
  parse([{ text }]) {
    const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text) ?? [];
    const seconds = year === undefined && /^\d{1,10}$/.test(text)
      ? Number(text)
      : Date.UTC(+year, +month - 1, +day, +hour, +minute, +second) / 1000;
    if (!(seconds >= 0 && seconds < 2 ** 32)) {
      throw new DnsSyntaxError(`${JSON.stringify(text)} is no moment; write YYYYMMDDHHmmSS`);
    }
    return bigEndian(seconds, 4);
  },
  format: (data) => new Date(data.number(4) * 1000).toISOString().replace(/\.\d+Z|\D/g, ""),
};

/** A name. */
export const name: Field = {
  words: "name",
  count: 1,
  parse: ([{ text }], origin) => parseName(text, origin).wire,
  format: (data) => formatName(data.name()),
};

/** A type by its name. */
export const type: Field = {
  words: "type",
  count: 1,
  parse: ([{ text }]) => bigEndian(parseType(text), 2),
  format: (data) => formatType(data.number(2)),
};

/** An address of so many bytes. */
export function address(words: string, bytes: 4 | 16): Field {
  return {
    words,
    count: 1,
    parse([{ text }]) {
      const { bytes: found, zone } = parseIp(text) ?? {};
      if (found?.byteLength !== bytes || zone !== undefined) {
        throw new DnsSyntaxError(`${JSON.stringify(text)} is no ${words}`);
      }
      return found;
    },
    format: (data) => formatIp({ bytes: data.take(bytes).slice() }),
  };
}

/** A text of 255 bytes at most. */
export const text: Field = {
  words: "text",
  count: 1,
  parse: ([word]) => counted(bytesOfText(word.text)),
  format: (data) => quoted(data.counted()),
};

/** One text or more. */
export const texts: Field = {
  words: "one text or more",
  count: "rest",
  parse: (words) => joined(words.map((word) => counted(bytesOfText(word.text)))),
  format(data) {
    const found = [quoted(data.counted())];
    while (data.left > 0) found.push(quoted(data.counted()));
    return found.join(" ");
  },
};

/** A word of letters and digits, behind its length (RFC 8659 §4.1). */
export const tag: Field = {
  words: "tag",
  count: 1,
  parse([{ text: word }]) {
    if (!/^[a-z0-9]{1,255}$/i.test(word)) {
      throw new DnsSyntaxError(`${JSON.stringify(word)} is no tag: letters and digits`);
    }
    return counted(new TextEncoder().encode(word));
  },
  format(data) {
    const word = String.fromCharCode(...data.counted());
    if (!/^[a-z0-9]+$/i.test(word)) throw new RangeError("no tag");
    return word;
  },
};

/** A text of any length, up to the end. */
export const longText: Field = {
  words: "text",
  count: 1,
  parse: ([word]) => bytesOfText(word.text),
  format: (data) => quoted(data.take(data.left)),
};

/** Bytes up to the end, as hexadecimal digits. */
export const hex: Field = {
  words: "hexadecimal digits",
  count: "rest",
  parse: (words) => encoded(words, "hex", /^(?:[0-9a-f]{2})+$/i, "hexadecimal digits"),
  format: (data) => atLeastOne(data).toString("hex"),
};

/** Bytes up to the end, as base64. */
export const base64: Field = {
  words: "base64",
  count: "rest",
  parse: (words) => encoded(words, "base64", /^(?=.)(?:[a-z0-9+/]{4})*(?:[a-z0-9+/]{2}==|[a-z0-9+/]{3}=)?$/i, "base64"),
  format: (data) => atLeastOne(data).toString("base64"),
};

/** The salt of NSEC3: hexadecimal digits, or a dash (RFC 5155 §3.3). */
export const salt: Field = {
  words: "salt",
  count: 1,
  parse: ([word]) =>
    word.text === "-"
      ? Uint8Array.of(0)
      : counted(encoded([word], "hex", /^(?:[0-9a-f]{2})+$/i, "salt: hexadecimal digits, or -")),
  format: (data) => Buffer.from(data.counted()).toString("hex") || "-",
};

const BASE32 = "0123456789abcdefghijklmnopqrstuv";

/** A hash behind its length, as base32 with extended digits, without padding (RFC 5155 §3.3). */
export const hash32: Field = {
  words: "hash in base32",
  count: 1,
  parse([{ text: word }]) {
    const digits = [...word.toLowerCase()].map((digit) => BASE32.indexOf(digit));
    const bits = digits.map((digit) => digit.toString(2).padStart(5, "0")).join("");
    const bytes = bits.slice(0, 8 * Math.floor(bits.length / 8)).match(/.{8}/g) ?? [];
    if (digits.includes(-1) || bytes.length === 0 || bits.slice(8 * bytes.length).includes("1")) {
      throw new DnsSyntaxError(`${JSON.stringify(word)} is no base32`);
    }
    return counted(Uint8Array.from(bytes, (byte) => parseInt(byte, 2)));
  },
  format(data) {
    const bits = [...data.counted()].map((byte) => byte.toString(2).padStart(8, "0")).join("");
    const digits = bits.match(/.{1,5}/g);
    if (!digits) throw new RangeError("no hash");
    return digits.map((digit) => BASE32[parseInt(digit.padEnd(5, "0"), 2)]).join("");
  },
};

/** Types that there are (RFC 4034 §4.1.2). */
export const bitmap: Field = {
  words: "types",
  count: "any",
  parse(words) {
    const windows = new Map<number, Uint8Array>();
    for (const number of words.map((word) => parseType(word.text)).sort((a, b) => a - b)) {
      const bits = windows.get(number >>> 8) ?? new Uint8Array(32);
      windows.set(number >>> 8, bits);
      bits[(number & 0xff) >>> 3] |= 0x80 >>> (number & 7);
    }
    return joined([...windows].flatMap(([window, bits]) => {
      const length = bits.findLastIndex((byte) => byte !== 0) + 1;
      return [Uint8Array.of(window, length), bits.subarray(0, length)];
    }));
  },
  format(data) {
    const found: string[] = [];
    for (let before = -1; data.left > 0;) {
      const window = data.number(1);
      const bits = data.counted();
      // What would not come back as it is has no text.
      if (window <= before || bits.length > 32 || !bits.at(-1)) throw new RangeError("no bitmap");
      before = window;
      for (let n = 0; n < 8 * bits.length; n++) {
        if (bits[n >>> 3] & 0x80 >>> (n & 7)) found.push(formatType(window << 8 | n));
      }
    }
    return found.join(" ");
  },
};

/** Bytes behind their length, which is one byte. */
export function counted(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength > 255) {
    throw new DnsSyntaxError(`a text has 255 bytes at most, this one ${bytes.byteLength}; part it`);
  }
  return Uint8Array.of(bytes.byteLength, ...bytes);
}

/** Pieces as one. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A number as so many bytes. */
export function bigEndian(value: number, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, n) => Math.floor(value / 256 ** (bytes - 1 - n)) % 256);
}

function encoded(words: readonly Word[], encoding: "hex" | "base64", pattern: RegExp, what: string): Uint8Array {
  const digits = words.map((word) => word.text).join("");
  if (!pattern.test(digits)) throw new DnsSyntaxError(`${JSON.stringify(digits.slice(0, 40))} is no ${what}`);
  return new Uint8Array(Buffer.from(digits, encoding));
}

function atLeastOne(data: FieldReader): Buffer {
  if (data.left === 0) throw new RangeError("data is cut off");
  return Buffer.from(data.take(data.left));
}
