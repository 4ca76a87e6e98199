/**
 * Planning a file: from names, element types and shapes to the header and the place of every byte.
 *
 * @module
 */
import { DEFAULT_ALIGN, PORTABLE } from "../format/document.ts";
import { byteSize, type Dtype, isDtype } from "../format/dtype.ts";
import { TensorError } from "../format/errors.ts";
import { type Entry, LENGTH_FIELD, METADATA, NATIVE, PAD } from "../format/entry.ts";
import { roundUp } from "../format/layout.ts";
import { MAX_HEADER, MAX_NAME, MAX_RANK } from "../format/limits.ts";
import type { Json, JsonObject } from "../format/scanner.ts";
import { MAX_ALIGN } from "../format/schema.ts";
import { canonicalOrder, encodeHeader } from "../format/canonical.ts";

/** What a file is going to hold, its data aside. */
export interface EntryPlan {
  /** Element type. */
  readonly dtype: Dtype;
  /** Extents, slowest first. */
  readonly shape: readonly number[];
}

/** Options of {@linkcode planFile}. */
export interface PlanOptions {
  /** Strings to store beside the tensors. */
  readonly metadata?: Readonly<Record<string, string>> | ReadonlyMap<string, string>;
  /** The document; `version` and `endian` are put in. Without one the file is plain safetensors. */
  readonly document?: Readonly<Record<string, unknown>>;
  /** Stores the document in a member that plain safetensors readers refuse. Default false. */
  readonly native?: boolean;
  /**
   * Least alignment of every tensor, a power of two up to 4096; padding entries make it. Default: 8 with a document; without
   * one each tensor has that of its elements, which its place in the order gives it, and the file is as safetensors writes it.
   */
  readonly align?: number;
}

/** Where everything of a file goes. */
export interface FilePlan {
  /** Length field and header. */
  readonly head: Uint8Array<ArrayBuffer>;
  /** Entries in the order of their offsets, padding included. */
  readonly entries: readonly Entry[];
  /** Bytes of the file. */
  readonly size: number;
}

/**
 * Plans a file. The same tensors, metadata and document always give the same bytes.
 *
 * @throws {TensorError} `E_NAME`, `E_METADATA`, `E_DTYPE`, `E_RANK`, `E_OVERFLOW`, `E_SUBBYTE`.
 */
export function planFile(tensors: Iterable<readonly [string, EntryPlan]>, options: PlanOptions = {}): FilePlan {
  const { native = false, align } = options;
  if (align !== undefined && !(align >= 1 && align <= MAX_ALIGN && Number.isInteger(Math.log2(align)))) {
    throw new RangeError(`align is a power of two up to ${MAX_ALIGN}, not ${align}`);
  }
  const metadata = checkedMetadata(options.metadata);
  const document = completed(options.document, align);
  if (document && metadata.has(PORTABLE)) {
    throw new TensorError("E_METADATA", "the document is stored under this key", { field: `${METADATA}.${PORTABLE}` });
  }
  if (document && !native) metadata.set(PORTABLE, JSON.stringify(document));
  const entries = placed(tensors, document ? (document.align as number | undefined) ?? DEFAULT_ALIGN : align ?? 1);
  const text = encodeHeader(metadata.size > 0 ? metadata : undefined, entries, native ? document : undefined);
  const bytes = new TextEncoder().encode(text);
  const length = roundUp(LENGTH_FIELD + bytes.length, Math.max(8, align ?? 1)) - LENGTH_FIELD;
  if (length > MAX_HEADER) {
    throw new TensorError("E_HEADER_TOO_LARGE", `the header would take ${length} bytes; ${MAX_HEADER} are allowed`);
  }
  const head = new Uint8Array(LENGTH_FIELD + length).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(length), true);
  head.set(bytes, LENGTH_FIELD);
  return { head, entries, size: head.length + (entries.at(-1)?.end ?? 0) };
}

function placed(tensors: Iterable<readonly [string, EntryPlan]>, align: number): Entry[] {
  const sized = [...tensors].map(([name, { dtype, shape }]) => {
    checkName(name);
    return { name, dtype, shape, size: checkedSize(name, dtype, shape) };
  }).sort(canonicalOrder);
  const entries: Entry[] = [];
  let at = 0;
  for (const [index, { name, dtype, shape, size }] of sized.entries()) {
    if (index > 0 && sized[index - 1].name === name) {
      throw new TensorError("E_NAME", "two tensors have this name", { tensor: name });
    }
    const start = size === 0 ? at : roundUp(at, align);
    if (start > at) {
      const pad = `${PAD}${entries.length}`;
      entries.push({ name: pad, dtype: "U8", shape: [start - at], start: at, end: start });
    }
    at = start + size;
    if (!Number.isSafeInteger(at)) throw new TensorError("E_OVERFLOW", "the file would be too long", { tensor: name });
    entries.push({ name, dtype, shape, start, end: at });
  }
  return entries;
}

function checkName(name: string): void {
  const bytes = new TextEncoder().encode(name).length;
  const wrong = name === METADATA || name === NATIVE || name.startsWith(PAD)
    ? "the name is the format's own"
    : name === "" || name.includes("\0") || !name.isWellFormed()
    ? "a name is well-formed text of at least one character, without U+0000"
    : bytes > MAX_NAME
    ? `a name takes at most ${MAX_NAME} bytes`
    : undefined;
  if (wrong !== undefined) throw new TensorError("E_NAME", wrong, { tensor: name });
}

function checkedSize(tensor: string, dtype: string, shape: readonly number[]): number {
  if (!isDtype(dtype)) throw new TensorError("E_DTYPE", `dtype ${JSON.stringify(dtype)} is unknown`, { tensor });
  if (shape.length > MAX_RANK) throw new TensorError("E_RANK", `more than ${MAX_RANK} dimensions`, { tensor });
  if (!shape.every((extent) => Number.isSafeInteger(extent) && extent >= 0)) {
    throw new RangeError(`tensor ${tensor}: extents are whole numbers, not [${shape}]`);
  }
  const size = byteSize(dtype, shape);
  if (typeof size === "number") return size;
  throw new TensorError(size, "the shape comes to no whole number of bytes that a file can hold", { tensor });
}

function checkedMetadata(given: PlanOptions["metadata"] = {}): Map<string, string> {
  const metadata = new Map(given instanceof Map ? given : Object.entries(given));
  for (const [key, value] of metadata) {
    if (typeof value === "string" && value.isWellFormed() && key.isWellFormed()) continue;
    throw new TensorError("E_METADATA", "metadata is well-formed text", { field: `${METADATA}.${key}` });
  }
  return metadata;
}

function completed(document: Readonly<Record<string, unknown>> | undefined, align?: number): JsonObject | undefined {
  if (!document) return undefined;
  const { version: _version, endian: _endian, ...rest } = document;
  return { version: 1, endian: "little", ...(align === undefined ? {} : { align }), ...rest as Record<string, Json> };
}
