/**
 * What goes to a requester, with an end to waiting for one that takes nothing.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

/** Parts are sent together up to this. */
const TOGETHER = 64 * 1024;

/** The requester took nothing for too long. */
export class SlowError extends AlknetError {
  /** The class, as it stands before the message. */
  override readonly name = "SlowError";

  constructor() {
    super("SLOW", "the requester takes nothing");
  }
}

/** Writes to a requester. */
export class Output {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #stall: number;
  /** Settles once the requester has left, or all was sent. */
  readonly gone: Promise<void>;
  #buffer = new Uint8Array();
  #filled = 0;
  #sent = 0;

  /** @param stall Milliseconds that a write may wait. */
  constructor(writable: WritableStream<Uint8Array>, stall: number) {
    this.#writer = writable.getWriter();
    this.gone = this.#writer.closed.then(() => {}, () => {});
    this.#stall = stall;
  }

  /** Bytes sent. */
  get sent(): number {
    return this.#sent;
  }

  /**
   * Takes bytes, which are copied.
   *
   * @throws {SlowError} What writing throws.
   */
  async put(bytes: Uint8Array): Promise<void> {
    if (this.#filled + bytes.byteLength > this.#buffer.byteLength) {
      await this.flush();
      this.#buffer = new Uint8Array(Math.max(TOGETHER, bytes.byteLength));
    }
    this.#buffer.set(bytes, this.#filled);
    this.#filled += bytes.byteLength;
  }

  /**
   * Sends what is left, and ends the stream.
   *
   * @throws {SlowError} What writing throws.
   */
  async end(): Promise<void> {
    await this.flush();
    await this.#within(this.#writer.close());
  }

  /**
   * Sends what was taken.
   *
   * @throws {SlowError} What writing throws.
   */
  async flush(): Promise<void> {
    if (this.#filled === 0) return;
    const bytes = this.#buffer.subarray(0, this.#filled);
    // What was written belongs to the transport now.
    this.#buffer = this.#buffer.subarray(this.#filled);
    this.#filled = 0;
    await this.#within(this.#writer.write(bytes));
    this.#sent += bytes.byteLength;
  }

  async #within(work: Promise<void>): Promise<void> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new SlowError()), this.#stall);
    work.catch(() => {});
    try {
      await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}
