/**
 * A file read by position in blocks, which a cache keeps: a hit costs no call of the system.
 *
 * @module
 */
import { readSync } from "node:fs";
import { corrupt } from "../errors.ts";
import type { ByteCache } from "./byte_cache.ts";

/** Bytes that are read at a time. */
export const BLOCK: number = 256 * 1024;

/** An open file. Whoever opened it closes it. */
export class Blocks {
  readonly #fd: number;
  readonly #id: string;
  readonly #cache: ByteCache<Uint8Array>;
  #last?: { readonly number: number; readonly bytes: Uint8Array };

  /**
   * @param fd Its descriptor.
   * @param id What tells it from others in the cache.
   */
  constructor(fd: number, id: string, cache: ByteCache<Uint8Array>) {
    this.#fd = fd;
    this.#id = id;
    this.#cache = cache;
  }

  /**
   * Bytes of the file.
   *
   * @throws {AlknetError} `GIT_CORRUPT`: it ends before.
   */
  bytes(offset: number, length: number): Uint8Array {
    const number = Math.floor(offset / BLOCK);
    const start = offset - number * BLOCK;
    if (start + length <= BLOCK) {
      const found = this.#block(number).subarray(start, start + length);
      if (found.byteLength < length) throw corrupt("a pack ends early");
      return found;
    }
    const whole = new Uint8Array(length);
    for (let at = 0; at < length;) {
      const from = (offset + at) % BLOCK;
      const part = this.#block(Math.floor((offset + at) / BLOCK)).subarray(from, from + length - at);
      if (part.byteLength === 0) throw corrupt("a pack ends early");
      whole.set(part, at);
      at += part.byteLength;
    }
    return whole;
  }

  /**
   * Bytes of the file for whoever reads it through, in pieces that hold until the next is asked for: nothing is kept, as
   * nobody reads it again, and nothing is left to be collected.
   *
   * @throws {AlknetError} `GIT_CORRUPT`: it ends before.
   */
  *through(from: number, to: number): Generator<Uint8Array> {
    const buffer = new Uint8Array(Math.min(BLOCK, to - from));
    for (let at = from; at < to;) {
      const read = readSync(this.#fd, buffer, 0, Math.min(buffer.byteLength, to - at), at);
      if (read === 0) throw corrupt("a pack ends early");
      yield buffer.subarray(0, read);
      at += read;
    }
  }

  #block(number: number): Uint8Array {
    // Most reads are of the block that was read before.
    if (this.#last?.number === number) return this.#last.bytes;
    const key = `${this.#id}:${number}`;
    const held = this.#cache.get(key);
    if (held) {
      this.#last = { number, bytes: held };
      return held;
    }
    const block = new Uint8Array(BLOCK);
    let filled = 0;
    for (let read = -1; read !== 0 && filled < BLOCK; filled += read) {
      read = readSync(this.#fd, block, filled, BLOCK - filled, number * BLOCK + filled);
    }
    const bytes = block.subarray(0, filled);
    this.#cache.set(key, bytes, BLOCK);
    this.#last = { number, bytes };
    return bytes;
  }
}
