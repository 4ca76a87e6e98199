/**
 * Records of a struct tensor: by number, by field, by column.
 *
 * @module
 */
import type { StructTensor } from "../format/document.ts";
import { isAligned, type TensorArray, viewAs } from "../format/dtype.ts";
import { TensorError } from "../format/errors.ts";
import type { Layout } from "../format/layout.ts";
import { locate, paddingOf, type Reader, readerOf, type Regions } from "../format/values.ts";

/** The records of a struct tensor. Readers are compiled once for each path. */
export class Records<T = unknown> implements Iterable<T> {
  /** Records. */
  readonly length: number;
  readonly #struct: StructTensor;
  readonly #view: DataView<ArrayBuffer>;
  readonly #regions: Regions;
  readonly #readers = new Map<string, { read: Reader; offset: number; layout: Layout }>();

  /** Made by `TensorFile.records`, of the bytes of its entry. */
  constructor(struct: StructTensor, bytes: Uint8Array<ArrayBuffer>, regions: Regions) {
    this.#struct = struct;
    this.length = struct.count;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#regions = regions;
  }

  /** One record. */
  at(record: number): T {
    return this.field(record, "") as T;
  }

  /** One field of one record: nothing else of it is read. */
  field(record: number, path: string): unknown {
    const { read, offset } = this.#reader(path);
    try {
      return read(this.#view, this.#start(record) + offset, this.#regions);
    } catch (error) {
      throw this.#located(error, record);
    }
  }

  /**
   * One field of every record. Numbers come in the typed array of their kind, `Boolean` as `Uint8Array`, `BFloat16` as
   * `Float32Array`, an `Enum` as indices in a `Uint32Array`, tensors one after another in theirs; all else in a list.
   */
  column(path: string): TensorArray | unknown[] {
    const { read, offset, layout } = this.#reader(path);
    const { stride } = this.#struct;
    const view = this.#view;
    if (layout.kind === "Tensor") return this.#tensors(offset, layout);
    const array = columnArray(layout, this.length);
    if (layout.kind === "Enum") {
      for (let i = 0; i < this.length; i++) {
        // Checks the index.
        this.field(i, path);
        array![i] = view.getUint32(i * stride + offset, true);
      }
      return array!;
    }
    if (!array) return Array.from({ length: this.length }, (_, i) => this.field(i, path));
    let record = 0;
    try {
      for (; record < this.length; record++) {
        array[record] = read(view, record * stride + offset, this.#regions) as number;
      }
    } catch (error) {
      throw this.#located(error, record);
    }
    return array;
  }

  /** Record after record. */
  *[Symbol.iterator](): Iterator<T> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }

  /** Checks that the padding of every record is zeros. */
  checkPadding(): void {
    const gaps = paddingOf(this.#struct.layout);
    const { stride, name: tensor } = this.#struct;
    for (let i = 0; i < this.length && gaps.length > 0; i++) {
      for (const [from, to] of gaps) {
        for (let at = from; at < to; at++) {
          if (this.#view.getUint8(i * stride + at) === 0) continue;
          const offsets = [i * stride + from, i * stride + to] as const;
          throw new TensorError("E_STRICT", `padding of record ${i} is not zeros`, { tensor, offsets });
        }
      }
    }
  }

  #reader(path: string): { read: Reader; offset: number; layout: Layout } {
    let known = this.#readers.get(path);
    if (!known) {
      const { layout, offset } = locate(this.#struct.layout, path);
      this.#readers.set(path, known = { read: readerOf(layout, path), offset, layout });
    }
    return known;
  }

  #start(record: number): number {
    if (Number.isInteger(record) && record >= 0 && record < this.length) return record * this.#struct.stride;
    throw new RangeError(`tensor ${this.#struct.name} has ${this.length} records; there is no record ${record}`);
  }

  #tensors(offset: number, { dtype, size }: Layout & { kind: "Tensor" }): TensorArray {
    const all = new Uint8Array(size * this.length);
    for (let i = 0; i < this.length; i++) {
      const from = this.#view.byteOffset + i * this.#struct.stride + offset;
      all.set(new Uint8Array(this.#view.buffer, from, size), i * size);
    }
    return viewAs(dtype, isAligned(dtype, all) ? all : all.slice());
  }

  #located(error: unknown, record: number): unknown {
    if (!(error instanceof TensorError) || error.tensor !== undefined) return error;
    const field = `${record}.${error.field ?? ""}`;
    return new TensorError(error.code, error.message, { tensor: this.#struct.name, field, cause: error });
  }
}

type Writable = { [index: number]: number | bigint | boolean } & TensorArray;

function columnArray(layout: Layout, length: number): Writable | undefined {
  switch (layout.kind) {
    case "Int8":
      return new Int8Array(length) as Writable;
    case "Uint8":
    case "Boolean":
      return new Uint8Array(length) as Writable;
    case "Int16":
      return new Int16Array(length) as Writable;
    case "Uint16":
      return new Uint16Array(length) as Writable;
    case "Float16":
      return new Float16Array(length) as Writable;
    case "Int32":
      return new Int32Array(length) as Writable;
    case "Uint32":
    case "Enum":
      return new Uint32Array(length) as Writable;
    case "Float32":
    case "BFloat16":
      return new Float32Array(length) as Writable;
    case "Int64":
      return new BigInt64Array(length) as unknown as Writable;
    case "Uint64":
      return new BigUint64Array(length) as unknown as Writable;
    case "Float64":
      return new Float64Array(length) as Writable;
    default:
      return undefined;
  }
}
