/**
 * Command lines as words, the way a POSIX shell splits them (XCU §2.2, §2.3), for programs that no shell starts.
 *
 * Nothing is expanded and nothing but words is understood: a line that a shell would do more with than to split it, such
 * as one with a variable, a pattern or a second command, has no words here.
 *
 * @module
 */

/** What means something to a shell where it stands by itself: operators, expansions, patterns. */
const SPECIAL: ReadonlySet<string> = new Set("|&;<>()$`*?[\n");
/** The same at the beginning of a word: a comment, a home folder. */
const SPECIAL_FIRST: ReadonlySet<string> = new Set("#~");
/** What a backslash takes its meaning from within double quotes (XCU §2.2.3). */
const ESCAPED_IN_QUOTES: ReadonlySet<string> = new Set('$`"\\');
/** A variable of the command: `NAME=value` before its name. */
const ASSIGNMENT = /^[A-Za-z_][A-Za-z0-9_]*=/;

/** Splits a line; nothing if it cannot be: a quote without its end, or what needs a shell. */
export function wordsOf(line: string): readonly string[] | undefined {
  // No argument of a program has this character.
  if (line.includes("\0")) return;
  const words: string[] = [];
  let word: string | undefined;
  let at = 0;
  while (at < line.length) {
    const char = line[at++];
    if (char === " " || char === "\t") {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === "'") {
      const end = line.indexOf("'", at);
      if (end < 0) return;
      word = (word ?? "") + line.slice(at, end);
      at = end + 1;
    } else if (char === '"') {
      const quoted = quotedAt(line, at);
      if (!quoted) return;
      word = (word ?? "") + quoted.text;
      at = quoted.end;
    } else if (char === "\\") {
      if (at === line.length) return;
      const next = line[at++];
      // A line that goes on after its end.
      if (next !== "\n") word = (word ?? "") + next;
    } else if (SPECIAL.has(char) || (word === undefined && SPECIAL_FIRST.has(char))) return;
    else {
      const begun = at - 1;
      while (at < line.length && isPlain(line[at])) at++;
      const part = line.slice(begun, at);
      if (words.length === 0 && word === undefined && ASSIGNMENT.test(part)) return;
      word = (word ?? "") + part;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

function isPlain(char: string): boolean {
  return char !== " " && char !== "\t" && char !== "'" && char !== '"' && char !== "\\" && !SPECIAL.has(char);
}

/** What stands in double quotes from `at` on, and where what follows begins; nothing if a shell would expand it. */
function quotedAt(line: string, at: number): { readonly text: string; readonly end: number } | undefined {
  let text = "";
  while (at < line.length) {
    const char = line[at++];
    if (char === '"') return { text, end: at };
    if (char === "$" || char === "`") return;
    if (char !== "\\") text += char;
    else {
      const next = line[at++];
      if (ESCAPED_IN_QUOTES.has(next)) text += next;
      else if (next !== "\n") text += `\\${next}`;
    }
  }
}
