/**
 * Writing: sizes first, then the data in one pass, then a rename: what stands under the name is the old file or the new.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import type { Dtype } from "../format/dtype.ts";
import { TensorError } from "../format/errors.ts";
import { type Entry, isPadding } from "../format/entry.ts";
import { openSync } from "../read/open.ts";
import { type EntryPlan, type FilePlan, planFile, type PlanOptions } from "./plan.ts";

/** The data of a tensor: in memory, or piece by piece, made when its turn comes. */
export type TensorData =
  | ArrayBufferView
  | AsyncIterable<ArrayBufferView>
  | Iterable<ArrayBufferView>
  | (() => AsyncIterable<ArrayBufferView> | Iterable<ArrayBufferView> | ArrayBufferView);

/** A tensor to write. */
export interface TensorToWrite extends EntryPlan {
  /** Element type. */
  readonly dtype: Dtype;
  /** Its elements, row by row. */
  readonly data: TensorData;
}

/** Tensors to write, by name. */
export type TensorsToWrite = Readonly<Record<string, TensorToWrite>> | ReadonlyMap<string, TensorToWrite>;

/** Options of {@linkcode write}. */
export interface WriteOptions extends PlanOptions {
  /** Opens the file in strict mode before it gets its name. Default false. */
  readonly verify?: boolean;
  /** Waits until the disk has the file before it gets its name, against a machine that stops. Default false. */
  readonly sync?: boolean;
  /** Gives up, and leaves nothing. */
  readonly signal?: AbortSignal;
  /** Told how much is written, from 0 to 1. */
  readonly progress?: (part: number) => void;
}

/** Bytes of one write: what fits into the processor's caches is written two to three times as fast as 8 MiB at once. */
const PIECE = 1 << 20;

/**
 * Writes a file of tensors.
 *
 * @param path The file; one of that name is replaced, and mappings of it stay as they are.
 * @throws {TensorError} `E_SIZE_MISMATCH` data of another length than its shape says; what {@linkcode planFile} refuses.
 */
export async function write(
  path: string | URL,
  tensors: TensorsToWrite,
  options: WriteOptions = {},
): Promise<FilePlan> {
  const named = tensors instanceof Map ? tensors : new Map(Object.entries(tensors));
  const plan = planFile(named, options);
  await using file = await FileWriter.create(path, plan, options);
  for (const { name } of plan.entries) {
    if (!isPadding(name)) await file.put(name, named.get(name)!.data);
  }
  await file.commit();
  return plan;
}

/** The same in memory. The data is in memory too. */
export function encode(
  tensors: Readonly<Record<string, EntryPlan & { readonly data: ArrayBufferView }>>,
  options: PlanOptions = {},
): Uint8Array<ArrayBuffer> {
  const plan = planFile(Object.entries(tensors), options);
  const file = new Uint8Array(plan.size);
  file.set(plan.head);
  for (const { name, start, end } of plan.entries) {
    if (isPadding(name)) continue;
    const bytes = bytesOf(tensors[name].data);
    if (bytes.length !== end - start) throw wrongLength(name, bytes.length, end - start);
    file.set(bytes, plan.head.length + start);
  }
  return file;
}

/** A file that is being written beside the place it is going to have. */
export class FileWriter implements AsyncDisposable {
  readonly #path: string;
  readonly #temporary: string;
  readonly #file: Deno.FsFile;
  readonly #plan: FilePlan;
  readonly #options: WriteOptions;
  readonly #missing: Set<string>;
  readonly #entries: ReadonlyMap<string, Entry>;
  #at: number;
  #done = false;

  private constructor(path: string, temporary: string, file: Deno.FsFile, plan: FilePlan, options: WriteOptions) {
    this.#path = path;
    this.#temporary = temporary;
    this.#file = file;
    this.#plan = plan;
    this.#options = options;
    this.#at = plan.head.length;
    this.#entries = new Map(plan.entries.map((entry) => [entry.name, entry]));
    this.#missing = new Set(plan.entries.filter(({ name }) => !isPadding(name)).map(({ name }) => name));
  }

  /** Begins a file: writes its header. */
  static async create(path: string | URL, plan: FilePlan, options: WriteOptions = {}): Promise<FileWriter> {
    const target = path instanceof URL ? fileURLToPath(path) : path;
    const temporary = `${target}.${crypto.randomUUID().slice(0, 8)}.part`;
    const file = await Deno.open(temporary, { createNew: true, write: true, read: true });
    const writer = new FileWriter(target, temporary, file, plan, options);
    try {
      await writer.#write(plan.head);
      return writer;
    } catch (error) {
      await writer[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Writes a tensor. In the order of the plan it is one pass; in another it seeks. */
  async put(name: string, data: TensorData): Promise<void> {
    const entry = this.#entry(name);
    const size = entry.end - entry.start;
    await this.#seek(this.#plan.head.length + entry.start);
    let left = size;
    for await (const piece of piecesOf(data)) {
      this.#options.signal?.throwIfAborted();
      const bytes = bytesOf(piece);
      left -= bytes.length;
      if (left < 0) throw wrongLength(name, size - left, size);
      await this.#write(bytes);
    }
    if (left > 0) throw wrongLength(name, size - left, size);
    this.#missing.delete(name);
  }

  /** Gives the file its name. */
  async commit(): Promise<void> {
    const [missing] = this.#missing;
    if (missing !== undefined) throw new TensorError("E_MISSING", "the tensor was not written", { tensor: missing });
    // Padding that nothing followed is a hole of the file: zeros.
    await this.#file.truncate(this.#plan.size);
    if (this.#options.verify) openSync(this.#temporary, { mode: "strict" }).close();
    if (this.#options.sync) await this.#file.sync();
    this.#file.close();
    this.#done = true;
    try {
      await Deno.rename(this.#temporary, this.#path);
    } catch (error) {
      await Deno.remove(this.#temporary).catch(() => {});
      throw error;
    }
  }

  /** Leaves nothing behind, unless it was committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#done) return;
    this.#done = true;
    this.#file.close();
    await Deno.remove(this.#temporary).catch(() => {});
  }

  async #seek(offset: number): Promise<void> {
    // Padding between is left out: where nothing is written, a file holds zeros.
    if (offset !== this.#at) await this.#file.seek(offset, Deno.SeekMode.Start);
    this.#at = offset;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      const written = await this.#file.write(bytes.subarray(at, at + PIECE));
      at += written;
      this.#at += written;
      this.#options.progress?.(this.#at / this.#plan.size);
    }
  }

  #entry(name: string): Entry {
    const entry = this.#entries.get(name);
    if (entry) return entry;
    throw new TensorError("E_NAME", "the plan has no such tensor", { tensor: name });
  }
}

/** The bytes of a view, where they lie. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function piecesOf(data: TensorData): AsyncIterable<ArrayBufferView> | Iterable<ArrayBufferView> {
  const made = typeof data === "function" ? data() : data;
  return ArrayBuffer.isView(made) ? [made] : made as AsyncIterable<ArrayBufferView>;
}

function wrongLength(tensor: string, found: number, wanted: number): TensorError {
  return new TensorError("E_SIZE_MISMATCH", `its data has ${found} bytes; shape and dtype take ${wanted}`, { tensor });
}
