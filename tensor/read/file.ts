/**
 * An open file: what is in it, and its tensors, without reading more than is asked for (tensor.md §10).
 *
 * @module
 */
import type { StructTensor, TensorDocument } from "../format/document.ts";
import { type Dtype, isAligned, type TensorArray, viewAs } from "../format/dtype.ts";
import { TensorError } from "../format/errors.ts";
import { type Entry, isPadding } from "../format/entry.ts";
import type { Header } from "../format/header.ts";
import { layoutOf } from "../format/layout.ts";
import type { Mode, TensorLimits } from "../format/limits.ts";
import type { Regions } from "../format/values.ts";
import { Blobs } from "./blobs.ts";
import { algorithmOf, hasher } from "./digest.ts";
import { Records } from "./records.ts";
import { planSlice, type SliceRange } from "./slice.ts";
import type { Advice, Source } from "./source.ts";

/** Bytes of a piece, of streams and digests. */
const PIECE = 1 << 20;
/** Runs of a slice that are read one by one. */
const FEW_RUNS = 16;

/** What is known of a tensor without its data. */
export interface TensorInfo {
  /** Its name. */
  readonly name: string;
  /** How it is to be read. A blob is listed under its own name, and so are its two entries. */
  readonly kind: "flat" | "struct" | "blob";
  /** Element type; of a blob, that of its data. */
  readonly dtype: Dtype;
  /** Extents; of a blob, its items. */
  readonly shape: readonly number[];
  /** First byte and the byte after the last, relative to the data region; of a blob, those of its data. */
  readonly range: readonly [number, number];
  /** Digest, where the document has one. */
  readonly digest: string | undefined;
}

/** A tensor with its data. */
export interface Tensor {
  /** Its name. */
  readonly name: string;
  /** Element type. */
  readonly dtype: Dtype;
  /** Extents, slowest first. */
  readonly shape: readonly number[];
  /** The elements. */
  readonly data: TensorArray;
  /** Whether the data is a copy: the source has no memory to show, or the file puts the tensor where no view may begin. */
  readonly copied: boolean;
}

/** An open file. Hold it with `using`. */
export class TensorFile implements Disposable {
  /** The header. */
  readonly header: Header;
  /** The document; undefined in a plain safetensors file. */
  readonly document: TensorDocument | undefined;
  /** How it judges what it reads. */
  readonly mode: Mode;
  readonly #source: Source;
  readonly #limits: TensorLimits;
  readonly #warn: (message: string) => void;
  readonly #digested = new Set<string>();
  #closed = false;

  /** Made by `open`. */
  constructor(
    source: Source,
    header: Header,
    document: TensorDocument | undefined,
    mode: Mode,
    limits: TensorLimits,
    warn: (message: string) => void,
  ) {
    this.header = header;
    this.document = document;
    this.mode = mode;
    this.#source = source;
    this.#limits = limits;
    this.#warn = warn;
  }

  /** How bytes come to the caller: `map` and `memory` show them where they lie, `read` copies. */
  get access(): "memory" | "map" | "read" {
    return this.#source.access;
  }

  /** Bytes of the file. */
  get size(): number {
    return this.header.dataStart + this.header.dataLength;
  }

  /** What `__metadata__` holds. */
  get metadata(): ReadonlyMap<string, string> {
    return this.header.metadata ?? new Map();
  }

  /** Names of the tensors in the order of the file, then those of blobs, which have none of their own there. */
  names(): string[] {
    const entries = this.header.ordered.map(({ name }) => name).filter((name) => !isPadding(name));
    const blobs = [...this.document?.tensors.values() ?? []].filter(({ kind }) => kind === "blob");
    return [...entries, ...blobs.map(({ name }) => name).filter((name) => !this.header.entries.has(name))];
  }

  /** Whether there is a tensor of that name. */
  has(name: string): boolean {
    return this.header.entries.has(name) || this.document?.tensors.get(name) !== undefined;
  }

  /** What is known of a tensor. */
  info(name: string): TensorInfo {
    const described = this.document?.tensors.get(name);
    const { dtype, shape, start, end } = this.#entry(described?.kind === "blob" ? described.data : name);
    const kind = described?.kind ?? "flat";
    const own = described?.kind === "blob" ? [described.count] : shape;
    return { name, kind, dtype, shape: own, range: [start, end], digest: this.document?.digests.get(name) };
  }

  /**
   * Bytes of an entry, where they lie if the source has memory to show, else copied.
   *
   * @param range From and to, relative to the entry. Default: the whole.
   */
  bytes(name: string, range: readonly [from?: number, to?: number] = []): Uint8Array<ArrayBuffer> {
    const { from, length } = this.#checked(name, range);
    return this.#source.view(from, length) ?? this.#copy(name, from, length);
  }

  /** A tensor with its data in the typed array of its element type. */
  tensor(name: string): Tensor {
    const { dtype, shape } = this.#entry(name);
    const { from, length } = this.#checked(name);
    const shown = this.#source.view(from, length);
    const inPlace = shown !== undefined && isAligned(dtype, shown);
    const bytes = inPlace ? shown : this.#copy(name, from, length, shown);
    if (dtype === "BOOL" && this.mode === "strict") refuseOddBooleans(name, bytes);
    return { name, dtype, shape, data: viewAs(dtype, bytes), copied: !inPlace };
  }

  /** The data of a tensor; {@linkcode TensorFile.tensor} says besides whether it was copied. */
  array(name: string): TensorArray {
    return this.tensor(name).data;
  }

  /** A part of a tensor: a copy, for which only the byte runs that it touches are read. */
  slice(name: string, ...ranges: SliceRange[]): Tensor {
    const { dtype, shape } = this.#entry(name);
    const { from, length } = this.#checked(name);
    const plan = planSlice(name, dtype, shape, ranges);
    this.#refuseLarge(name, plan.size);
    // A few reads cost less than to map the file.
    const source = this.#source;
    const shown = plan.count > FEW_RUNS || source.isShown ? source.view(from, length) : undefined;
    let bytes = new Uint8Array(plan.count === 1 && !shown ? 0 : plan.size);
    let at = 0;
    plan.runs((offset, run) => {
      const part = shown?.subarray(offset, offset + run) ?? source.read(from + offset, run);
      if (bytes.length === 0) bytes = part;
      else bytes.set(part, at);
      at += run;
    });
    return { name, dtype, shape: plan.shape, data: viewAs(dtype, bytes), copied: true };
  }

  /**
   * The records of a struct. Its entry is looked at when this is called; of a file that is read, not mapped, it is read
   * whole.
   */
  records<T = unknown>(name: string): Records<T> {
    return new Records<T>(this.#struct(name), this.bytes(name), this.#regions());
  }

  /** One record. */
  record(name: string, record: number): unknown {
    return this.#one(name, record).at(0);
  }

  /** One field of one record, by dotted path. */
  field(name: string, record: number, path: string): unknown {
    return this.#one(name, record).field(0, path);
  }

  /** One field of every record; see {@linkcode Records.column}. */
  column(name: string, path: string): TensorArray | unknown[] {
    return this.records(name).column(path);
  }

  /** The items of a blob. */
  blobs<T = unknown>(name: string): Blobs<T> {
    const blob = this.document?.tensors.get(name);
    if (blob?.kind !== "blob") throw new TensorError("E_KIND", "the tensor is no blob", { tensor: name });
    const wide = this.#entry(blob.index).dtype === "U64";
    const { schema } = this.document!;
    const element = blob.type === undefined ? undefined : layoutOf(schema!, schema!.pointed(blob.type, name));
    const index = this.bytes(blob.index);
    return new Blobs<T>(blob, index, wide, this.bytes(blob.data), element, this.#regions(), this.#limits.blobBytes);
  }

  /** One item of a blob. For many, {@linkcode TensorFile.blobs} is faster. */
  blob(name: string, item: number): unknown {
    return this.blobs(name).at(item);
  }

  /** The bytes of an entry, piece by piece. */
  stream(name: string): ReadableStream<Uint8Array<ArrayBuffer>> {
    const { from, length } = this.#checked(name);
    let at = 0;
    return new ReadableStream({
      pull: (controller) => {
        const piece = Math.min(PIECE, length - at);
        if (piece > 0) controller.enqueue(this.#source.read(from + at, piece));
        at += piece;
        if (at === length) controller.close();
      },
    }, { highWaterMark: 0 });
  }

  /** Tells the system how a tensor is going to be read; a mapped file alone can use it. */
  advise(name: string, advice: Advice): void {
    const { start, end } = this.#entry(name);
    this.#open();
    this.#source.advise(this.header.dataStart + start, end - start, advice);
  }

  /** Bytes of the file, from its beginning: what a stream sends. */
  raw(offset: number, length: number): Uint8Array<ArrayBuffer> {
    this.#open();
    return this.#source.read(offset, length);
  }

  /** What has changed of the source since it was opened, if something has. */
  changed(): string | undefined {
    return this.#source.changed();
  }

  /**
   * Checks the digest of an entry, if it has one.
   *
   * @throws {TensorError} `E_DIGEST`.
   */
  checkDigest(name: string): void {
    const wanted = this.document?.digests.get(name);
    if (wanted === undefined || this.#digested.has(name)) return;
    const { start, end } = this.#entry(name);
    const hash = hasher(algorithmOf(wanted));
    for (let at = start; at < end; at += PIECE) {
      const length = Math.min(PIECE, end - at);
      const from = this.header.dataStart + at;
      hash.update(this.#source.view(from, length) ?? this.#source.read(from, length));
    }
    const found = hash.text();
    if (found !== wanted) {
      const message = `its bytes have the digest ${found}, the document says ${wanted}`;
      throw new TensorError("E_DIGEST", message, { tensor: name, offsets: [start, end] });
    }
    this.#digested.add(name);
  }

  /** Closes the file. Views of a mapped file are empty from then on; the file's change while it was open is warned of. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const changed = this.#source.changed();
    this.#source[Symbol.dispose]();
    if (changed !== undefined) this.#warn(changed);
  }

  /** The same as {@linkcode TensorFile.close}. */
  [Symbol.dispose](): void {
    this.close();
  }

  /** One record alone, so that a file that is read costs one record. */
  #one(name: string, record: number): Records {
    const struct = this.#struct(name);
    if (!Number.isInteger(record) || record < 0 || record >= struct.count) {
      throw new RangeError(`tensor ${name} has ${struct.count} records; there is no record ${record}`);
    }
    const bytes = this.bytes(name, [record * struct.stride, (record + 1) * struct.stride]);
    return new Records({ ...struct, count: 1 }, bytes, this.#regions());
  }

  #struct(name: string): StructTensor {
    const struct = this.document?.tensors.get(name);
    if (struct?.kind === "struct") return struct;
    throw new TensorError("E_KIND", "the tensor holds no records", { tensor: name });
  }

  #regions(): Regions {
    return {
      read: (region, offset, length) => {
        const { start, end } = this.#entry(region);
        if (offset + length > end - start) {
          const message = `a reference leads to bytes ${offset} to ${offset + length} of ${end - start}`;
          throw new TensorError("E_ACCESS", message, { tensor: region, offsets: [start, end] });
        }
        return this.bytes(region, [offset, offset + length]);
      },
    };
  }

  #entry(name: string): Entry {
    const entry = this.header.entries.get(name);
    if (entry) return entry;
    throw new TensorError("E_NAME", "the file has no such tensor", { tensor: name });
  }

  /** Where bytes of an entry lie in the file, its digest checked and the file as long as it was. */
  #checked(name: string, [from = 0, to]: readonly [from?: number, to?: number] = []): { from: number; length: number } {
    const { start, end } = this.#entry(name);
    this.#open();
    const last = to ?? end - start;
    if (!(from >= 0 && from <= last && last <= end - start)) {
      throw new RangeError(`tensor ${name} has ${end - start} bytes; ${from} to ${last} is no part of it`);
    }
    this.#source.check();
    this.checkDigest(name);
    return { from: this.header.dataStart + start + from, length: last - from };
  }

  #copy(name: string, from: number, length: number, shown?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    this.#refuseLarge(name, length);
    return shown?.slice() ?? this.#source.read(from, length);
  }

  #refuseLarge(name: string, length: number): void {
    if (length <= this.#limits.readBytes) return;
    const message =
      `${length} bytes in one read; ${this.#limits.readBytes} are allowed: take slices, or raise limits.readBytes`;
    throw new TensorError("E_LIMIT", message, { tensor: name });
  }

  #open(): void {
    if (this.#closed) throw new TensorError("E_CLOSED", "the file was closed");
  }
}

function refuseOddBooleans(tensor: string, bytes: Uint8Array): void {
  const odd = bytes.findIndex((byte) => byte > 1);
  if (odd < 0) return;
  throw new TensorError("E_ACCESS", `element ${odd} is ${bytes[odd]}; a BOOL is 0 or 1`, {
    tensor,
    offsets: [odd, odd + 1],
  });
}
