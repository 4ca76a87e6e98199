/**
 * Asking a person at the terminal, so that what is typed is not shown.
 *
 * The terminal is asked itself (`/dev/tty`): standard input and output may be pipes. Its own line editing is off while
 * somebody types, and back on in every case: an answer, ctrl-C, a signal.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

/** Ctrl-C at a prompt: the command ends with the code of an interrupt, and says nothing. */
export class InterruptedError extends AlknetError {
  override readonly name = "InterruptedError";

  constructor() {
    super("INTERRUPTED", "interrupted");
  }
}

/** Longest answer, in bytes: a phrase of 24 words has some 200, and a file has a place of its own. */
/** Begins what a key sends that is no character. */
const ESCAPE = 0x1b;
const MOST_BYTES = 64 * 1024;
/** Signals that would end the command with the terminal as the prompt has it, and their numbers. */
const ENDING_SIGNALS = [["SIGINT", 2], ["SIGTERM", 15], ["SIGHUP", 1]] as const;

const Key = { CTRL_C: 3, CTRL_D: 4, BACKSPACE: 8, LINE_FEED: 10, RETURN: 13, CTRL_U: 21, DELETE: 127 };

/** A person at a terminal. */
export class Terminal implements Disposable {
  readonly #input: TerminalFile;
  readonly #output: { writeSync(bytes: Uint8Array): number };
  readonly #close: () => void;
  /** What was typed ahead of the question. */
  #ahead: Uint8Array = new Uint8Array();

  private constructor(input: TerminalFile, output: { writeSync(bytes: Uint8Array): number }, close: () => void) {
    this.#input = input;
    this.#output = output;
    this.#close = close;
  }

  /** The terminal of this process, if it has one. */
  static open(): Terminal | undefined {
    try {
      const file = Deno.openSync("/dev/tty", { read: true, write: true });
      if (file.isTerminal()) return new Terminal(file, file, () => file.close());
      file.close();
    } catch { /* none, or a system that names it otherwise */ }
    if (!Deno.stdin.isTerminal() || !Deno.stderr.isTerminal()) return undefined;
    return new Terminal(Deno.stdin, Deno.stderr, () => {});
  }

  /**
   * Asks, and shows nothing of the answer. Backspace and ctrl-U work; ctrl-D ends the answer as Enter does.
   *
   * @throws {InterruptedError} Ctrl-C.
   * @throws {AlknetError} `PROMPT` when the terminal goes away, or what is typed is not UTF-8.
   */
  async hidden(question: string): Promise<string> {
    using _raw = this.#raw();
    this.#say(`${question}: `);
    try {
      return await this.#readLine();
    } finally {
      this.#say("\n");
    }
  }

  /** Lets go of it. */
  [Symbol.dispose](): void {
    this.#ahead.fill(0);
    this.#close();
  }

  #raw(): Disposable {
    const input = this.#input;
    input.setRaw(true);
    const listeners = ENDING_SIGNALS.map(([signal, number]) => {
      const listener = () => {
        input.setRaw(false);
        Deno.exit(128 + number);
      };
      try {
        Deno.addSignalListener(signal, listener);
      } catch { /* Windows knows not all of them */ }
      return [signal, listener] as const;
    });
    return {
      [Symbol.dispose]() {
        input.setRaw(false);
        for (const [signal, listener] of listeners) {
          try {
            Deno.removeSignalListener(signal, listener);
          } catch { /* it was not there */ }
        }
      },
    };
  }

  async #readLine(): Promise<string> {
    const line = new Uint8Array(MOST_BYTES);
    const keys = new EscapeSequences();
    let length = 0;
    try {
      for (;;) {
        const typed = await this.#typed();
        try {
          for (let i = 0; i < typed.byteLength; i++) {
            const key = typed[i];
            // A key that is no character, such as an arrow, is no part of what is typed.
            if (keys.swallow(key)) continue;
            if (key === Key.CTRL_C) throw new InterruptedError();
            if (key === Key.RETURN || key === Key.LINE_FEED || key === Key.CTRL_D) {
              this.#ahead = typed.slice(i + 1);
              return decode(line.subarray(0, length));
            }
            if (key === Key.CTRL_U) length = 0;
            else if (key === Key.BACKSPACE || key === Key.DELETE) length = withoutLastCharacter(line, length);
            else if (key >= 32 && length < line.byteLength) line[length++] = key;
          }
        } finally {
          typed.fill(0);
        }
      }
    } finally {
      line.fill(0);
    }
  }

  async #typed(): Promise<Uint8Array> {
    if (this.#ahead.byteLength > 0) {
      const ahead = this.#ahead;
      this.#ahead = new Uint8Array();
      return ahead;
    }
    const buffer = new Uint8Array(1024);
    const count = await this.#input.read(buffer);
    if (count === null) throw new AlknetError("PROMPT", "the terminal went away before an answer was given");
    return buffer.subarray(0, count);
  }

  #say(text: string): void {
    this.#output.writeSync(new TextEncoder().encode(text));
  }
}

/** What a prompt needs of a terminal's input. */
interface TerminalFile {
  read(buffer: Uint8Array): Promise<number | null>;
  setRaw(on: boolean): void;
}

/** A character of UTF-8 is a first byte and those that continue it (RFC 3629 §3). */
function withoutLastCharacter(line: Uint8Array, length: number): number {
  while (length > 0 && (line[--length] & 0xc0) === 0x80);
  return length;
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new AlknetError("PROMPT", "what was typed is not UTF-8; set the terminal to UTF-8");
  }
}

/** The sequences that a terminal sends for keys that are no characters (ECMA-48 §5.4): `ESC [ … final` and `ESC O final`. */
class EscapeSequences {
  #state: "text" | "escape" | "control" | "single" = "text";

  /** Whether a byte belongs to a sequence. */
  swallow(byte: number): boolean {
    switch (this.#state) {
      case "text":
        if (byte === ESCAPE) this.#state = "escape";
        return byte === ESCAPE;
      case "escape":
        this.#state = byte === 0x5b ? "control" : byte === 0x4f ? "single" : byte === ESCAPE ? "escape" : "text";
        // Escape and a key is that key with Alt held: neither is typed. What ends the line ends it.
        return byte >= 32 || byte === ESCAPE;
      case "control":
        if (byte >= 0x40 && byte <= 0x7e) this.#state = "text";
        return byte >= 32;
      case "single":
        this.#state = "text";
        return byte >= 32;
    }
  }
}
