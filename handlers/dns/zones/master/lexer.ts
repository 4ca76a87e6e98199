/**
 * Entries of master files (RFC 1035 §5.1): lines, but where parentheses go on over more of them, in words.
 *
 * @module
 */
import { plainWord, type Word } from "../../codec/text/words.ts";
import { MasterFileError } from "./errors.ts";

/** A word, and where it stands. */
export interface PlacedWord extends Word {
  /** Its line, from 1. */
  readonly line: number;
  /** Its first character, from 1. */
  readonly column: number;
}

/** An entry. */
export interface Entry {
  /** Whether a blank stands before the first word: its owner is that of the entry before. */
  readonly indented: boolean;
  /** One word at least. */
  readonly words: readonly PlacedWord[];
}

/** Characters of the longest entry: one of 65,535 bytes in hexadecimal digits, and its words around them. */
const MAX_ENTRY = 256 * 1024;
const TOKEN =
  /([^\S\n]+)|;.*|([()])|"((?:[^"\\]|\\.)*)"(?=[\s;()]|$)|((?!")(?:[^\s"\\;()]|\\.|"(?:[^"\\]|\\.)*")+)(?=[\s;()]|$)/suy;

/**
 * Entries out of a text that comes in pieces.
 *
 * @throws {MasterFileError} A quote or parenthesis is not closed, or an entry has more than 256 Ki characters.
 */
export function* entriesOf(pieces: Iterable<string>): Generator<Entry> {
  const lexer = new Lexer();
  for (const line of linesOf(pieces)) {
    const entry = lexer.take(line);
    if (entry) yield entry;
  }
  lexer.end();
}

/** What is between two line ends; the carriage return before one goes with it. */
function* linesOf(pieces: Iterable<string>): Generator<string> {
  let rest = "";
  let number = 1;
  for (const piece of pieces) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    number += lines.length;
    yield* lines;
    if (rest.length > MAX_ENTRY) throw tooLong(number);
  }
  if (rest !== "") yield rest;
}

class Lexer {
  #line = 0;
  #words: PlacedWord[] = [];
  #indented = false;
  #size = 0;
  /** Parentheses that are open, each where. */
  readonly #open: { readonly line: number; readonly column: number }[] = [];

  /** Takes a line; gives the entry that it ends, if there is any. */
  take(text: string): Entry | undefined {
    this.#line++;
    if (text.endsWith("\r")) text = text.slice(0, -1);
    if (this.#line === 1 && text.startsWith("\ufeff")) text = text.slice(1);
    this.#size += text.length;
    if (this.#size > MAX_ENTRY) throw tooLong(this.#line);
    if (this.#open.length === 0) this.#indented = /^\s/.test(text);
    this.#tokens(text);
    if (this.#open.length > 0) return undefined;
    const words = this.#words;
    this.#size = 0;
    if (words.length === 0) return undefined;
    this.#words = [];
    return { indented: this.#indented, words };
  }

  end(): void {
    const [open] = this.#open;
    if (open) throw new MasterFileError(open.line, open.column, "this parenthesis is not closed");
  }

  #tokens(text: string): void {
    TOKEN.lastIndex = 0;
    for (let at = 0; at < text.length; at = TOKEN.lastIndex) {
      const match = TOKEN.exec(text);
      if (!match) throw new MasterFileError(this.#line, at + 1, "a quote that is not closed, or one within a word");
      const [, , parenthesis, within, plain] = match;
      if (plain !== undefined) this.#words.push(this.#placed(plainWord(plain), at));
      else if (within !== undefined) this.#words.push(this.#placed({ text: within, quoted: true }, at));
      else if (parenthesis === "(") this.#open.push({ line: this.#line, column: at + 1 });
      else if (parenthesis === ")" && !this.#open.pop()) {
        throw new MasterFileError(this.#line, at + 1, "no parenthesis is open here");
      }
    }
  }

  #placed({ text, quoted }: Word, at: number): PlacedWord {
    return { text, quoted, line: this.#line, column: at + 1 };
  }
}

function tooLong(line: number): MasterFileError {
  return new MasterFileError(line, 1, "an entry has 256 Ki characters at most");
}
