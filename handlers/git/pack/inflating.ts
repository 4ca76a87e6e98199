/**
 * One zlib stream (RFC 1950) of which neither the end nor all bytes are known yet.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import { createInflate, type Inflate } from "node:zlib";
import { badPack } from "../errors.ts";

/** Bytes of a piece of what is inflated. */
const PIECE = 64 * 1024;

/** A stream that is being inflated. Disposing lets it go. */
export class Inflating implements Disposable {
  readonly #inflate: Inflate = createInflate({ chunkSize: PIECE });
  readonly #size: number;
  #made = 0;
  #failed = false;
  #ended = false;
  #wake?: () => void;

  /**
   * Begins.
   *
   * @param size Bytes that it has to make.
   * @param sink Takes pieces of them.
   */
  constructor(size: number, sink: (piece: Uint8Array) => void) {
    this.#size = size;
    this.#inflate.on("data", (piece: Uint8Array) => {
      this.#made += piece.byteLength;
      if (this.#made <= size) sink(piece);
    });
    this.#inflate.on("error", () => {
      this.#failed = true;
      this.#wake?.();
    });
    this.#inflate.on("end", () => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  /**
   * Adds bytes, of which some may be beyond the stream's end.
   *
   * @returns How many of all bytes given were the stream's, once it has ended.
   * @throws {GitPackError} It is no zlib stream, or not of that size.
   */
  async push(bytes: Uint8Array): Promise<number | undefined> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.#inflate.write(bytes, () => resolve());
    });
    if (this.#made > this.#size) throw badPack("size");
    if (this.#failed) throw badPack("checksum");
    // The end is told a turn after the last write is done with.
    if (!this.#ended) await new Promise((resolve) => setImmediate(resolve));
    if (!this.#ended) return undefined;
    if (this.#made !== this.#size) throw badPack("size");
    return this.#inflate.bytesWritten;
  }

  /** Lets it go. */
  [Symbol.dispose](): void {
    this.#inflate.destroy();
  }
}
