/**
 * Loose objects: a file each, `objects/ab/cdef…`, header and content in one zlib stream (gitrepository-layout).
 *
 * @module
 */
import { closeSync, existsSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { corrupt, tooLarge } from "../../errors.ts";
import { type ObjectHeader, parseObjectHeader } from "../../objects/header.ts";
import { isOid, type Kind, type Oid } from "../../objects/oid.ts";
import { inflateExactly, inflateStart } from "../../pack/inflate.ts";
import type { StoredObject } from "../../pack/pack_file.ts";

/** Bytes of a file that hold a header for sure, whatever deflated it. */
const START = 512;

/** The loose objects of a folder `objects`. */
export class LooseObjects {
  readonly #folder: string;

  /** @param folder Path of `objects`. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Whether an object is there. */
  has(oid: Oid): boolean {
    return existsSync(this.#path(oid));
  }

  /** What an object is, or nothing. */
  info(oid: Oid): ObjectHeader | undefined {
    const fd = unlessMissing(() => openSync(this.#path(oid), "r"));
    if (fd === undefined) return undefined;
    try {
      const start = new Uint8Array(Math.min(START, fstatSync(fd).size));
      return parseObjectHeader(inflateStart(start.subarray(0, readSync(fd, start, 0, start.byteLength, 0))));
    } finally {
      closeSync(fd);
    }
  }

  /**
   * An object, whole, or nothing.
   *
   * @throws {AlknetError} `OBJECT_TOO_LARGE`, `GIT_CORRUPT`.
   */
  read(oid: Oid, limit: number): StoredObject | undefined {
    const header = this.info(oid);
    if (!header) return undefined;
    if (header.size > limit) throw tooLarge(`object ${oid}`, header.size, limit);
    const file = unlessMissing(() => readFileSync(this.#path(oid)));
    if (!file) return undefined;
    const bytes = inflateExactly(file, header.length + header.size);
    return { kind: header.kind, bytes: bytes.subarray(header.length) };
  }

  /** An object in pieces, or nothing. The stream errors where it is not as long as its header says. */
  async stream(oid: Oid): Promise<{ kind: Kind; size: number; body: ReadableStream<Uint8Array> } | undefined> {
    const header = this.info(oid);
    if (!header) return undefined;
    const file = await Deno.open(this.#path(oid));
    const inflated = file.readable.pipeThrough(new DecompressionStream("deflate"));
    let skip = header.length;
    let rest = header.size;
    const body = inflated.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(piece, controller) {
          const part = piece.subarray(Math.min(skip, piece.byteLength));
          skip -= piece.byteLength - part.byteLength;
          rest -= part.byteLength;
          if (rest < 0) throw corrupt("a loose object is longer than it says");
          if (part.byteLength > 0) controller.enqueue(part);
        },
        flush() {
          if (rest !== 0) throw corrupt("a loose object is shorter than it says");
        },
      }),
    );
    return { kind: header.kind, size: header.size, body };
  }

  /** Objects whose ids begin so; `prefix` has two digits or more. */
  startingWith(prefix: string, most: number): Oid[] {
    const folder = prefix.slice(0, 2);
    const found: Oid[] = [];
    for (const name of unlessMissing(() => readdirSync(`${this.#folder}/${folder}`)) ?? []) {
      if (found.length === most) break;
      if ((folder + name).startsWith(prefix) && isOid(folder + name)) found.push(folder + name);
    }
    return found;
  }

  #path(oid: Oid): string {
    return `${this.#folder}/${oid.slice(0, 2)}/${oid.slice(2)}`;
  }
}

/** Names of loose objects, as they were when they were first asked for: for many questions in a row. */
export class LooseNames {
  readonly #folder: string;
  readonly #names = new Map<string, ReadonlySet<string>>();
  readonly #prefixes: ReadonlySet<string>;

  /** @param folder Path of `objects`. */
  constructor(folder: string) {
    this.#folder = folder;
    this.#prefixes = new Set(unlessMissing(() => readdirSync(folder)) ?? []);
  }

  /** Whether an object is there. */
  has(oid: Oid): boolean {
    const prefix = oid.slice(0, 2);
    if (!this.#prefixes.has(prefix)) return false;
    let names = this.#names.get(prefix);
    if (!names) {
      names = new Set(unlessMissing(() => readdirSync(`${this.#folder}/${prefix}`)) ?? []);
      this.#names.set(prefix, names);
    }
    return names.has(oid.slice(2));
  }
}

/** What a look at the disk gives, or nothing where the file is not there. */
export function unlessMissing<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}
