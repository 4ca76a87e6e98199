/**
 * Bytes on their way out, counted and summed up with SHA-1, as the trailer of a pack needs it (gitformat-pack).
 *
 * @module
 */
import { createHash } from "node:crypto";

/** Takes bytes; resolves when more may come. */
export type Sink = (bytes: Uint8Array) => Promise<void>;

/** A sink that counts. */
export class Sha1Sink {
  readonly #sink: Sink;
  readonly #hash = createHash("sha1");
  #length = 0;

  /** @param sink Where the bytes go. */
  constructor(sink: Sink) {
    this.#sink = sink;
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  /** Passes bytes on. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#length += bytes.byteLength;
    this.#hash.update(bytes);
    await this.#sink(bytes);
  }

  /** Writes the sum of all so far, 20 bytes, and ends. */
  async end(): Promise<void> {
    await this.#sink(new Uint8Array(this.#hash.digest()));
  }
}
