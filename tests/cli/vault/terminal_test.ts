/**
 * Asking for secrets at a terminal: nothing of them is shown, and the terminal is left as it was.
 *
 * @module
 */
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { needs } from "../../support/programs.ts";
import { type Peer, startPeer } from "../../support/python.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { runAlknet } from "../../support/process.ts";

const MAIN = new URL("../../../cli/main.ts", import.meta.url).pathname;
const PASSPHRASE = "correct horse battery stäple";

interface End {
  readonly code: number;
  readonly shown: string;
  readonly restored: boolean;
}

/** `alknet` at a terminal; with `-` first, only the terminal itself is one. */
class AtTerminal implements AsyncDisposable {
  readonly #peer: Peer;

  constructor(...args: readonly string[]) {
    const piped = args[0] === "-" ? ["-"] : [];
    const alknet = [Deno.execPath(), "run", "-A", MAIN, ...args.slice(piped.length)];
    this.#peer = startPeer("terminal.py", [...piped, ...alknet], { env: { NO_COLOR: "1" } });
  }

  /** Waits for a question and types the answer. */
  async answer(question: string, typed: string): Promise<void> {
    const { error, shown } = await this.#peer.ask<{ error?: string; shown: string }>({ until: question });
    equal(error, undefined, shown);
    await this.#peer.ask({ type: typed });
  }

  async signal(question: string, number: number): Promise<void> {
    await this.#peer.ask({ until: question });
    await this.#peer.ask({ signal: number });
  }

  end(): Promise<End> {
    return this.#peer.ask<End>({ end: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#peer[Symbol.asyncDispose]();
  }
}

Deno.test({
  name: "alknet init asks twice for a passphrase, unseen, and show-phrase asks for it again",
  ...needs("python"),
  async fn() {
    await using folder = await temporaryFolder();
    const home = folder.join("home");
    await using making = new AtTerminal("init", "--home", home);
    await making.answer("New passphrase: ", `${PASSPHRASE}\r`);
    // Backspace, ctrl-U, and Enter as a line feed.
    // … and keys that are no characters: arrows, Home, Delete, F1, Alt.
    const keys = ["\x1b[D", "\x1b[1;5C", "\x1bOH", "\x1b[3~", "\x1bOP", "\x1bx"].join("");
    await making.answer("The same again: ", `wrong\x15${PASSPHRASE}${keys}äx\x7f\x7f\n`);
    const made = await making.end();
    equal(made.code, 0, made.shown);
    ok(made.restored);
    equal(made.shown.includes("horse"), false, made.shown);

    await using showing = new AtTerminal("vault", "show-phrase", "--home", home);
    await showing.answer("Passphrase of the vault: ", `${PASSPHRASE}\r`);
    const { code, shown } = await showing.end();
    equal(code, 0, shown);
    match(shown, /(?:[a-z]+ ){23}[a-z]+\r$/m);
  },
});

Deno.test({
  name: "alknet vault import takes words, a passphrase and its repetition that are typed ahead",
  ...needs("python"),
  async fn() {
    await using folder = await temporaryFolder();
    const words = "abandon ".repeat(11) + "about";
    await using terminal = new AtTerminal("vault", "import", "--home", folder.join("home"));
    await terminal.answer("Words of the phrase: ", `${words}\rpw\rpw\r`);
    const { code, shown } = await terminal.end();
    equal(code, 0, shown);
    equal(shown.includes("abandon"), false);
    equal(JSON.parse((await runAlknet(["id", "--json", "--home", folder.join("home")])).stdout).fingerprint, IDENTITY);
  },
});

Deno.test({
  name: "alknet asks the terminal even where standard input and output are none",
  ...needs("python"),
  async fn() {
    await using folder = await temporaryFolder();
    await using terminal = new AtTerminal("-", "init", "--home", folder.join("home"));
    await terminal.answer("New passphrase: ", "pw\r");
    await terminal.answer("The same again: ", "pw\r");
    equal((await terminal.end()).code, 0);
  },
});

Deno.test({
  name: "alknet init with two passphrases that differ, and an empty one: one line, exit code 1, nothing made",
  ...needs("python"),
  async fn() {
    for (const [answers, said] of [[["a\r", "b\r"], /differ/], [["\r"], /empty/]] as const) {
      await using folder = await temporaryFolder();
      await using terminal = new AtTerminal("init", "--home", folder.join("home"));
      const questions = ["New passphrase: ", "The same again: "];
      for (const [i, typed] of answers.entries()) await terminal.answer(questions[i], typed);
      const { code, shown, restored } = await terminal.end();
      deepEqual({ code, restored }, { code: 1, restored: true }, shown);
      match(shown, said);
      deepEqual([...Deno.readDirSync(folder.path)], []);
    }
  },
});

/** What ends a prompt, and the exit code. */
const ENDS: readonly (readonly [string, (terminal: AtTerminal) => Promise<void>, number])[] = [
  ["ctrl-C", (terminal) => terminal.answer("New passphrase: ", "half\x03"), 130],
  ["SIGINT", (terminal) => terminal.signal("New passphrase: ", 2), 130],
  ["SIGTERM", (terminal) => terminal.signal("New passphrase: ", 15), 143],
  ["SIGHUP", (terminal) => terminal.signal("New passphrase: ", 1), 129],
];

for (const [what, interrupt, expected] of ENDS) {
  Deno.test({
    name: `alknet init ended by ${what} at its prompt: exit code ${expected}, the terminal as it was, nothing made`,
    ...needs("python"),
    async fn() {
      await using folder = await temporaryFolder();
      await using terminal = new AtTerminal("init", "--home", folder.join("home"));
      await interrupt(terminal);
      const { code, shown, restored } = await terminal.end();
      deepEqual({ code, restored }, { code: expected, restored: true }, shown);
      equal(shown.includes("half"), false);
      deepEqual([...Deno.readDirSync(folder.path)], []);
    },
  });
}

Deno.test({
  name: "alknet vault seal asks for value and passphrase at a terminal, and open shows it; opening shows progress",
  ...needs("python"),
  async fn() {
    await using folder = await temporaryFolder();
    const home = folder.join("home");
    const file = await folder.write("passphrase", "pw\n");
    equal((await runAlknet(["init", "--home", home, "--passphrase-file", file])).code, 0);
    await using sealing = new AtTerminal("vault", "seal", "api", "--home", home);
    await sealing.answer("Value of api: ", "sk-123\r");
    await sealing.answer("Passphrase of the vault: ", "pw\r");
    const sealed = await sealing.end();
    equal(sealed.code, 0, sealed.shown);
    equal(sealed.shown.includes("sk-123"), false);
    match(sealed.shown, /opening the vault … \d+ %/);
    await using opening = new AtTerminal("vault", "open", "api", "--home", home, "--passphrase-file", file);
    match((await opening.end()).shown, /sk-123/);
  },
});

Deno.test({
  name: "alknet serve asks for the passphrase of its vault before it listens",
  ...needs("python"),
  async fn() {
    await using folder = await temporaryFolder();
    const home = folder.join("home");
    const file = await folder.write("passphrase", "pw\n");
    equal((await runAlknet(["init", "--home", home, "--passphrase-file", file])).code, 0);
    await using serving = new AtTerminal("serve", "--home", home, "--listen", "127.0.0.1:0");
    await serving.answer("Passphrase of the vault: ", "pw\r");
    await serving.answer("listening", "\x03");
    const { code, shown } = await serving.end();
    equal(code, 130, shown);
  },
});

/** The identity of "abandon … about": tests/vectors/alknet-vault.json. */
const IDENTITY = "ed25519:e78c2766a792f09bfccb51493968ac322283e8d021a30063784d806929762ecc";
