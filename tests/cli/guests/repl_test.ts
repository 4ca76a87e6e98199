/**
 * `alknet repl`: from a pipe and at a terminal.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { declaredNames, isIncomplete, readings } from "../../../cli/guests/prompt/source.ts";
import { runAlknet } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { type Peer, startPeer } from "../../support/python.ts";
import { temporaryFolder } from "../../support/temp.ts";

const MAIN = new URL("../../../cli/main.ts", import.meta.url).pathname;

interface End {
  readonly code: number;
  readonly shown: string;
  readonly restored: boolean;
}

/** The prompt at a terminal. */
class AtPrompt implements AsyncDisposable {
  readonly #peer: Peer;

  constructor(home: string, ...args: readonly string[]) {
    const repl = [Deno.execPath(), "run", "-A", MAIN, "repl", "--home", home, "--timeout", "60", ...args];
    this.#peer = startPeer("terminal.py", repl, { env: { NO_COLOR: "1", TERM: "xterm" } });
  }

  async type(text: string): Promise<void> {
    await this.#peer.ask({ type: text });
  }

  /** Waits until something is shown. */
  async shown(...texts: readonly string[]): Promise<void> {
    for (const until of texts) {
      const { error, shown } = await this.#peer.ask<{ error?: string; shown: string }>({ until });
      equal(error, undefined, shown);
    }
  }

  end(): Promise<End> {
    return this.#peer.ask<End>({ end: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#peer[Symbol.asyncDispose]();
  }
}

async function piped(stdin: string, seconds = 60) {
  await using folder = await temporaryFolder();
  return await runAlknet(["repl", "--home", folder.path, "--timeout", String(seconds)], { stdin });
}

Deno.test("alknet repl from a pipe: values, declarations, TypeScript, await, texts of several lines", async () => {
  const lines = [
    "1 + 1",
    "let x: { a: number } = {",
    "  a: 1,",
    "}",
    "x",
    "{ b: 2 }",
    "function twice(n: number) {",
    "  return 2 * n;",
    "}",
    "twice(21)",
    "const y = await Promise.resolve(7)",
    "y",
    "await Promise.reject(new Error('no')).catch((e) => e.message)",
    "twice",
    "new Map([[1, 2n]])",
    "undefined",
    "`a",
    "b`",
    "[typeof fetch, typeof fs, typeof Deno]",
  ];
  const { code, stdout, stderr } = await piped(lines.join("\n") + "\n");
  equal(stderr, "");
  deepEqual(stdout.split("\n"), [
    ...["2", "{ a: 1 }", "{ b: 2 }", "42", "7", '"no"', "[function twice]", "Map { 1 => 2n }", '"a\\nb"'],
    '[ "undefined", "undefined", "undefined" ]',
    "",
  ]);
  equal(code, 0);
});

Deno.test("alknet repl: an error has its place; the guest goes on, or is started anew", async () => {
  const script =
    "const a = 1;\nnull.b\nlet c = ;\na\nfetch('x')\nenv.node.info()\n[].indexOf.call({ length: 2 ** 53 - 1 }, 1)\ntypeof a\n";
  const { code, stdout, stderr } = await piped(script, 1);
  match(stderr, /repl-2\.ts:1:\d+: TypeError: [^\n]*\n {2}null\.b\n +\^/);
  match(stderr, /repl-3\.ts:1:\d+: .*\n {2}let c = ;/);
  match(stderr, /fetch is not granted: .*--allow-fetch=ORIGIN/);
  match(stderr, /node\/info is not granted: .*--op=node\/info/);
  match(stderr, /was killed\nthe guest is started anew: what was declared is gone/);
  equal(stdout, '1\n"undefined"\n');
  equal(code, 1);
});

Deno.test("alknet repl: what a guest says does not drive the terminal (runtime.md row 64)", async () => {
  const script = [
    'console.log("\\x1b]0;title\\x07\\x1b[2J\\x9b2J\\r")',
    '"\\x1b[31m"',
    'throw new Error("\\x1b[31m")',
    "class A { ['\\x1b[5m'] = 1 }; new A()",
    'Object.defineProperty(() => 1, "name", { value: "\\x1b[31m" })',
    'throw { name: "\\x1b[1m", message: "\\x07", stack: "at x (\\x1b[2m:1:1)" }',
  ].join("\n");
  const { stdout, stderr } = await piped(script + "\n");
  for (const text of [stdout, stderr]) {
    ok(text.length > 0);
    // deno-lint-ignore no-control-regex
    equal(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/.test(text), false, JSON.stringify(text));
  }
});

Deno.test({
  name: "alknet repl at a terminal: history, completion, ctrl-C, ctrl-D",
  ...needs("python"),
  async fn() {
    await using home = await temporaryFolder();
    {
      await using prompt = new AtPrompt(home.path);
      await prompt.shown("ctrl-D leaves", "> ");
      await prompt.type("const answer = 6 * 7\r");
      await prompt.shown("6 * 7\r", "> ");
      await prompt.type("answ\t");
      await prompt.shown("answer");
      await prompt.type("\r");
      await prompt.shown("42", "> ");
      // Names of the guest, and members of what they lead to.
      await prompt.type("structuredCl\t");
      await prompt.shown("structuredClone");
      await prompt.type("([1, 2]).length + answer.toPre\t");
      await prompt.shown("answer.toPrecision");
      await prompt.type(".length\r");
      await prompt.shown("\r\n3\r\n", "> ");
      // Several lines, and what was begun is dropped.
      await prompt.type("[1,\r");
      await prompt.shown("… ");
      await prompt.type("\x03");
      await prompt.shown("> ");
      await prompt.type("answer + 1 // first\r");
      await prompt.shown("43");
      // An evaluation that waits ends, the prompt stays.
      await prompt.type("await new Promise(() => {})\r");
      await prompt.shown("=> {})\r");
      await prompt.type("\x03");
      await prompt.shown("aborted", "> ");
      await prompt.type("answer + 2\r");
      await prompt.shown("44", "> ");
      await prompt.type("typeof answer\r");
      await prompt.shown('"number"', "> ");
      // One that computes is killed, even right behind Enter, and the guest is started anew.
      await prompt.type("for (;;);\r");
      await prompt.shown("(;;);\r");
      await prompt.type("\x03");
      await prompt.shown("killed", "started anew", "> ");
      await prompt.type("typeof answer\r");
      await prompt.shown('"undefined"', "> ");
      await prompt.type(" 'kept to myself'\r");
      await prompt.shown("kept to myself", "kept to myself", "> ");
      await prompt.type("\x04");
      const { code, restored, shown } = await prompt.end();
      equal(code, 0, shown);
      ok(restored);
    }
    const file = home.join("repl_history");
    equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    const kept = await Deno.readTextFile(file);
    match(kept, /^const answer = 6 \* 7\n/);
    equal(kept.includes("myself"), false);
    await using prompt = new AtPrompt(home.path);
    await prompt.shown("ctrl-D leaves", "> ");
    // Up: the line before.
    await prompt.type("\x1b[A\r");
    await prompt.shown("typeof answer", '"undefined"', "> ");
    await prompt.type("\x04");
    equal((await prompt.end()).code, 0);
  },
});

Deno.test("alknet repl: when a text is whole, and how it is read", () => {
  const open = ["(", "[1,", "{", "`a", "`${", "/* a", "f(() => {", "`a${`b`}", "{ '}'"];
  const whole = ["", "1", "()", "'('", '"[', "// (", "`${1}`", "/* ( */", ")", "(]", "'\\'('", "`\\``", "a // {\n+ 1"];
  deepEqual(open.filter((text) => !isIncomplete(text)), []);
  deepEqual(whole.filter(isIncomplete), []);
  deepEqual([...readings("{ a: 1 }")], ["({ a: 1 }\n)", "{ a: 1 }"]);
  deepEqual([...readings("1")], ["1"]);
  deepEqual(declaredNames("let a = 1; const $b = 2; class C {}"), ["a", "$b", "C"]);
});
