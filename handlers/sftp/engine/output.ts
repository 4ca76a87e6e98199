/**
 * Answers on their way out, as fast as they are taken: short ones together, long ones as they are.
 *
 * @module
 */
import { setImmediate } from "node:timers";

/** What is shorter goes out together with others. */
const SHORT = 8 * 1024;
/** Bytes that go out together. */
const TOGETHER = 64 * 1024;

interface Answer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly taken: () => void;
}

/** The writing side of a session. */
export class Output {
  /** Resolves when nobody takes answers any more. */
  readonly failed: Promise<void>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #fail: () => void;
  #hasFailed = false;
  #answers: Answer[] = [];
  #pumping: Promise<void> | undefined;

  /** An output to a stream, which becomes its own. */
  constructor(writable: WritableStream<Uint8Array>) {
    this.#writer = writable.getWriter();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.failed = promise;
    this.#fail = resolve;
    this.#writer.closed.catch(() => this.#drop());
  }

  /**
   * Sends an answer.
   *
   * @param bytes The packet.
   * @param taken Called once, when the stream has taken it, or never will.
   * @param soon Whether more answers will come soon, for which it is worth to wait until the turn is over.
   */
  send(bytes: Uint8Array<ArrayBuffer>, taken: () => void, soon: boolean): void {
    if (this.#hasFailed) return taken();
    this.#answers.push({ bytes, taken });
    this.#pumping ??= this.#pump(soon);
  }

  /** Ends the stream, when all that was sent was taken. */
  async finish(): Promise<void> {
    while (this.#pumping) await this.#pumping;
    await this.#writer.close().catch(() => {});
  }

  async #pump(soon: boolean): Promise<void> {
    try {
      if (soon) await new Promise<void>((resolve) => setImmediate(resolve));
      while (this.#answers.length > 0) {
        const next = this.#answers.splice(0, this.#together());
        try {
          await this.#writer.write(joined(next));
        } finally {
          for (const { taken } of next) taken();
        }
      }
    } catch {
      this.#drop();
    } finally {
      this.#pumping = undefined;
    }
  }

  /** How many of the answers that wait go out as one piece. */
  #together(): number {
    let [count, bytes] = [0, 0];
    for (const { bytes: { length } } of this.#answers) {
      if (length > SHORT || bytes + length > TOGETHER) break;
      bytes += length;
      count++;
    }
    return Math.max(count, 1);
  }

  #drop(): void {
    this.#hasFailed = true;
    for (const { taken } of this.#answers.splice(0)) taken();
    this.#fail();
  }
}

function joined(answers: readonly Answer[]): Uint8Array<ArrayBuffer> {
  if (answers.length === 1) return answers[0].bytes;
  const whole = new Uint8Array(answers.reduce((sum, { bytes }) => sum + bytes.length, 0));
  let at = 0;
  for (const { bytes } of answers) {
    whole.set(bytes, at);
    at += bytes.length;
  }
  return whole;
}
