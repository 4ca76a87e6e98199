/**
 * Writing to places of a file: what follows each other goes together.
 *
 * @module
 */
import type { FileHandle } from "node:fs/promises";
import type { Maybe } from "../../../bao/outboard.ts";
import { writeAt } from "../files.ts";

const LEAST = 16 * 1024;

/** Collects what follows each other, and writes it at once. */
export class RunWriter {
  readonly #file: FileHandle;
  readonly #most: number;
  #buffer = new Uint8Array(LEAST);
  /** One that was written. */
  #spare: Uint8Array<ArrayBuffer> | undefined;
  #from = 0;
  #filled = 0;
  #writing: Promise<void> = Promise.resolve();

  /** @param most Bytes that wait. */
  constructor(file: FileHandle, most: number) {
    this.#file = file;
    this.#most = most;
  }

  /** Takes bytes, which are copied, and are no more than may wait. */
  put(at: number, bytes: Uint8Array): Maybe<void> {
    const follows = this.#filled === 0 || at === this.#from + this.#filled;
    if (follows && this.#take(at, bytes)) return;
    const written = this.flush();
    this.#take(at, bytes);
    return written;
  }

  /** Writes what waits. */
  flush(): Promise<void> {
    if (this.#filled === 0) return this.#writing;
    const bytes = this.#buffer.subarray(0, this.#filled);
    const at = this.#from;
    const buffer = this.#buffer;
    this.#buffer = this.#spare ?? new Uint8Array(this.#most);
    this.#spare = undefined;
    this.#filled = 0;
    // In turn, and none after one that failed. The buffer belongs to the one that is under way.
    const writing = this.#writing.then(() => writeAt(this.#file, bytes, at)).then(() => {
      if (buffer.byteLength === this.#most) this.#spare = buffer;
    });
    writing.catch(() => {});
    return this.#writing = writing;
  }

  /** Forgets what waits, and what failed. */
  async clear(): Promise<void> {
    this.#filled = 0;
    await this.#writing.catch(() => {});
    this.#writing = Promise.resolve();
  }

  #take(at: number, bytes: Uint8Array): boolean {
    if (this.#filled === 0) this.#from = at;
    if (this.#filled + bytes.byteLength > this.#buffer.byteLength) return false;
    this.#buffer.set(bytes, this.#filled);
    this.#filled += bytes.byteLength;
    return true;
  }
}
