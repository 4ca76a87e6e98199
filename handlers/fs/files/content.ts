/**
 * What a session writes: in memory while it is little, then in a file of the store's that nobody knows.
 *
 * @module
 */
import { type FileHandle, open } from "node:fs/promises";
import { readAt, writeAt } from "../blobs/disk/files.ts";

/** Bytes of one session that may be in memory. */
const MOST_IN_MEMORY = 256 * 1024;
const PIECE = 1024 * 1024;

/** Memory that all sessions share. */
export class MemoryPool {
  #left: number;

  /** @param bytes How much there is. */
  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Takes some; whether there was so much. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  /** Gives some back. */
  give(bytes: number): void {
    this.#left += bytes;
  }
}

/** Bytes that can be read and written anywhere. Calls come one after the other. */
export class Content {
  readonly #newPath: () => string;
  readonly #pool: MemoryPool;
  #bytes = new Uint8Array();
  #file: { readonly handle: FileHandle; readonly path: string } | undefined;
  #size = 0;

  /**
   * Nothing yet.
   *
   * @param newPath Where a file may be made.
   */
  constructor(newPath: () => string, pool: MemoryPool) {
    this.#newPath = newPath;
    this.#pool = pool;
  }

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** So many from a place on; fewer at the end. */
  async read(at: number, length: number): Promise<Uint8Array> {
    const count = Math.max(0, Math.min(length, this.#size - at));
    if (!this.#file) return this.#bytes.slice(at, at + count);
    const bytes = new Uint8Array(count);
    return bytes.subarray(0, await readAt(this.#file.handle, bytes, at));
  }

  /** Writes at a place; what was skipped is zeros. */
  async write(at: number, bytes: Uint8Array): Promise<void> {
    const end = at + bytes.byteLength;
    if (!this.#grows(end)) await this.#spill();
    if (this.#file) await writeAt(this.#file.handle, bytes, at);
    else this.#bytes.set(bytes, at);
    this.#size = Math.max(this.#size, end);
  }

  /** Makes it so long. */
  async truncate(size: number): Promise<void> {
    if (!this.#grows(size)) await this.#spill();
    if (this.#file) await this.#file.handle.truncate(size);
    else this.#bytes.fill(0, size, Math.max(size, this.#size));
    this.#size = size;
  }

  /** Takes over what somebody else has, in pieces. */
  async fill(size: number, read: (at: number, length: number) => Promise<Uint8Array>): Promise<void> {
    for (let at = 0; at < size;) {
      const piece = await read(at, Math.min(PIECE, size - at));
      if (piece.byteLength === 0) throw new Error("what was to be changed became shorter");
      await this.write(at, piece);
      at += piece.byteLength;
    }
  }

  /** All of it, for the store: few bytes, or a file which is its own from now on. Nothing is here any more. */
  async take(): Promise<{ readonly bytes: Uint8Array } | { readonly path: string }> {
    if (!this.#file || this.#size <= MOST_IN_MEMORY) {
      const bytes = await this.read(0, this.#size);
      await this.drop();
      return { bytes };
    }
    const { handle, path } = this.#file;
    this.#file = undefined;
    await handle.close();
    return { path };
  }

  /** Forgets it. Twice is harmless. */
  async drop(): Promise<void> {
    this.#pool.give(this.#bytes.byteLength);
    this.#bytes = new Uint8Array();
    this.#size = 0;
    const file = this.#file;
    this.#file = undefined;
    if (!file) return;
    await file.handle.close();
    await Deno.remove(file.path).catch(() => {});
  }

  /** Whether so many fit where the bytes are; what is in memory grows as it has to. */
  #grows(size: number): boolean {
    if (this.#file || size <= this.#bytes.byteLength) return true;
    if (size > MOST_IN_MEMORY) return false;
    const room = Math.min(MOST_IN_MEMORY, Math.max(4096, 2 ** Math.ceil(Math.log2(size))));
    if (!this.#pool.take(room - this.#bytes.byteLength)) return false;
    const bytes = new Uint8Array(room);
    bytes.set(this.#bytes);
    this.#bytes = bytes;
    return true;
  }

  async #spill(): Promise<void> {
    const path = this.#newPath();
    const handle = await open(path, "wx+", 0o600);
    this.#file = { handle, path };
    await writeAt(handle, this.#bytes.subarray(0, this.#size), 0);
    this.#pool.give(this.#bytes.byteLength);
    this.#bytes = new Uint8Array();
  }
}
