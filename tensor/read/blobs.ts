/**
 * Items of a blob: strings, bytes, JSON and ragged rows, each found by one look at the index (tensor.md §5.3).
 *
 * @module
 */
import type { BlobTensor } from "../format/document.ts";
import { TensorError } from "../format/errors.ts";
import type { Layout } from "../format/layout.ts";
import { AMPLIFICATION } from "../format/limits.ts";
import { readerOf, type Regions, utf8 } from "../format/values.ts";

/** Up to this length, in bytes, letters are put together one by one: a call of the decoder costs more. */
const SHORT = 24;

/** The items of a blob. */
export class Blobs<T = unknown> implements Iterable<T> {
  /** Items. */
  readonly length: number;
  readonly #blob: BlobTensor;
  readonly #rows: DataView;
  readonly #wide: boolean;
  readonly #data: Uint8Array<ArrayBuffer>;
  readonly #decode: (bytes: Uint8Array<ArrayBuffer>, item: number) => unknown;
  readonly #budget: number;

  /**
   * Made by `TensorFile.blobs`.
   *
   * @param index Bytes of the index entry; `wide` where they are U64.
   * @param data Bytes of the data entry.
   * @param element Layout of an element, of ragged rows.
   * @param budget Bytes that all items may come to where rows overlap.
   */
  constructor(
    blob: BlobTensor,
    index: Uint8Array<ArrayBuffer>,
    wide: boolean,
    data: Uint8Array<ArrayBuffer>,
    element: Layout | undefined,
    regions: Regions,
    budget: number,
  ) {
    this.#blob = blob;
    this.length = blob.count;
    this.#rows = new DataView(index.buffer, index.byteOffset, index.byteLength);
    this.#wide = wide;
    this.#data = data;
    this.#budget = budget;
    this.#decode = decoderOf(blob, element, regions);
  }

  /** One item. */
  at(item: number): T {
    return this.#decode(this.bytes(item), item) as T;
  }

  /** The bytes of one item, where they lie. */
  bytes(item: number): Uint8Array<ArrayBuffer> {
    if (!Number.isInteger(item) || item < 0 || item >= this.length) {
      throw new RangeError(`blob ${this.#blob.name} has ${this.length} items; there is no item ${item}`);
    }
    const start = this.#offset(item);
    const end = start + this.#length(item);
    if (end > this.#data.length) {
      throw this.#fault("E_ACCESS", item, start, end, `the data has ${this.#data.length} bytes`);
    }
    if (this.#blob.packed) this.#checkNeighbours(item, start, end);
    return this.#data.subarray(start, end);
  }

  /**
   * Every item.
   *
   * @throws {TensorError} `E_AMPLIFY` where rows overlap so much that the items come to more than the budget.
   */
  all(): T[] {
    if (!this.#blob.packed) {
      const most = Math.max(AMPLIFICATION * this.#data.length, this.#budget);
      let sum = 0;
      for (let i = 0; i < this.length; i++) {
        sum += this.#length(i);
        if (sum <= most) continue;
        const message = `its items come to more than ${most} bytes; read them one by one, or raise limits.blobBytes`;
        throw new TensorError("E_AMPLIFY", message, { tensor: this.#blob.name });
      }
    }
    return Array.from({ length: this.length }, (_, i) => this.at(i));
  }

  /** Item after item. */
  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }

  /** Checks every row, and with `decode` every item. */
  check(decode = false): void {
    for (let i = 0; i < this.length; i++) {
      const bytes = this.bytes(i);
      if (decode) this.#decode(bytes, i);
    }
    if (this.#blob.packed && this.length === 0 && this.#data.length > 0) {
      throw this.#fault("E_KIND", 0, 0, this.#data.length, "no row covers the data");
    }
  }

  /** A packed row begins where the one before it ends, the first at 0, and the last ends where the data does. */
  #checkNeighbours(item: number, start: number, end: number): void {
    const before = item === 0 ? 0 : this.#offset(item - 1) + this.#length(item - 1);
    const after = item === this.length - 1 ? this.#data.length : this.#offset(item + 1);
    if (before === start && after === end) return;
    throw this.#fault("E_KIND", item, start, end, `a packed row begins at ${before} here and ends at ${after}`);
  }

  #offset(item: number): number {
    return this.#wide ? Number(this.#rows.getBigUint64(item * 16, true)) : this.#rows.getUint32(item * 8, true);
  }

  #length(item: number): number {
    return this.#wide ? Number(this.#rows.getBigUint64(item * 16 + 8, true)) : this.#rows.getUint32(item * 8 + 4, true);
  }

  #fault(code: "E_ACCESS" | "E_KIND", item: number, start: number, end: number, message: string): TensorError {
    const place = { tensor: this.#blob.name, field: String(item), offsets: [start, end] as const };
    return new TensorError(code, message, place);
  }
}

function decoderOf(
  { name, encoding }: BlobTensor,
  element: Layout | undefined,
  regions: Regions,
): (bytes: Uint8Array<ArrayBuffer>, item: number) => unknown {
  if (element) {
    const read = readerOf(element);
    return (bytes, item) => {
      if (element.size === 0 || bytes.length % element.size !== 0) {
        const message = `${bytes.length} bytes are not a whole number of elements of ${element.size}`;
        throw new TensorError("E_ACCESS", message, { tensor: name, field: String(item) });
      }
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return Array.from({ length: bytes.length / element.size }, (_, i) => read(view, i * element.size, regions));
    };
  }
  if (encoding === "bytes") return (bytes) => bytes;
  const text = (bytes: Uint8Array, item: number): string => short(bytes) ?? utf8(bytes, String(item), name);
  if (encoding === "utf8") return text;
  return (bytes, item) => {
    try {
      return JSON.parse(text(bytes, item));
    } catch (cause) {
      if (cause instanceof TensorError) throw cause;
      throw new TensorError("E_ACCESS", "the item is not JSON", { tensor: name, field: String(item), cause });
    }
  };
}

/** A short text of ASCII, or undefined where it is longer or more. */
function short(bytes: Uint8Array): string | undefined {
  const { length } = bytes;
  if (length > SHORT) return undefined;
  let text = "";
  for (let i = 0; i < length; i++) {
    const byte = bytes[i];
    if (byte > 0x7f) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}
