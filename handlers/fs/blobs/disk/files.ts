/**
 * Files of a store: read in windows, written in pieces, on the disk before anyone is told.
 *
 * @module
 */
import { type FileHandle, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { Maybe } from "../../bao/outboard.ts";

/** Data and outboards up to this lie in the database. */
export const INLINE = 16 * 1024;
/** Bytes that are read at once by whoever reads on. */
const WINDOW = 64 * 1024;
const MODE = 0o600;

/** Bytes that are to be kept: at hand while they are few, else in a file. */
export type Staged = { readonly bytes: Uint8Array } | { readonly path: string };

/** Takes bytes in order; many go into a file. */
export class Spill implements AsyncDisposable {
  readonly #newPath: () => string;
  #buffer = new Uint8Array(INLINE);
  readonly #bufferSize: number;
  #filled = 0;
  #written = 0;
  #file?: { readonly handle: FileHandle; readonly path: string };

  /**
   * @param newPath Where a file may be made.
   * @param bufferSize Bytes that are written at once.
   */
  constructor(newPath: () => string, bufferSize: number) {
    this.#newPath = newPath;
    this.#bufferSize = bufferSize;
  }

  /** Takes bytes; they are copied. */
  write(bytes: Uint8Array): Maybe<void> {
    if (this.#filled + bytes.byteLength > this.#buffer.byteLength) return this.#spill(bytes);
    this.#buffer.set(bytes, this.#filled);
    this.#filled += bytes.byteLength;
  }

  /** What was written; a file is on the disk. */
  async end(): Promise<Staged> {
    if (!this.#file) return { bytes: this.#buffer.slice(0, this.#filled) };
    const { handle, path } = this.#file;
    await this.#flush();
    await handle.datasync();
    await this[Symbol.asyncDispose]();
    return { path };
  }

  /** Closes the file. */
  async [Symbol.asyncDispose](): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.handle.close();
  }

  async #spill(bytes: Uint8Array): Promise<void> {
    if (!this.#file) {
      const path = this.#newPath();
      this.#file = { path, handle: await open(path, "wx", MODE) };
      const buffer = new Uint8Array(this.#bufferSize);
      buffer.set(this.#buffer.subarray(0, this.#filled));
      this.#buffer = buffer;
    }
    for (let rest = bytes; rest.byteLength > 0;) {
      const part = rest.subarray(0, this.#buffer.byteLength - this.#filled);
      this.#buffer.set(part, this.#filled);
      this.#filled += part.byteLength;
      rest = rest.subarray(part.byteLength);
      if (this.#filled === this.#buffer.byteLength) await this.#flush();
    }
  }

  async #flush(): Promise<void> {
    await writeAt(this.#file!.handle, this.#buffer.subarray(0, this.#filled), this.#written);
    this.#written += this.#filled;
    this.#filled = 0;
  }
}

/** Reads a file anywhere; whoever reads on waits for the disk once a window. */
export class WindowReader implements AsyncDisposable {
  readonly #handle: FileHandle;
  readonly #window = new Uint8Array(WINDOW);
  #from = 0;
  #filled = 0;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Opens a file. */
  static async open(path: string): Promise<WindowReader> {
    return new WindowReader(await open(path, "r"));
  }

  /** So many bytes, up to 16 KiB, valid until the next call; fewer at the end of the file. */
  read(at: number, length: number): Maybe<Uint8Array> {
    const from = at - this.#from;
    if (from >= 0 && from + length <= this.#filled) return this.#window.subarray(from, from + length);
    return this.#readWindow(at, length);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#handle.close();
  }

  async #readWindow(at: number, length: number): Promise<Uint8Array> {
    this.#from = at;
    this.#filled = 0;
    this.#filled = await readAt(this.#handle, this.#window, at);
    return this.#window.subarray(0, Math.min(length, this.#filled));
  }
}

/** Reads as many bytes as fit and there are. Returns how many. */
export async function readAt(handle: FileHandle, into: Uint8Array, at: number): Promise<number> {
  let done = 0;
  while (done < into.byteLength) {
    const { bytesRead } = await handle.read(into, done, into.byteLength - done, at + done);
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return done;
}

/** Writes all bytes. */
export async function writeAt(handle: FileHandle, bytes: Uint8Array, at: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.byteLength - done, at + done);
    done += bytesWritten;
  }
}

/** Waits until a file is on the disk. */
export async function syncFile(path: string): Promise<void> {
  const handle = await open(path, "r+");
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
}

/** Moves a file to its name, in a folder that is made if it is not there. */
export async function place(from: string, to: string): Promise<void> {
  const folder = dirname(to);
  try {
    await Deno.rename(from, to);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    await syncFolder(dirname(folder));
    await Deno.rename(from, to);
  }
}

/** Waits until the names in a folder are on the disk. */
export async function syncFolder(path: string): Promise<void> {
  let folder: Deno.FsFile;
  try {
    folder = await Deno.open(path);
  } catch {
    // Not every platform can open a folder; the content of the files is on the disk already.
    return;
  }
  try {
    await folder.sync();
  } finally {
    folder.close();
  }
}
