/**
 * The metatensor description of a file: where it lies, what it may say, and that it fits the entries (tensor.md §5, V18 to
 * V21).
 *
 * @module
 */
import { shown, TensorError, type TensorErrorCode } from "./errors.ts";
import { type Entry, NATIVE } from "./entry.ts";
import type { Header } from "./header.ts";
import { Budget, type Layout, layoutOf } from "./layout.ts";
import type { Mode, TensorLimits } from "./limits.ts";
import { isObject, type JsonObject, Scanner } from "./scanner.ts";
import { MAX_ALIGN, Schema } from "./schema.ts";

/** How the bytes of an entry, or of a pair of them, are to be read. */
export type TensorKind = "flat" | "struct" | "blob";
/** What items of a blob are. */
export type BlobEncoding = "bytes" | "utf8" | "json";

/** A struct of a file: its entry holds `count` records. */
export interface StructTensor {
  /** Its kind. */
  readonly kind: "struct";
  /** Name, and the entry's. */
  readonly name: string;
  /** Where in the schema its record is described. */
  readonly type: string;
  /** Records. */
  readonly count: number;
  /** Bytes of a record. */
  readonly stride: number;
  /** Fields of a record. */
  readonly layout: Layout;
}

/** A blob of a file: items of any length. */
export interface BlobTensor {
  /** Its kind. */
  readonly kind: "blob";
  /** Name; its entries have others. */
  readonly name: string;
  /** Entry of the rows: offset and length of each item. */
  readonly index: string;
  /** Entry of the items' bytes. */
  readonly data: string;
  /** What items are. */
  readonly encoding: BlobEncoding;
  /** Whether the items lie one after another without holes. */
  readonly packed: boolean;
  /** Items. */
  readonly count: number;
  /** Where in the schema an element of an item is described, for ragged rows. */
  readonly type: string | undefined;
}

/** The document of a file. */
export interface TensorDocument {
  /** Its text as an object, to be stored again. */
  readonly value: JsonObject;
  /** Whether it is the native form, which plain safetensors readers cannot open. */
  readonly native: boolean;
  /** Least alignment of ranges. */
  readonly align: number;
  /** Types. */
  readonly schema: Schema | undefined;
  /** Structs and blobs by name. */
  readonly tensors: ReadonlyMap<string, StructTensor | BlobTensor>;
  /** Digests by entry: `sha256:…` or `blake3:…`. */
  readonly digests: ReadonlyMap<string, string>;
}

/** The member of the metadata that holds the portable form. */
export const PORTABLE = "metatensor";
/** Least alignment where a document names none. */
export const DEFAULT_ALIGN = 8;

const MEMBERS: ReadonlySet<string> = new Set(
  ["version", "endian", "align", "schema", "tensors", "id", "parent", "digest"],
);
const DIGEST = /^(?:sha256|blake3):[0-9a-f]{64}$/;

/** Reads the document of a header, if it has one. */
export function documentOf(header: Header, mode: Mode, limits: TensorLimits): TensorDocument | undefined {
  const text = header.metadata?.get(PORTABLE);
  if (text !== undefined && header.native !== undefined) {
    throw new TensorError("E_DOC_TWICE", `the file has both a portable document and ${NATIVE}`);
  }
  if (text !== undefined) return readDocument(parseDocument(text, limits), false, header, mode, limits);
  if (header.native !== undefined) return readDocument(header.native, true, header, mode, limits);
  return undefined;
}

function parseDocument(text: string, limits: TensorLimits): JsonObject {
  if (text.length > limits.documentBytes) {
    throw new TensorError("E_LIMIT", `the document is longer than ${limits.documentBytes} bytes`);
  }
  const scan = new Scanner(text, (key) => {
    throw new TensorError("E_DUPLICATE_KEY", `the document has key ${shown(key)} twice in one object`);
  });
  let value;
  try {
    value = scan.value(1, true);
    scan.end();
  } catch (cause) {
    if (!(cause instanceof TensorError) || cause.code !== "E_JSON") throw cause;
    throw new TensorError("E_DOC_JSON", `the document: ${cause.message}`, { cause });
  }
  if (!isObject(value)) throw new TensorError("E_DOC_JSON", "the document is not an object");
  return value;
}

function readDocument(
  value: JsonObject,
  native: boolean,
  header: Header,
  mode: Mode,
  limits: TensorLimits,
): TensorDocument {
  if (value.version !== 1) throw refusal("E_DOC_VERSION", "version", "only version 1 is known");
  if (value.endian !== "little") throw refusal("E_DOC_ENDIAN", "endian", "only little is known");
  for (const key of ["id", "parent"]) {
    if (value[key] !== undefined && typeof value[key] !== "string") throw member(key, "not a string");
  }
  const align = alignMember(value.align, "align") ?? DEFAULT_ALIGN;
  const digests = readDigests(value.digest);
  for (const name of digests.keys()) entryNamed(header, name, "digest");
  const schema = value.schema === undefined ? undefined : new Schema(object(value.schema, "schema"));
  const reading = new TensorsReader(header, schema, mode, new Budget(limits.schemaNodes));
  const tensors = new Map<string, StructTensor | BlobTensor>();
  const named = value.tensors === undefined ? [] : Object.entries(object(value.tensors, "tensors"));
  // References, kinds and layouts come before the soundness of the schema as a whole only where they need none of it.
  if (schema) schema.check(limits.schemaNodes);
  for (const [name, description] of named) {
    const tensor = reading.read(name, object(description, `tensors.${name}`));
    if (tensor) tensors.set(name, tensor);
  }
  if (mode === "strict") refuseUnknown(value, MEMBERS, "");
  return { value, native, align, schema, tensors, digests };
}

/** Reads the tensors that a document describes. */
class TensorsReader {
  readonly #header: Header;
  readonly #schema: Schema | undefined;
  readonly #mode: Mode;
  readonly #budget: Budget;

  constructor(header: Header, schema: Schema | undefined, mode: Mode, budget: Budget) {
    this.#header = header;
    this.#schema = schema;
    this.#mode = mode;
    this.#budget = budget;
  }

  read(name: string, description: JsonObject): StructTensor | BlobTensor | undefined {
    const field = `tensors.${name}`;
    alignMember(description.align, `${field}.align`);
    const kind = description.kind;
    if (kind === "flat") {
      entryNamed(this.#header, name, field);
      this.#known(description, ["kind", "align"], field);
      return undefined;
    }
    if (kind === "struct") {
      this.#known(description, ["kind", "align", "type", "count", "stride"], field);
      return this.#struct(name, description, field);
    }
    if (kind === "blob") {
      this.#known(description, ["kind", "align", "type", "index", "data", "encoding", "packed"], field);
      return this.#blob(name, description, field);
    }
    throw new TensorError("E_KIND", "a tensor is flat, struct or blob", { tensor: name, field: "kind" });
  }

  #known(description: JsonObject, names: readonly string[], field: string): void {
    if (this.#mode === "strict") refuseUnknown(description, new Set(names), field);
  }

  #struct(name: string, description: JsonObject, field: string): StructTensor {
    const { type, count, stride } = description;
    if (typeof type !== "string") throw member(`${field}.type`, "not a pointer into the schema");
    const entry = entryNamed(this.#header, name, field);
    const layout = this.#layout(type, name);
    if (entry.dtype !== "U8") throw kindError(name, "the entry of a struct is U8", entry);
    if (!isCount(count) || !isCount(stride)) throw member(field, "count and stride are whole numbers");
    if (stride !== layout.size || stride === 0) {
      const message = `the schema comes to records of ${layout.size} bytes, the document says ${stride}`;
      throw new TensorError("E_LAYOUT", message, { tensor: name, field: "stride", offsets: [entry.start, entry.end] });
    }
    const { shape } = entry;
    const fits = shape.length === 2 ? shape[0] === count && shape[1] === stride : shape.length === 1 && count === 1 &&
      shape[0] === stride;
    if (!fits) {
      const message = `the entry's shape is [${shape}], not [${count},${stride}]`;
      throw new TensorError("E_LAYOUT", message, { tensor: name, field: "shape", offsets: [entry.start, entry.end] });
    }
    this.#regions(layout, name);
    return { kind: "struct", name, type, count, stride, layout };
  }

  #blob(name: string, description: JsonObject, field: string): BlobTensor {
    const { index, data, encoding = "bytes", packed = true, type } = description;
    if (typeof index !== "string" || typeof data !== "string") throw member(field, "index and data name entries");
    if (encoding !== "bytes" && encoding !== "utf8" && encoding !== "json") {
      throw member(`${field}.encoding`, "neither bytes, utf8 nor json");
    }
    if (typeof packed !== "boolean") throw member(`${field}.packed`, "not a boolean");
    if (type !== undefined && typeof type !== "string") throw member(`${field}.type`, "not a pointer into the schema");
    const rows = entryNamed(this.#header, index, `${field}.index`);
    const bytes = entryNamed(this.#header, data, `${field}.data`);
    if ((rows.dtype !== "U64" && rows.dtype !== "U32") || rows.shape.length !== 2 || rows.shape[1] !== 2) {
      throw kindError(name, "the index of a blob is U64 or U32 of shape [n,2]", rows);
    }
    if (bytes.dtype !== "U8" || bytes.shape.length !== 1) throw kindError(name, "the data of a blob is U8 [n]", bytes);
    if (type !== undefined) this.#layout(type, name);
    return { kind: "blob", name, index, data, encoding, packed, count: rows.shape[0], type };
  }

  #layout(type: string, tensor: string): Layout {
    if (!this.#schema) throw new TensorError("E_DOC_REF", "the document has no schema", { tensor, field: "type" });
    return layoutOf(this.#schema, this.#schema.pointed(type, tensor), "", this.#budget);
  }

  /** Every region that a record refers to is an entry. */
  #regions(layout: Layout, tensor: string): void {
    if (layout.kind === "Indirect") {
      const region = entryNamed(this.#header, layout.region, `tensors.${tensor}: region`);
      if (region.dtype !== "U8") throw kindError(tensor, "a region is U8", region);
      if (layout.item) this.#regions(layout.item, tensor);
    } else if (layout.kind === "Array") this.#regions(layout.item, tensor);
    else if (layout.kind === "Struct") { for (const field of layout.fields) this.#regions(field.layout, tensor); }
    else if (layout.kind === "Union") { for (const one of layout.variants.values()) this.#regions(one, tensor); }
  }
}

function readDigests(value: unknown): Map<string, string> {
  const digests = new Map<string, string>();
  if (value === undefined) return digests;
  for (const [name, digest] of Object.entries(object(value, "digest"))) {
    if (typeof digest !== "string" || !DIGEST.test(digest)) {
      throw member(`digest.${name}`, "neither sha256:<64 hex> nor blake3:<64 hex>");
    }
    digests.set(name, digest);
  }
  return digests;
}

function entryNamed(header: Header, name: string, field: string): Entry {
  const entry = header.entries.get(name);
  if (entry) return entry;
  throw new TensorError("E_DOC_REF", "the document names an entry that is not there", { tensor: name, field });
}

function refuseUnknown(value: JsonObject, known: ReadonlySet<string>, field: string): void {
  for (const name of Object.keys(value)) {
    if (known.has(name) || (field === "" && name.startsWith("x-"))) continue;
    const place = { field: field === "" ? name : `${field}.${name}` };
    throw new TensorError("E_STRICT", "the document has a member that is unknown", place);
  }
}

function alignMember(value: unknown, field: string): number | undefined {
  if (value === undefined) return undefined;
  if (isCount(value) && value >= 1 && value <= MAX_ALIGN && Number.isInteger(Math.log2(value))) return value;
  throw member(field, `not a power of two from 1 to ${MAX_ALIGN}`);
}

function object(value: unknown, field: string): JsonObject {
  if (isObject(value)) return value;
  throw member(field, "not an object");
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function member(field: string, message: string): TensorError {
  return refusal("E_DOC_MEMBER", field, message);
}

function refusal(code: TensorErrorCode, field: string, message: string): TensorError {
  return new TensorError(code, `the document: ${message}`, { field });
}

function kindError(tensor: string, message: string, { dtype, shape, start, end }: Entry): TensorError {
  return new TensorError("E_KIND", `${message}, not ${dtype} [${shape}]`, { tensor, offsets: [start, end] });
}
