/**
 * A scanner of JSON that sees every member of every object, as the format asks: `JSON.parse` hides duplicate keys, rounds
 * integers above 2^53 and lets `1.0` pass as an integer (tensor.md §3.1).
 *
 * @module
 */
import { shown, TensorError } from "./errors.ts";
import { MAX_DEPTH } from "./limits.ts";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ZERO = 0x30;
const NINE = 0x39;
const POINT = 0x2e;
/** So many digits are below 2^53. */
const SAFE_DIGITS = 15;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const PLAIN = /^(?:0|[1-9][0-9]*)$/;
const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** A value of JSON. Objects have no prototype, so that no name of theirs means anything. */
export type Json = null | boolean | number | string | Json[] | JsonObject;
/** An object of JSON, its members in the order of the text. */
export interface JsonObject {
  /** Its members. */
  [name: string]: Json;
}

/** Whether a value is an object of JSON. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a number is spelled as headers must spell it: no sign, fraction, exponent or leading zero. */
export function isPlain(spelling: string): boolean {
  return PLAIN.test(spelling);
}

/** Reads a text from its beginning to its end. */
export class Scanner {
  readonly #text: string;
  readonly #onDuplicate: (key: string) => void;
  #at = 0;

  /**
   * @param text The text.
   * @param onDuplicate Told of a key that its object had already. It may throw, or note it and let the scan go on.
   */
  constructor(text: string, onDuplicate: (key: string) => void) {
    this.#text = text;
    this.#onDuplicate = onDuplicate;
  }

  /** Where it is, in UTF-16 units. */
  get at(): number {
    return this.#at;
  }

  /** The next character, white space passed over; empty at the end. */
  peek(): string {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) {
        break;
      }
      this.#at++;
    }
    return this.#text.charAt(this.#at);
  }

  /** Takes the character if it is the next. */
  take(character: string): boolean {
    if (this.peek() !== character) return false;
    this.#at++;
    return true;
  }

  /** Takes the character, which must be the next. */
  expect(character: string): void {
    if (!this.take(character)) throw this.#unexpected(`expected ${character}`);
  }

  /** Nothing but white space may follow. */
  end(): void {
    if (this.peek() !== "") throw this.#unexpected("expected the end");
  }

  /** Visits the members of an object whose brace was taken: `visit` gets the key and must take the value. */
  members(
    visit: (key: string) => void,
    keys: { has(key: string): boolean; add(key: string): unknown },
  ): void {
    if (this.take("}")) return;
    do {
      if (this.peek() !== '"') throw this.#unexpected("expected a key");
      const key = this.string();
      this.expect(":");
      if (keys.has(key)) this.#onDuplicate(key);
      keys.add(key);
      visit(key);
    } while (this.take(","));
    this.expect("}");
  }

  /** Visits the elements of an array whose bracket was taken: `visit` must take each. */
  elements(visit: () => void): void {
    if (this.take("]")) return;
    do visit(); while (this.take(","));
    this.expect("]");
  }

  /** Takes a string, its escapes decoded. */
  string(): string {
    this.expect('"');
    const text = this.#text;
    const start = this.#at;
    for (let at = start;; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        this.#at = at + 1;
        return text.slice(start, at);
      }
      if (code === BACKSLASH) {
        this.#at = at;
        return this.#escaped(text.slice(start, at));
      }
      if (!(code >= 0x20)) {
        this.#at = at;
        throw this.#unexpected(
          "a string holds no control character and ends in a quote",
        );
      }
    }
  }

  /** Takes an integer that is spelled plainly and has few digits, as nearly all have; else takes nothing. */
  integer(): number | undefined {
    this.peek();
    const text = this.#text;
    const start = this.#at;
    let value = 0;
    for (let at = start;; at++) {
      const code = text.charCodeAt(at);
      if (code >= ZERO && code <= NINE) {
        value = value * 10 + code - ZERO;
        continue;
      }
      const digits = at - start;
      if (digits === 0 || digits > SAFE_DIGITS || code === POINT || code === 0x65 || code === 0x45) return undefined;
      if (digits > 1 && text.charCodeAt(start) === ZERO) return undefined;
      this.#at = at;
      return value;
    }
  }

  /** Takes a number and gives its spelling. */
  number(): string {
    this.peek();
    NUMBER.lastIndex = this.#at;
    const spelling = NUMBER.exec(this.#text)?.[0];
    if (spelling === undefined) throw this.#unexpected("expected a value");
    this.#at += spelling.length;
    return spelling;
  }

  /**
   * Takes any value.
   *
   * @param depth Depth of the value itself, from 1.
   * @param build Whether it is wanted; else it is only checked, and nothing is made of it.
   */
  value(depth: number, build: boolean): Json {
    const next = this.peek();
    if (next === '"') return this.string();
    if (next === "{" || next === "[") {
      if (depth > MAX_DEPTH) {
        throw new TensorError(
          "E_LIMIT",
          `JSON nests deeper than ${MAX_DEPTH} at character ${this.#at}`,
        );
      }
      this.#at++;
      return next === "{" ? this.#object(depth, build) : this.#array(depth, build);
    }
    if (this.#word("true")) return true;
    if (this.#word("false")) return false;
    if (this.#word("null")) return null;
    return Number(this.number());
  }

  #object(depth: number, build: boolean): JsonObject {
    const object: JsonObject = Object.create(null);
    this.members((key) => {
      const value = this.value(depth + 1, build);
      if (build) object[key] = value;
    }, new Set());
    return object;
  }

  #array(depth: number, build: boolean): Json[] {
    const array: Json[] = [];
    this.elements(() => {
      const value = this.value(depth + 1, build);
      if (build) array.push(value);
    });
    return array;
  }

  #word(word: string): boolean {
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  /** The rest of a string from its first escape on. */
  #escaped(before: string): string {
    const text = this.#text;
    const parts = [before];
    for (let start = this.#at;; this.#at++) {
      const code = text.charCodeAt(this.#at);
      if (code === QUOTE || code === BACKSLASH) {
        parts.push(text.slice(start, this.#at));
      }
      if (code === QUOTE) {
        this.#at++;
        return parts.join("");
      }
      if (code === BACKSLASH) {
        parts.push(this.#escape());
        start = this.#at + 1;
      } else if (!(code >= 0x20)) {
        throw this.#unexpected(
          "a string holds no control character and ends in a quote",
        );
      }
    }
  }

  /** One escape, or a pair of them; leaves off at its last character. */
  #escape(): string {
    const letter = this.#text.charAt(++this.#at);
    if (letter !== "u") {
      if (!Object.hasOwn(ESCAPES, letter)) {
        throw this.#unexpected("no such escape");
      }
      return ESCAPES[letter];
    }
    const unit = this.#unit();
    if (unit < 0xd800 || unit > 0xdfff) return String.fromCharCode(unit);
    if (unit < 0xdc00 && this.#text.startsWith("\\u", this.#at + 1)) {
      this.#at += 2;
      const low = this.#unit();
      if (low >= 0xdc00 && low <= 0xdfff) return String.fromCharCode(unit, low);
    }
    throw this.#unexpected("a surrogate stands alone");
  }

  #unit(): number {
    const digits = this.#text.slice(this.#at + 1, this.#at + 5);
    if (!/^[0-9a-fA-F]{4}$/.test(digits)) {
      throw this.#unexpected("an escape has four digits");
    }
    this.#at += 4;
    return parseInt(digits, 16);
  }

  #unexpected(wanted: string): TensorError {
    const found = this.#text.charAt(this.#at);
    const what = found === "" ? "the end" : shown(found);
    return new TensorError(
      "E_JSON",
      `not JSON at character ${this.#at}: found ${what}, ${wanted}`,
    );
  }
}
