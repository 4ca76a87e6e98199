/**
 * The prompt: lines of a terminal or of a pipe, each text evaluated when it is whole.
 *
 * @module
 */
import { createInterface, type Interface } from "node:readline";
import { note, print } from "../../terminal/output.ts";
import { printable } from "../showing.ts";
import type { History } from "./history.ts";
import type { PromptSession } from "./session.ts";
import { isIncomplete } from "./source.ts";

const PROMPT = "> ";
const MORE = "… ";

/** What a prompt is made with. */
export interface PromptOptions {
  /** Who answers. */
  readonly session: PromptSession;
  /** What was typed before. */
  readonly history: History;
  /** What an error misses, if it looks like a grant. */
  readonly hint: (error: import("@alknet/runtime").GuestError) => string | undefined;
}

/** Talks until ctrl-D, or the end of the input. Returns whether all that was evaluated went well. */
export async function talk(options: PromptOptions): Promise<boolean> {
  const terminal = Deno.stdin.isTerminal() && Deno.stdout.isTerminal();
  const { stdin, stdout } = (await import("node:process")).default;
  const { session, history } = options;
  const lines = createInterface({
    input: stdin,
    ...terminal && {
      output: stdout,
      terminal,
      history: [...history.lines],
      historySize: 1000,
      removeHistoryDuplicates: true,
      completer: (line: string, answer: (error: null, found: [string[], string]) => void) => {
        session.complete(line).then((found) => answer(null, found), () => answer(null, [[], line]));
      },
    },
  });
  const prompt = new Prompt(lines, options, terminal);
  const well = await prompt.ended;
  if (terminal) history.save((lines as Interface & { readonly history?: string[] }).history ?? []);
  return well;
}

class Prompt {
  readonly ended: Promise<boolean>;
  readonly #lines: Interface;
  readonly #options: PromptOptions;
  readonly #terminal: boolean;
  readonly #waiting: string[] = [];
  #text = "";
  #running: AbortController | undefined;
  #closed = false;
  #well = true;
  readonly #end: (well: boolean) => void;

  constructor(lines: Interface, options: PromptOptions, terminal: boolean) {
    this.#lines = lines;
    this.#options = options;
    this.#terminal = terminal;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.ended = promise;
    this.#end = resolve;
    lines.on("line", (line: string) => {
      this.#waiting.push(line);
      this.#next();
    });
    lines.on("SIGINT", () => this.#interrupted());
    lines.on("close", () => {
      this.#closed = true;
      if (terminal) this.#running?.abort();
      this.#next();
    });
    this.#ask();
  }

  #ask(): void {
    if (!this.#terminal || this.#closed) return;
    this.#lines.setPrompt(this.#text === "" ? PROMPT : MORE);
    this.#lines.prompt();
  }

  /** Ctrl-C: what runs ends; where nothing does, what was typed is dropped. */
  #interrupted(): void {
    if (this.#running) return this.#running.abort();
    this.#text = "";
    // The line that was begun goes with it.
    this.#lines.write(null, { ctrl: true, name: "e" });
    this.#lines.write(null, { ctrl: true, name: "u" });
    print("");
    this.#ask();
  }

  #next(): void {
    if (this.#running) return;
    const line = this.#waiting.shift();
    if (line === undefined) {
      if (!this.#closed) return;
      if (this.#text === "" || this.#terminal) return this.#end(this.#well);
    } else {
      this.#text += (this.#text === "" ? "" : "\n") + line;
      // An empty line ends what would otherwise wait for more.
      if (line.trim() !== "" && isIncomplete(this.#text)) {
        if (this.#waiting.length > 0) return this.#next();
        if (!this.#closed) return this.#ask();
      }
    }
    const text = this.#text;
    this.#text = "";
    if (text.trim() === "") {
      this.#ask();
      return this.#next();
    }
    this.#running = new AbortController();
    this.#evaluate(text, this.#running.signal).finally(() => {
      this.#running = undefined;
      if (this.#waiting.length === 0) this.#ask();
      this.#next();
    });
  }

  async #evaluate(text: string, signal: AbortSignal): Promise<void> {
    try {
      const outcome = await this.#options.session.evaluate(text, signal);
      if ("shown" in outcome) {
        if (outcome.shown !== undefined) print(printable(outcome.shown));
        return;
      }
      this.#well = false;
      note(printable(outcome.error.message));
      const hint = this.#options.hint(outcome.error);
      if (hint !== undefined) note(hint);
      if (outcome.lost) note("the guest is started anew: what was declared is gone");
    } catch (error) {
      this.#well = false;
      note(printable((error as Error).message));
    }
  }
}
