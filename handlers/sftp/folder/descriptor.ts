/**
 * A descriptor that is closed once, and not while a call on another thread uses it: its number would by then be another file's.
 *
 * @module
 */
import { StoreError } from "../file_store.ts";
import { closeAway } from "./libc.ts";

/** An open file of the kernel's. */
export class Descriptor implements AsyncDisposable {
  readonly #fd: number;
  #uses = 0;
  #closed = false;
  readonly #unused = Promise.withResolvers<void>();

  constructor(fd: number) {
    this.#fd = fd;
  }

  /** Calls `work` with the number, which stays valid until it is done. */
  async use<T>(work: (fd: number) => T | Promise<T>): Promise<T> {
    if (this.#closed) throw new StoreError("FAILURE", "it is closed");
    this.#uses++;
    try {
      return await work(this.#fd);
    } finally {
      this.#uses--;
      if (this.#closed && this.#uses === 0) this.#unused.resolve();
    }
  }

  /** Closes when the last use is over. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#uses > 0) await this.#unused.promise;
    // Only now do some network file systems say that what was written did not arrive.
    if (!await closeAway(this.#fd)) throw new StoreError("FAILURE", "the disk refused what was written");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
