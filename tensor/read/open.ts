/**
 * Opening: header and document are read and checked, the data is not.
 *
 * @module
 */
import { fileURLToPath } from "node:url";
import { documentOf, type TensorDocument } from "../format/document.ts";
import { TensorError } from "../format/errors.ts";
import { LENGTH_FIELD } from "../format/entry.ts";
import { type Header, headerLength, parseHeader } from "../format/header.ts";
import { DEFAULT_LIMITS, type Mode, type TensorLimits } from "../format/limits.ts";
import { TensorFile } from "./file.ts";
import { canMap, MappedSource } from "./mapped.ts";
import { FileSource, memorySource, readerSource, type SeekableReader, type Source } from "./source.ts";
import { checkStrict } from "./strict.ts";

/** Options of {@linkcode open}. */
export interface OpenOptions {
  /**
   * `compat` (the default) takes what the reference reader of safetensors takes and is not ambiguous; `strict` asks for
   * what writers of this format must do, and reads padding and rows of blobs to check them. For files from strangers.
   */
  readonly mode?: Mode;
  /** Limits that differ from {@linkcode DEFAULT_LIMITS}. */
  readonly limits?: Partial<TensorLimits>;
  /** Whether a file's data is mapped, where the system and the permissions (`--allow-ffi`) allow it. Default true. */
  readonly map?: boolean;
  /** Told on closing that the file had changed while it was open. Default: `console.warn`. */
  readonly warn?: (message: string) => void;
}

/** What can be opened: bytes, a path or file URL, a reader of any kind, or a stream, which is read whole. */
export type Openable = Uint8Array<ArrayBuffer> | string | URL | SeekableReader | ReadableStream<Uint8Array>;

/**
 * Opens a file of metatensor or safetensors. Costs its header, however large it is; of a stream, all of it.
 *
 * @throws {TensorError} The first of the checks that it fails.
 *
 * @example
 * ```ts
 * import { open, write } from "@alknet/tensor";
 * import assert from "node:assert/strict";
 *
 * const path = await Deno.makeTempFile({ suffix: ".safetensors" });
 * await write(path, { weight: { dtype: "F32", shape: [2, 2], data: new Float32Array([1, 2, 3, 4]) } });
 * using file = await open(path);
 * assert.deepEqual(file.info("weight").shape, [2, 2]);
 * assert.deepEqual([...file.array("weight")], [1, 2, 3, 4]);
 * await Deno.remove(path);
 * ```
 */
export async function open(from: Openable, options: OpenOptions = {}): Promise<TensorFile> {
  if (!(from instanceof ReadableStream)) return openSync(from, options);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  return openSync(await gathered(from, limits.readBytes), options);
}

/** The same at once, for all but streams. */
export function openSync(from: Exclude<Openable, ReadableStream>, options: OpenOptions = {}): TensorFile {
  const { mode = "compat", map = true, warn = console.warn } = options;
  const limits = options.limits ? { ...DEFAULT_LIMITS, ...options.limits } : DEFAULT_LIMITS;
  const source = sourceOf(from, map);
  try {
    const { header, document } = readHead(source, mode, limits);
    const file = new TensorFile(source, header, document, mode, limits, warn);
    if (mode === "strict") checkStrict(file);
    return file;
  } catch (error) {
    source[Symbol.dispose]();
    throw error;
  }
}

/** Reads and checks header and document. */
function readHead(
  source: Source,
  mode: Mode,
  limits: TensorLimits,
): { header: Header; document: TensorDocument | undefined } {
  const head = source.head();
  const length = headerLength(head, source.size, limits);
  const end = LENGTH_FIELD + length;
  const bytes = end <= head.length ? head.subarray(LENGTH_FIELD, end) : source.read(LENGTH_FIELD, length);
  const header = parseHeader(bytes, source.size, mode, limits);
  return { header, document: documentOf(header, mode, limits) };
}

function sourceOf(from: Exclude<Openable, ReadableStream>, map: boolean): Source {
  if (from instanceof Uint8Array) return memorySource(from);
  if (typeof from !== "string" && !(from instanceof URL)) return readerSource(from);
  const path = from instanceof URL ? fileURLToPath(from) : from;
  return map && canMap() ? new MappedSource(path) : new FileSource(path);
}

async function gathered(stream: ReadableStream<Uint8Array>, most: number): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of stream) {
    size += piece.length;
    if (size > most) throw new TensorError("E_LIMIT", `the stream is longer than ${most} bytes`);
    pieces.push(piece);
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
