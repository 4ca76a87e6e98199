/**
 * Reading and writing the wire: bytes, minimal LEB128 of 64 bits, and lists behind their count.
 *
 * @module
 */
import { WireError } from "./wire_error.ts";

const MAX_U64 = 2n ** 64n - 1n;
/** Bytes of the largest number. */
const LONGEST = 10;

/** Reads a whole message: a reader takes all or throws. */
export class WireReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  /** @param bytes The message. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#bytes.byteLength - this.#at;
  }

  /**
   * One byte.
   *
   * @throws {WireError} There is none.
   */
  byte(): number {
    if (this.left === 0) throw new WireError("it ends early");
    return this.#bytes[this.#at++];
  }

  /**
   * So many bytes.
   *
   * @throws {WireError} There are fewer.
   */
  take(length: number): Uint8Array {
    if (this.left < length) throw new WireError("it ends early");
    return this.#bytes.subarray(this.#at, this.#at += length);
  }

  /**
   * A number of up to 64 bits.
   *
   * @throws {WireError} It is cut, padded or larger.
   */
  u64(): bigint {
    let low = 0;
    let value = 0n;
    for (let i = 0; i < LONGEST; i++) {
      const byte = this.byte();
      // Four bytes fit a small integer, and most numbers are shorter.
      if (i < 4) low |= (byte & 0x7f) << 7 * i;
      else value |= BigInt(byte & 0x7f) << BigInt(7 * i);
      if (byte >= 0x80) continue;
      if (byte === 0 && i > 0) throw new WireError("a number is padded");
      value |= BigInt(low);
      if (value > MAX_U64) break;
      return value;
    }
    throw new WireError("a number has more than 64 bits");
  }

  /**
   * How many items follow.
   *
   * @param most The limit.
   * @throws {WireError} More than that.
   */
  count(most: number): number {
    const count = this.u64();
    if (count > BigInt(most)) throw new WireError(`a list is longer than ${most}`);
    return Number(count);
  }

  /**
   * That nothing is left.
   *
   * @throws {WireError} Something is.
   */
  end(): void {
    if (this.left > 0) throw new WireError("bytes follow its end");
  }
}

/** Writes a message. */
export class WireWriter {
  readonly #bytes: number[] = [];

  /** Bytes as they are. */
  put(...bytes: readonly number[]): this {
    this.#bytes.push(...bytes);
    return this;
  }

  /** Bytes as they are. */
  bytes(bytes: Uint8Array): this {
    for (const byte of bytes) this.#bytes.push(byte);
    return this;
  }

  /**
   * A number.
   *
   * @throws {RangeError} It has more than 64 bits, or a sign.
   */
  u64(value: bigint | number): this {
    let rest = BigInt(value);
    if (rest < 0n || rest > MAX_U64) throw new RangeError(`${value} is no number of 64 bits`);
    for (; rest >= 0x80n; rest >>= 7n) this.#bytes.push(Number(rest & 0x7fn) | 0x80);
    this.#bytes.push(Number(rest));
    return this;
  }

  /** What was written. */
  done(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }
}
