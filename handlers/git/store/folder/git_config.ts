/**
 * A repository's own `config` (git-config, "Syntax"): no includes.
 *
 * @module
 */
import { corrupt } from "../../errors.ts";

/** Values by key. */
export class GitConfig {
  readonly #values = new Map<string, string[]>();

  /**
   * Reads a file's text.
   *
   * @throws {AlknetError} `GIT_CORRUPT`: a line is neither a section nor a key.
   */
  constructor(text: string) {
    let section = "";
    // A line that ends in a backslash goes on in the next.
    const lines = text.replaceAll("\r\n", "\n").replaceAll("\\\n", "").split("\n");
    for (const [number, line] of lines.entries()) {
      let rest = line.trim();
      const head = /^\[\s*([A-Za-z0-9.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]/.exec(rest);
      if (head) {
        const sub = head[2] === undefined ? "" : `.${head[2].replaceAll(/\\(.)/g, "$1")}`;
        section = `${head[1].toLowerCase()}${sub}`;
        rest = rest.slice(head[0].length).trim();
      }
      if (rest === "" || rest.startsWith("#") || rest.startsWith(";")) continue;
      const [, key, value] = /^([A-Za-z][A-Za-z0-9-]*)\s*(?:=\s*(.*))?$/s.exec(rest) ?? [];
      if (key === undefined || section === "") throw corrupt(`a repository's config has no key in line ${number + 1}`);
      const name = `${section}.${key.toLowerCase()}`;
      const held = this.#values.get(name) ?? [];
      held.push(value === undefined ? "true" : unquoted(value));
      this.#values.set(name, held);
    }
  }

  /** The last value of a key such as `core.bare`; section and key in lower case. */
  get(key: string): string | undefined {
    return this.#values.get(key)?.at(-1);
  }

  /** All values of a key, in order. */
  all(key: string): readonly string[] {
    return this.#values.get(key) ?? [];
  }

  /** Whether a key is set to what git takes for true. */
  is(key: string): boolean {
    return /^(?:true|yes|on|[1-9][0-9]*)$/i.test(this.get(key) ?? "");
  }

  /** All keys and their values, in no order across keys. */
  *entries(): Generator<[key: string, value: string]> {
    for (const [key, values] of this.#values) for (const value of values) yield [key, value];
  }

  /** Keys that begin with a section. */
  keysOf(section: string): string[] {
    return [...this.#values.keys()].filter((key) => key.startsWith(`${section}.`));
  }
}

/** Text as the value of a key, in quotes. */
export function quotedValue(text: string): string {
  return `"${text.replaceAll(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t")}"`;
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", b: "\b" };

function unquoted(value: string): string {
  let text = "";
  let quoted = false;
  // Spaces outside of quotes at the end do not count.
  let kept = 0;
  for (let i = 0; i < value.length; i++) {
    const c = value[i];
    if (c === "\\") text += ESCAPES[value[++i]] ?? value[i] ?? "";
    else if (c === '"') quoted = !quoted;
    else if (!quoted && (c === "#" || c === ";")) break;
    else text += c;
    if (quoted || !/\s/.test(c)) kept = text.length;
  }
  return text.slice(0, kept);
}
