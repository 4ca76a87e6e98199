/**
 * JSON (RFC 8259) whose faults are located without repeating what surrounds them: it may be a secret, and the runtime's
 * own messages quote it.
 *
 * @module
 */

/** Where a text stops being JSON. Lines and columns count from 1. */
export interface JsonFault {
  /** Line. */
  readonly line: number;
  /** Column, in UTF-16 units. */
  readonly column: number;
  /** What would have been right there. */
  readonly expected: string;
}

/** Levels of arrays and objects; beyond it a text is refused. */
const MAX_DEPTH = 64;
const SPACE = /[ \t\n\r]*/y;
// deno-lint-ignore no-control-regex
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)/y;

/** Finds where a text stops being JSON; nothing if it does not. */
export function jsonFault(text: string): JsonFault | undefined {
  const scanner = new Scanner(text);
  const expected = scanner.document();
  if (expected === undefined) return;
  const before = text.slice(0, scanner.at).split("\n");
  return { line: before.length, column: before.at(-1)!.length + 1, expected };
}

/** Each method returns what was expected where it got stuck, or nothing. */
class Scanner {
  at = 0;
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  document(): string | undefined {
    const expected = this.#value(0);
    if (expected) return expected;
    return this.at < this.#text.length ? "the end of the file" : undefined;
  }

  #value(depth: number): string | undefined {
    this.#take(SPACE);
    if (depth > MAX_DEPTH) return `at most ${MAX_DEPTH} levels`;
    const next = this.#text[this.at];
    const expected = next === "{"
      ? this.#list("}", () => this.#member(depth))
      : next === "["
      ? this.#list("]", () => this.#value(depth + 1))
      : this.#take(STRING) || this.#take(SCALAR)
      ? undefined
      : next === '"'
      ? "a string that ends on its line"
      : "a value";
    if (!expected) this.#take(SPACE);
    return expected;
  }

  #list(end: string, item: () => string | undefined): string | undefined {
    this.at++;
    this.#take(SPACE);
    if (this.#text[this.at] === end) {
      this.at++;
      return;
    }
    while (true) {
      const expected = item();
      if (expected) return expected;
      const next = this.#text[this.at];
      if (next !== "," && next !== end) return `"," or "${end}"`;
      this.at++;
      if (next === end) return;
    }
  }

  #member(depth: number): string | undefined {
    this.#take(SPACE);
    if (!this.#take(STRING)) return "a field name in double quotes";
    this.#take(SPACE);
    if (this.#text[this.at] !== ":") return '":"';
    this.at++;
    return this.#value(depth + 1);
  }

  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.at;
    if (!pattern.test(this.#text)) return false;
    this.at = pattern.lastIndex;
    return true;
  }
}
