/**
 * Fields of packets: `uint32`, `uint64`, `string` (RFC 4251 §5), all of them within the packet or none.
 *
 * @module
 */
import { decodeName, encodeName } from "../file_name.ts";
import { MalformedPacketError } from "./malformed.ts";

const encoder = new TextEncoder();
/** A UTF-16 unit has three bytes of UTF-8 at most. */
const MOST_PER_UNIT = 3;

/** Reads fields from the beginning of a packet to its end. */
export class FieldReader {
  /** Of the request, once it was read: errors carry it. */
  id: number | undefined;
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  #at: number;

  /**
   * A reader of one packet.
   *
   * @param bytes The packet.
   * @param at Where the first field begins.
   */
  constructor(bytes: Uint8Array<ArrayBuffer>, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
  }

  /** Bytes that are left. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** 32 bits without a sign. */
  uint32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  /** 64 bits without a sign: exact up to 2^53, and above it above it. */
  uint64(): number {
    const at = this.#take(8);
    return this.#view.getUint32(at) * 2 ** 32 + this.#view.getUint32(at + 4);
  }

  /** A `string`: a view of the packet. */
  bytes(): Uint8Array<ArrayBuffer> {
    const length = this.uint32();
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A `string` that is a name. */
  name(): string {
    return decodeName(this.bytes());
  }

  /** All there was. */
  end(): void {
    if (this.left > 0) throw new MalformedPacketError(`${this.left} bytes after the last field`, this.id);
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) {
      throw new MalformedPacketError(`a field of ${length} bytes where ${this.left} are left`, this.id);
    }
    this.#at += length;
    return at;
  }
}

/** Writes a packet, its length before it. */
export class FieldWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #at = 4;

  /**
   * A packet that holds its type.
   *
   * @param type Of the packet.
   * @param room Bytes that it will likely have.
   */
  constructor(type: number, room = 64) {
    this.#bytes = new Uint8Array(room + 5);
    this.#view = new DataView(this.#bytes.buffer);
    this.#bytes[this.#at++] = type;
  }

  /** 32 bits. */
  uint32(value: number): this {
    this.#grow(4);
    this.#view.setUint32(this.#at, value);
    this.#at += 4;
    return this;
  }

  /** 64 bits. */
  uint64(value: number | bigint): this {
    this.#grow(8);
    if (typeof value === "bigint") this.#view.setBigUint64(this.#at, value);
    else {
      this.#view.setUint32(this.#at, value / 2 ** 32);
      this.#view.setUint32(this.#at + 4, value % 2 ** 32);
    }
    this.#at += 8;
    return this;
  }

  /** A `string` of bytes. */
  bytes(value: Uint8Array): this {
    this.uint32(value.length);
    this.#grow(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
    return this;
  }

  /** A `string` of text or of a name. */
  name(value: string): this {
    if (!value.isWellFormed()) return this.bytes(encodeName(value));
    this.#grow(4 + value.length * MOST_PER_UNIT);
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(this.#at + 4));
    this.uint32(written);
    this.#at += written;
    return this;
  }

  /** The packet as it goes out. */
  finish(): Uint8Array<ArrayBuffer> {
    this.#view.setUint32(0, this.#at - 4);
    return this.#bytes.subarray(0, this.#at);
  }

  #grow(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#at + more, this.#bytes.length * 2));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
