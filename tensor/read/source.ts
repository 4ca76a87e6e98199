/**
 * Where the bytes of a file come from: memory, a reader of any kind, a file read by position.
 *
 * @module
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { TensorError } from "../format/errors.ts";

/** Something to read at any place: what a caller may bring instead of a path. */
export interface SeekableReader {
  /** Bytes in all. */
  readonly size: number;
  /** Exactly `length` bytes from `offset`, in memory that is the caller's from then on. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer>;
}

/** What is going to be read, and how; mapped memory is told to the system. */
export type Advice = "normal" | "random" | "sequential" | "willneed" | "dontneed";

/** Bytes of a file's beginning in which most headers end: one read instead of two. */
const HEAD = 4096;
/** Where the beginning of one file after another is read to. */
const head = new Uint8Array(HEAD);

/** A source of a file, as the handle uses it. */
export interface Source extends SeekableReader, Disposable {
  /** How its bytes come to the caller. */
  readonly access: "memory" | "map" | "read";
  /** The file's beginning, 4096 bytes or all; to be read before anything else is asked. */
  head(): Uint8Array<ArrayBuffer>;
  /** Whether {@linkcode view} shows bytes at no cost. */
  readonly isShown: boolean;
  /** The bytes where they lie, without a copy, or undefined where the source has no memory to show. */
  view(offset: number, length: number): Uint8Array<ArrayBuffer> | undefined;
  /** Throws `E_TRUNCATED` where the source has become shorter than it was. */
  check(): void;
  /** What has changed since it was opened, if something has. */
  changed(): string | undefined;
  /** Says what is going to be read. */
  advise(offset: number, length: number, advice: Advice): void;
}

/** What tells whether a file is the same and as it was. */
export interface Stamp {
  /** Bytes. */
  readonly size: number;
  /** Which file it is. */
  readonly file: string;
  /** When it was last written to, to compare. */
  readonly written: number | undefined;
}

/** A file in memory. */
export function memorySource(bytes: Uint8Array<ArrayBuffer>): Source {
  return {
    size: bytes.length,
    access: "memory",
    isShown: true,
    head: () => bytes.subarray(0, HEAD),
    read: (offset, length) => bytes.slice(offset, offset + length),
    view: (offset, length) => bytes.subarray(offset, offset + length),
    check() {},
    changed: () => undefined,
    advise() {},
    [Symbol.dispose]() {},
  };
}

/** A reader that a caller brought. */
export function readerSource(reader: SeekableReader): Source {
  const read = (offset: number, length: number): Uint8Array<ArrayBuffer> => {
    const bytes = reader.read(offset, length);
    if (bytes.length === length) return bytes;
    throw truncated(offset, length, offset + bytes.length);
  };
  return {
    size: reader.size,
    access: "read",
    isShown: false,
    head: () => read(0, Math.min(HEAD, reader.size)),
    read,
    view: () => undefined,
    check() {},
    changed: () => undefined,
    advise() {},
    [Symbol.dispose]() {},
  };
}

/** An open file, read by position. */
export class FileSource implements Source {
  /** Bytes when it was opened. */
  readonly size: number;
  /** The open file. */
  protected readonly descriptor: number;
  readonly #path: string;
  readonly #before: Stamp;
  #closed = false;

  /** Opens a file for reading. */
  constructor(path: string) {
    this.#path = path;
    this.descriptor = openSync(path, "r");
    try {
      this.#before = this.stamp(path);
    } catch (error) {
      closeSync(this.descriptor);
      throw error;
    }
    this.size = this.#before.size;
  }

  /** See {@linkcode Source.access}. */
  get access(): Source["access"] {
    return "read";
  }

  /** See {@linkcode Source.isShown}. */
  get isShown(): boolean {
    return false;
  }

  /** See {@linkcode Source.head}. */
  head(): Uint8Array<ArrayBuffer> {
    const length = Math.min(HEAD, this.size);
    this.#fill(head, 0, length);
    return length === HEAD ? head : head.subarray(0, length);
  }

  /** See {@linkcode SeekableReader.read}. */
  read(offset: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    this.#fill(bytes, offset, length);
    return bytes;
  }

  #fill(bytes: Uint8Array<ArrayBuffer>, offset: number, length: number): void {
    if (this.#closed) throw this.#wasClosed();
    for (let at = 0; at < length;) {
      const got = this.readAt(bytes, at, Math.min(length - at, 2 ** 30), offset + at);
      if (got === 0) throw truncated(offset, length, offset + at);
      at += got;
    }
  }

  /** Reads up to so many bytes of the file from `offset` to `at` of the array, and says how many. */
  protected readAt(bytes: Uint8Array<ArrayBuffer>, at: number, length: number, offset: number): number {
    return readSync(this.descriptor, bytes, at, length, offset);
  }

  /** See {@linkcode Source.view}. */
  view(_offset: number, _length: number): Uint8Array<ArrayBuffer> | undefined {
    return undefined;
  }

  /** See {@linkcode Source.check}. */
  check(): void {
    if (this.#closed) throw this.#wasClosed();
    const size = this.length();
    if (size < this.size) {
      throw new TensorError(
        "E_TRUNCATED",
        `${this.#path} had ${this.size} bytes when it was opened and has ${size} now`,
      );
    }
  }

  /** See {@linkcode Source.changed}. */
  changed(): string | undefined {
    if (this.#closed) return undefined;
    const now = this.#stampNow();
    // Another file has taken the name: ours may be as it was.
    const same = now?.file === this.#before.file ? now : undefined;
    const size = same ? same.size : this.length();
    if (size !== this.size) return `${this.#path} had ${this.size} bytes when it was opened and has ${size} now`;
    if (!same || same.written === this.#before.written) return undefined;
    return `${this.#path} was written to while it was open`;
  }

  /**
   * What tells whether the open file is the same and as it was. By path, which takes a quarter of what it takes by
   * descriptor. Should the file be replaced between the two, reads and checks go by the descriptor: a shorter one is
   * found to be cut short.
   */
  protected stamp(path: string): Stamp {
    const { size, dev, ino, mtime } = Deno.statSync(path);
    return { size, file: `${dev}:${ino}`, written: mtime?.getTime() };
  }

  #stampNow(): Stamp | undefined {
    try {
      return this.stamp(this.#path);
    } catch {
      return undefined;
    }
  }

  /** Bytes of the open file now. */
  protected length(): number {
    return fstatSync(this.descriptor).size;
  }

  #wasClosed(): TensorError {
    return new TensorError("E_CLOSED", `${this.#path} was closed`);
  }

  /** See {@linkcode Source.advise}. */
  advise(_offset: number, _length: number, _advice: Advice): void {}

  /** Closes the file. */
  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.descriptor);
  }
}

function truncated(offset: number, length: number, end: number): TensorError {
  return new TensorError("E_TRUNCATED", `asked for ${length} bytes at ${offset} of the file, which ends at ${end}`);
}
