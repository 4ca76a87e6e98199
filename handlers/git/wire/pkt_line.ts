/**
 * pkt-lines: the frames of git's protocol (gitprotocol-common, "pkt-line Format").
 *
 * ```text
 * 0009done\n   four hex digits count themselves and the data
 * 0000         flush: the end of a message
 * 0001         delim: between sections
 * ```
 *
 * @module
 */
import { GitRequestError, malformed } from "../errors.ts";

/** Longest line, its length included. */
export const MAX_LINE = 0xfff0;

/** One line: its data, or one of the two marks. */
export type Packet = Uint8Array | "flush" | "delim";

/** `0000`. */
export const FLUSH: Uint8Array<ArrayBuffer> = new TextEncoder().encode("0000");
/** `0001`. */
export const DELIM: Uint8Array<ArrayBuffer> = new TextEncoder().encode("0001");

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/**
 * One line of data; of text, with the LF that git writes after it.
 *
 * @throws {RangeError} It does not fit.
 */
export function pktLine(data: string | Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = typeof data === "string" ? encoder.encode(data + "\n") : data;
  const length = bytes.byteLength + 4;
  if (length > MAX_LINE) throw new RangeError(`a pkt-line of ${length} bytes; up to ${MAX_LINE} fit`);
  const line = new Uint8Array(length);
  line.set(encoder.encode(length.toString(16).padStart(4, "0")));
  line.set(bytes, 4);
  return line;
}

/** `ERR` and the words, which git prints after `remote error:`. */
export function errorLine(words: string): Uint8Array<ArrayBuffer> {
  return pktLine(encoder.encode(`ERR ${words}`));
}

/**
 * The text of a line, without one trailing LF.
 *
 * @throws {GitRequestError} `GIT_PROTOCOL`: it is not UTF-8.
 */
export function lineText(data: Uint8Array): string {
  try {
    const text = decoder.decode(data);
    return text.endsWith("\n") ? text.slice(0, -1) : text;
  } catch {
    throw malformed("a line is not UTF-8");
  }
}

/** Reads lines from a stream of bytes. */
export class PktReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  /** @param source Locked until {@linkcode release}. */
  constructor(source: ReadableStream<Uint8Array>) {
    this.#reader = source.getReader();
  }

  /**
   * The next line, or nothing at the end of the stream.
   *
   * @param idle Milliseconds of silence after which it gives up.
   * @throws {GitRequestError} `GIT_PROTOCOL`: the length is none, or the stream ends inside of a line; `GIT_SLOW`.
   */
  async next(idle?: number): Promise<Packet | undefined> {
    if (!await this.#fill(4, idle)) {
      if (this.#rest.byteLength === 0) return undefined;
      throw malformed("the stream ends inside of a line");
    }
    const length = lengthOf(this.#rest);
    if (length === 0 || length === 1) {
      this.#rest = this.#rest.subarray(4);
      return length === 0 ? "flush" : "delim";
    }
    if (!await this.#fill(length, idle)) throw malformed("the stream ends inside of a line");
    const data = this.#rest.subarray(4, length);
    this.#rest = this.#rest.subarray(length);
    return data;
  }

  /**
   * The next bytes as they come, whatever they are; nothing at the end of the stream.
   *
   * @param idle Milliseconds of silence after which it gives up.
   * @throws {GitRequestError} `GIT_SLOW`.
   */
  async bytes(idle?: number): Promise<Uint8Array | undefined> {
    while (this.#rest.byteLength === 0) {
      const { done, value } = await this.#read(idle);
      if (done) return undefined;
      this.#rest = value;
    }
    const bytes = this.#rest;
    this.#rest = new Uint8Array();
    return bytes;
  }

  /**
   * Reads and drops what still comes, up to `limit` bytes. Resolves to whether that was all.
   *
   * @param idle Milliseconds of silence after which it gives up.
   * @throws {GitRequestError} `GIT_SLOW`.
   */
  async drain(limit: number, idle?: number): Promise<boolean> {
    for (let dropped = 0; dropped <= limit;) {
      const { done, value } = await this.#read(idle);
      if (done) return true;
      dropped += value.byteLength;
    }
    return false;
  }

  /** Cancels the source. Never rejects. */
  async cancel(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }

  async #fill(length: number, idle?: number): Promise<boolean> {
    if (this.#rest.byteLength >= length) return true;
    const parts = [this.#rest];
    let size = this.#rest.byteLength;
    while (size < length) {
      const { done, value } = await this.#read(idle);
      if (done) break;
      parts.push(value);
      size += value.byteLength;
    }
    this.#rest = parts.length === 2 && parts[0].byteLength === 0 ? parts[1] : joined(parts, size);
    return size >= length;
  }

  async #read(idle: number | undefined): Promise<ReadableStreamReadResult<Uint8Array>> {
    if (idle === undefined) return await this.#reader.read();
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new GitRequestError("GIT_SLOW", "request timed out")), idle);
    try {
      return await Promise.race([this.#reader.read(), late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

/** What the four digits say: 0, 1, or 4 to `fff0`. */
function lengthOf(bytes: Uint8Array): number {
  let length = 0;
  for (let i = 0; i < 4; i++) {
    const digit = digitOf(bytes[i]);
    if (digit < 0) throw malformed("bad line length");
    length = length * 16 + digit;
  }
  if (length === 2 || length === 3 || length > MAX_LINE) throw malformed("bad line length");
  return length;
}

function digitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
