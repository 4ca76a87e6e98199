/**
 * Reads an answer piece by piece, without a copy where a piece lies in one chunk.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { ByteReader } from "../bao/decode.ts";
import { GROUP } from "../bao/tree.ts";
import type { Maybe } from "../bao/outboard.ts";

const EMPTY = new Uint8Array();

/** Reads a stream. */
export class StreamReader implements ByteReader, Disposable {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #stall: number;
  readonly #signal: AbortSignal | undefined;
  readonly #scratch = new Uint8Array(GROUP);
  #chunk: Uint8Array;
  #received = 0;

  /**
   * @param stall Milliseconds without a byte.
   * @param signal Ends what waits, with its reason.
   * @param first What was read before.
   */
  constructor(readable: ReadableStream<Uint8Array>, stall: number, signal?: AbortSignal, first: Uint8Array = EMPTY) {
    this.#reader = readable.getReader();
    this.#stall = stall;
    this.#signal = signal;
    this.#chunk = first;
  }

  /** Bytes that came. */
  get received(): number {
    return this.#received;
  }

  /** So many bytes, up to 16 KiB, valid until the next call; fewer at the end. */
  read(length: number): Maybe<Uint8Array> {
    if (this.#chunk.byteLength < length) return this.#collect(length);
    const part = this.#chunk.subarray(0, length);
    this.#chunk = this.#chunk.subarray(length);
    return part;
  }

  /** Lets go of the stream, and wants no more of it. */
  [Symbol.dispose](): void {
    this.#reader.cancel().catch(() => {});
  }

  async #collect(length: number): Promise<Uint8Array> {
    let filled = 0;
    for (;;) {
      const part = this.#chunk.subarray(0, length - filled);
      this.#scratch.set(part, filled);
      filled += part.byteLength;
      this.#chunk = this.#chunk.subarray(part.byteLength);
      if (filled === length) break;
      const next = await this.#next();
      if (!next) break;
      this.#chunk = next;
      this.#received += next.byteLength;
    }
    return this.#scratch.subarray(0, filled);
  }

  /** The next chunk; nothing at the end. */
  async #next(): Promise<Uint8Array | undefined> {
    this.#signal?.throwIfAborted();
    const { promise: ended, reject } = Promise.withResolvers<never>();
    const late = (): void => reject(new AlknetError("TIMEOUT", `nothing came for ${this.#stall / 1000} s`));
    const abort = (): void => reject(this.#signal!.reason);
    const timer = setTimeout(late, this.#stall);
    this.#signal?.addEventListener("abort", abort, { once: true });
    const reading = this.#reader.read();
    reading.catch(() => {});
    try {
      return (await Promise.race([reading, ended])).value;
    } finally {
      clearTimeout(timer);
      this.#signal?.removeEventListener("abort", abort);
    }
  }
}
