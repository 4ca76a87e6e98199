/**
 * A guest at a prompt: evaluates one text after the other, and is started anew where it had to be killed.
 *
 * @module
 */
import type { GuestError, IsolateOptions, ProcessGuest } from "@alknet/runtime";
import { completionsOf } from "./completing.ts";
import { declaredNames, readings } from "./source.ts";

/** What came of a text. */
export type Outcome =
  | { readonly shown: string | undefined }
  | { readonly error: GuestError; readonly lost: boolean };

/** Ends after which a guest cannot go on. */
const LOST: ReadonlySet<string> = new Set(["E_KILLED", "E_POISONED", "E_JOBS", "E_STACK", "E_DISPOSED"]);

/** A guest that is talked with. */
export class PromptSession implements AsyncDisposable {
  readonly #options: IsolateOptions;
  readonly #declared = new Set<string>();
  #guest: Promise<ProcessGuest> | undefined;
  #texts = 0;

  constructor(options: IsolateOptions) {
    this.#options = options;
  }

  /** Starts the guest. @throws {GuestError} It cannot be started. */
  async start(): Promise<void> {
    await this.#started();
  }

  /** Evaluates a text. An abort ends it, if need be with the guest. */
  async evaluate(text: string, signal: AbortSignal): Promise<Outcome> {
    const { GuestError } = await import("@alknet/runtime");
    const file = `repl-${++this.#texts}.ts`;
    let first: GuestError | undefined;
    for (const reading of readings(text)) {
      try {
        const shown = await (await this.#started()).evaluate(reading, { file, signal, show: true });
        for (const name of declaredNames(text)) this.#declared.add(name);
        return { shown: typeof shown === "string" ? shown : undefined };
      } catch (error) {
        if (!(error instanceof GuestError)) throw error;
        const lost = LOST.has(error.code) || !await this.#answers();
        if (lost) await this.#drop();
        // What does not parse in one way may in another; the complaint is that of the text as it was typed.
        if (error.code !== "E_SYNTAX" || lost) return { error, lost };
        if (first === undefined || reading === text) first = error;
      }
    }
    return { error: first!, lost: false };
  }

  /** What may stand in place of the last word of a line. */
  async complete(line: string): Promise<[completions: string[], word: string]> {
    return await completionsOf(await this.#started(), line, this.#declared);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#drop();
  }

  async #started(): Promise<ProcessGuest> {
    const { ProcessGuest } = await import("@alknet/runtime");
    return await (this.#guest ??= ProcessGuest.start(this.#options));
  }

  /** Whether the guest can go on after what has ended. */
  async #answers(): Promise<boolean> {
    try {
      return await (await this.#started()).evaluate("1") === 1;
    } catch {
      return false;
    }
  }

  async #drop(): Promise<void> {
    const guest = this.#guest;
    this.#guest = undefined;
    this.#declared.clear();
    await guest?.then((one) => one[Symbol.asyncDispose](), () => {});
  }
}
