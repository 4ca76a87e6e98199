/**
 * Output of a program that must not wait for whoever reads it.
 *
 * A pipe holds 64 KiB, and a terminal that is paused holds less: writing in the thread that serves would stop a node whose
 * log nobody reads. So lines wait in a queue, and when that is full they are dropped and counted.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";

/** Where text goes. */
export interface Sink {
  /** Writes some of the bytes; returns how many. */
  write(bytes: Uint8Array): Promise<number>;
}

/** Bytes that wait at most. */
const LIMIT = 1024 * 1024;
/** Milliseconds that {@linkcode BackgroundWriter.flush} waits for a reader. */
const FLUSH = 1000;

/** Writes text behind the back of who gives it. Never fails: a sink that is gone takes nothing more. */
export class BackgroundWriter {
  readonly #sink: Sink;
  readonly #limit: number;
  readonly #queue: Uint8Array[] = [];
  readonly #encoder = new TextEncoder();
  #bytes = 0;
  #dropped = 0;
  #writing: Promise<void> | undefined;
  #gone = false;

  /**
   * @param sink Where it goes.
   * @param limit Bytes that wait at most.
   */
  constructor(sink: Sink, limit: number = LIMIT) {
    this.#sink = sink;
    this.#limit = limit;
  }

  /** Whether all has been written. */
  get isIdle(): boolean {
    return this.#writing === undefined;
  }

  /** Writes a text, or drops it where too much waits. A text is written whole or not at all. */
  write(text: string): void {
    if (this.#gone) return;
    const bytes = this.#encoder.encode(text);
    if (this.#bytes + bytes.byteLength > this.#limit) {
      this.#dropped++;
      return;
    }
    this.#push(bytes);
    this.#writing ??= this.#run();
  }

  /** Waits until all is written, but not for long: a program ends even if nobody reads what it said. */
  async flush(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, FLUSH));
    await Promise.race([this.#writing, late]);
    clearTimeout(timer);
  }

  #push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    this.#bytes += bytes.byteLength;
  }

  async #run(): Promise<void> {
    try {
      for (let bytes = this.#queue.shift(); bytes; bytes = this.#queue.shift()) {
        for (let rest = bytes; rest.byteLength > 0;) rest = rest.subarray(await this.#sink.write(rest));
        this.#bytes -= bytes.byteLength;
        if (this.#queue.length === 0 && this.#dropped > 0) {
          const lines = `${this.#dropped} ${this.#dropped === 1 ? "line was" : "lines were"}`;
          this.#push(this.#encoder.encode(`alknet: ${lines} dropped: nobody read them in time\n`));
          this.#dropped = 0;
        }
      }
    } catch {
      // Nobody reads any more.
      this.#gone = true;
      this.#queue.length = this.#bytes = 0;
    }
    this.#writing = undefined;
  }
}
