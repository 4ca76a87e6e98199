/**
 * Command lines as words, beside a shell (ssh.md row 15).
 *
 * @module
 */
import assert from "node:assert/strict";
import { wordsOf } from "../../../../handlers/ssh/session/words.ts";
import { runProgram } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { seeded } from "../../../support/random.ts";

const NONE = undefined;
const LINES: readonly (readonly [what: string, line: string, words: readonly string[] | undefined])[] = [
  ["nothing", "", []],
  ["blanks", " \t ", []],
  ["words", "  git-upload-pack\t a  b ", ["git-upload-pack", "a", "b"]],
  ["single quotes", "git-upload-pack '/x y'", ["git-upload-pack", "/x y"]],
  ["single quotes around what means something", `a '$HOME \`id\` "; # \\'`, ["a", '$HOME `id` "; # \\']],
  ["a single quote as git writes it", `a 'it'\\''s'`, ["a", "it's"]],
  ["an exclamation mark as git writes it", `a 'b'\\!'c'`, ["a", "b!c"]],
  ["double quotes", 'a "b  c"', ["a", "b  c"]],
  ["escapes in double quotes", 'a "\\$\\`\\"\\\\"', ["a", '$`"\\']],
  ["a backslash in double quotes that escapes nothing", 'a "\\n\\\'"', ["a", "\\n\\'"]],
  ["a line that goes on, in double quotes", 'a "b\\\nc"', ["a", "bc"]],
  ["a line that goes on", "a b\\\nc", ["a", "bc"]],
  ["a line that goes on between words", "a \\\n b", ["a", "b"]],
  ["a newline in quotes", "a 'b\nc' \"d\ne\"", ["a", "b\nc", "d\ne"]],
  ["empty words", `a '' "" b`, ["a", "", "", "b"]],
  ["parts of one word", `a'b'"c"\\ d`, ["abc d"]],
  ["backslashes", "a \\b\\\\ \\'\\\"\\$\\;", ["a", "b\\", "'\"$;"]],
  ["other blanks are no blanks", "a\rb\u00a0c", ["a\rb\u00a0c"]],
  ["ünïcode", "a 'ö ü'", ["a", "ö ü"]],
  ["a hash and a tilde within a word, an assignment after the name", "a b#c d~ e=f ''#", [
    "a",
    "b#c",
    "d~",
    "e=f",
    "#",
  ]],
  ["a single quote that does not end", "a 'b", NONE],
  ["a double quote that does not end", 'a "b', NONE],
  ["a double quote whose end is escaped", 'a "b\\"', NONE],
  ["a double quote that ends with a backslash", 'a "b\\', NONE],
  ["a backslash before nothing", "a b\\", NONE],
  ["a second command", "a; b", NONE],
  ["a second line", "a\nb", NONE],
  ["a pipe", "a|b", NONE],
  ["the background", "a &", NONE],
  ["files", "a <b", NONE],
  ["files", "a >b", NONE],
  ["a shell within", "(a)", NONE],
  ["a variable", "a $HOME", NONE],
  ["a variable in double quotes", 'a "$HOME"', NONE],
  ["a command's output", "a `id`", NONE],
  ["a command's output in double quotes", 'a "`id`"', NONE],
  ["patterns", "a *", NONE],
  ["patterns", "a b?", NONE],
  ["patterns", "a [b]", NONE],
  ["a comment", "a #b", NONE],
  ["a home", "a ~/b", NONE],
  ["a variable for the command", "A=b c", NONE],
  ["a zero byte", "a b\0c", NONE],
];
for (const [what, line, words] of LINES) {
  Deno.test(`wordsOf(): ${what}: ${JSON.stringify(line)}`, () => assert.deepEqual(wordsOf(line), words));
}

Deno.test({
  name: "wordsOf(): what has words has the same in a shell (ssh.md row 15)",
  ...needs("linux"),
  async fn() {
    const random = seeded("command lines");
    const parts = ["a", "b=", "'", "'", '"', '"', "\\", " ", "\t", "\n", "#", "~", "$", "é", "!", "{", "-", "''"];
    const script: string[] = [];
    const wanted: string[] = [];
    while (wanted.length < 3000) {
      const line = Array.from({ length: random.between(1, 14) }, () => random.pick(parts)).join("");
      const words = wordsOf(line);
      if (!words || words.length === 0) continue;
      // As arguments of a function: what makes the words is the shell's own reading.
      script.push(`show ${line}\n`);
      wanted.push(words.map((word) => `<${word}>`).join(""));
    }
    const show = "show() { for word; do printf '<%s>' \"$word\"; done; printf '\\035'; }\n";
    const { code, stdout, stderr } = await runProgram("sh", ["-s"], { stdin: show + script.join("") });
    assert.equal(code, 0, stderr);
    assert.deepEqual(stdout.split("\u001d").slice(0, -1), wanted);
  },
});
