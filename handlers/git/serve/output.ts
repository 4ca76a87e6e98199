/**
 * What goes to a client, with an end to waiting for one that takes nothing.
 *
 * @module
 */
import { GitRequestError } from "../errors.ts";
import { Band, BAND_HEAD, bandText, KEEPALIVE, MAX_BAND, writeBandHead } from "../wire/side_band.ts";

/** Small writes are sent together. */
const TOGETHER = 32 * 1024;
/** Silence after which a client is told that the node is still at work. */
const KEEPALIVE_AFTER = 5000;

/** Writes to a client. */
export class Output {
  /** Aborted when the client takes no more, for whatever reason. */
  readonly gone: AbortSignal;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stall: number;
  #waiting: Uint8Array[] = [];
  #size = 0;
  #sent = 0;

  /** @param stall Milliseconds that a write may wait. */
  constructor(writable: WritableStream<Uint8Array>, stall: number) {
    this.#writer = writable.getWriter();
    this.#stall = stall;
    const gone = new AbortController();
    this.gone = gone.signal;
    this.#writer.closed.catch((reason) => gone.abort(reason));
  }

  /** Bytes sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Keeps bytes until there are enough of them, or they are flushed. */
  async put(bytes: Uint8Array): Promise<void> {
    this.#waiting.push(bytes);
    this.#size += bytes.byteLength;
    if (this.#size >= TOGETHER) await this.flush();
  }

  /**
   * Sends what was kept.
   *
   * @throws {GitRequestError} `GIT_SLOW`: the client takes nothing. What writing throws.
   */
  async flush(): Promise<void> {
    if (this.#size === 0) return;
    const whole = this.#waiting.length === 1 ? this.#waiting[0] : joined(this.#waiting, this.#size);
    this.#waiting = [];
    this.#size = 0;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new GitRequestError("GIT_SLOW", "nothing is taken")), this.#stall);
    const writing = this.#writer.write(whole);
    writing.catch(() => {});
    try {
      await Promise.race([writing, late]);
      this.#sent += whole.byteLength;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends what is sent. Never rejects. */
  async close(): Promise<void> {
    await this.flush().catch(() => {});
    await this.#writer.close().catch(() => {});
  }

  /** Cuts what is sent. Never rejects. */
  async abort(reason: unknown): Promise<void> {
    await this.#writer.abort(reason).catch(() => {});
  }
}

/** Data, progress and signs of life in side bands. */
export class BandOutput implements Disposable {
  readonly #out: Output;
  readonly #most: number;
  /** The line that is being filled. */
  #line: Uint8Array;
  #filled = BAND_HEAD;
  #timer?: ReturnType<typeof setInterval>;

  /**
   * Lines for a client.
   *
   * @param out Where the lines go.
   * @param most Most data of a line.
   */
  constructor(out: Output, most: number = MAX_BAND) {
    this.#out = out;
    this.#most = BAND_HEAD + most;
    this.#line = new Uint8Array(this.#most);
  }

  /** Sends a sign of life every few seconds until data is sent. */
  keepAlive(): void {
    this.#timer ??= setInterval(
      () => void this.#out.put(KEEPALIVE).then(() => this.#out.flush()).catch(() => {}),
      KEEPALIVE_AFTER,
    );
  }

  /** Sends data, as lines become full. */
  async data(bytes: Uint8Array): Promise<void> {
    this[Symbol.dispose]();
    for (let at = 0; at < bytes.byteLength;) {
      const part = bytes.subarray(at, at + this.#most - this.#filled);
      this.#line.set(part, this.#filled);
      this.#filled += part.byteLength;
      at += part.byteLength;
      if (this.#filled === this.#most) await this.#flushLine();
    }
  }

  /** Sends text for people. */
  async progress(text: string): Promise<void> {
    await this.#out.put(bandText(Band.PROGRESS, text));
    await this.#out.flush();
  }

  /** Says that nothing more comes because of a fault. */
  async fatal(words: string): Promise<void> {
    await this.#out.put(bandText(Band.FATAL, words));
    await this.#out.flush();
  }

  /** Sends the data that is left. */
  async end(): Promise<void> {
    if (this.#filled > BAND_HEAD) await this.#flushLine();
  }

  /** Ends the signs of life. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #flushLine(): Promise<void> {
    const line = this.#line.subarray(0, this.#filled);
    writeBandHead(line, Band.DATA);
    this.#line = new Uint8Array(this.#most);
    this.#filled = BAND_HEAD;
    await this.#out.put(line);
  }
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
