/**
 * `msg chat`: a conversation on the whole screen, what comes as it comes, and a line to write at the foot (msg.md §6).
 *
 * @module
 */
import type { Messenger } from "@alknet/handlers/msg";
import { createInterface, type Interface } from "node:readline";
import { ExitCode, UsageError } from "../../terminal/output.ts";
import { nameOf, openMessengerHome, type Shared } from "../home.ts";
import { shownName } from "../showing.ts";
import { conversationLines, shownText } from "./screen.ts";

/** Time to send a line; what was not sent then waits. */
const SENDING = 10_000;
/** Messages of a screen: more has none. */
const MESSAGES = 200;
/** xterm's other screen, so that what was there before is there afterwards. */
const OTHER_SCREEN = "\x1b[?1049h";
const FIRST_SCREEN = "\x1b[?1049l";
/** A line that is wider than was counted is cut, and moves nothing. */
const NO_WRAP = "\x1b[?7l";
const WRAP = "\x1b[?7h";

/** `msg chat`. */
export async function chat(options: Shared & { readonly name: string }): Promise<number> {
  if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) {
    throw new UsageError("msg chat needs a terminal; use alknet msg send, and alknet msg read --follow");
  }
  await using open = await openMessengerHome(options);
  const name = nameOf(open.messenger, options.name);
  using ending = new Ending();
  const talk = new Talk(open.messenger, name, ending);
  return await talk.run();
}

/** Ends a conversation once, and what it waits for. */
class Ending implements Disposable {
  readonly #controller = new AbortController();
  code: number = ExitCode.DONE;

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  end(code: number): void {
    if (!this.signal.aborted) this.code = code;
    this.#controller.abort();
  }

  [Symbol.dispose](): void {
    this.#controller.abort();
  }
}

class Talk {
  readonly #messenger: Messenger;
  readonly #name: string;
  readonly #ending: Ending;
  readonly #unread: ReadonlySet<string>;
  #fault: string | undefined;
  #lines: Interface | undefined;
  #sending: Promise<void> = Promise.resolve();

  constructor(messenger: Messenger, name: string, ending: Ending) {
    this.#messenger = messenger;
    this.#name = name;
    this.#ending = ending;
    const unread = messenger.messages({ contact: name, unread: true, limit: MESSAGES });
    this.#unread = new Set(unread.map(({ id }) => id));
  }

  async run(): Promise<number> {
    const { stdin, stdout } = (await import("node:process")).default;
    write(OTHER_SCREEN);
    const lines = this.#lines = createInterface({ input: stdin, output: stdout, terminal: true, historySize: 0 });
    const draw = (): void => this.#draw();
    try {
      lines.setPrompt(this.#prompt());
      lines.on("line", (line: string) => this.#say(line));
      lines.on("SIGINT", () => this.#ending.end(ExitCode.INTERRUPTED));
      lines.on("close", () => this.#ending.end(ExitCode.DONE));
      stdout.on("resize", draw);
      draw();
      const { signal } = this.#ending;
      const onFault = ({ message }: Error): void => {
        this.#fault = message;
        draw();
      };
      for await (const event of this.#messenger.watch({ signal, onFault })) {
        if (event.event === "message") this.#fault = undefined;
        draw();
      }
      await this.#sending;
      return this.#ending.code;
    } finally {
      stdout.off("resize", draw);
      this.#lines = undefined;
      lines.close();
      write(WRAP + FIRST_SCREEN);
    }
  }

  /** Sends a line, after those before it. */
  #say(line: string): void {
    if (line.trim() === "") return this.#draw();
    this.#sending = this.#sending.then(async () => {
      const signal = AbortSignal.timeout(SENDING);
      try {
        const sent = this.#messenger.send(this.#name, line, { queue: true, signal });
        this.#draw();
        this.#fault = (await sent).fault?.message;
      } catch (error) {
        this.#fault = (error as Error).message;
      }
      this.#draw();
    });
  }

  #draw(): void {
    if (!this.#lines || this.#ending.signal.aborted) return;
    const { columns: width, rows } = Deno.consoleSize();
    const height = Math.max(1, rows - 1);
    const messages = this.#messenger.messages({ contact: this.#name, limit: MESSAGES });
    const conversation = { messages, who: shownName(this.#name), unread: this.#unread, fault: this.#fault };
    const drawn = conversationLines(conversation, Math.max(1, width), height);
    write(NO_WRAP + drawn.map((line, i) => `\x1b[${i + 1};1H\x1b[2K${line}`).join("") + `${WRAP}\x1b[${rows};1H`);
    this.#lines.prompt(true);
    // Only now: whoever is killed before sees them again.
    this.#messenger.markRead(messages);
  }

  /** `ann> `, and `ann!> ` where nobody compared the number. */
  #prompt(): string {
    const contact = this.#messenger.contacts().find(({ name }) => name === this.#name);
    return `${shownText(shownName(this.#name))}${contact?.verified ? "" : "!"}> `;
  }
}

function write(text: string): void {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.byteLength;) at += Deno.stdout.writeSync(bytes.subarray(at));
}
