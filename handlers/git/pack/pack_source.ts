/**
 * A pack as it arrives: what has come and is not taken yet, a copy of all of it in a file, and the sum of what was taken.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { badPack, GitPackError } from "../errors.ts";

/** Where a pack comes from and goes to. */
export interface PackStream {
  /** The next bytes; nothing at the end. */
  read(): Promise<Uint8Array | undefined>;
  /** Keeps bytes. */
  write(bytes: Uint8Array): void;
  /** Bytes that a pack may have. */
  readonly maxBytes: number;
}

const NOTHING = new Uint8Array();

/** Bytes of a pack in order. */
export class PackSource {
  readonly #stream: PackStream;
  readonly #hash = createHash("sha1");
  #rest: Uint8Array = NOTHING;
  #at = 0;
  #summed = 0;
  #received = 0;
  #offset = 0;
  #over = false;

  /** @param stream Where they come from. */
  constructor(stream: PackStream) {
    this.#stream = stream;
  }

  /** Where in the pack the next byte lies that is not taken. */
  get offset(): number {
    return this.#offset;
  }

  /** What has come and is not taken. */
  get available(): Uint8Array {
    return this.#rest.subarray(this.#at);
  }

  /**
   * Waits until so many bytes are available.
   *
   * @throws {GitPackError} The pack ends before; it is too large.
   */
  async need(length: number): Promise<void> {
    while (this.#rest.byteLength - this.#at < length) if (!await this.#more()) throw badPack("truncated");
  }

  /** Whether all that comes has been taken; waits for the end of what comes. */
  async ended(): Promise<boolean> {
    return this.#at === this.#rest.byteLength && !await this.#more();
  }

  /** Takes bytes that are available. */
  take(length: number): Uint8Array {
    const taken = this.#rest.subarray(this.#at, this.#at + length);
    this.#at += length;
    this.#offset += length;
    return taken;
  }

  /** The sum of all that was taken. Nothing more is added to it. */
  sum(): Uint8Array {
    this.#addUp();
    this.#over = true;
    return new Uint8Array(this.#hash.digest());
  }

  async #more(): Promise<boolean> {
    const bytes = await this.#stream.read();
    if (!bytes) return false;
    this.#received += bytes.byteLength;
    if (this.#received > this.#stream.maxBytes) throw new GitPackError("pack too large");
    this.#stream.write(bytes);
    this.#addUp();
    const rest = this.available;
    if (rest.byteLength === 0) this.#rest = bytes;
    else {
      this.#rest = new Uint8Array(rest.byteLength + bytes.byteLength);
      this.#rest.set(rest);
      this.#rest.set(bytes, rest.byteLength);
    }
    this.#at = 0;
    this.#summed = 0;
    return true;
  }

  #addUp(): void {
    if (!this.#over) this.#hash.update(this.#rest.subarray(this.#summed, this.#at));
    this.#summed = this.#at;
  }
}
