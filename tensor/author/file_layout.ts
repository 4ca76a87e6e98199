/**
 * The layout of a whole file, declared once: its schema, the type of the opened file, the offsets in its records, and its
 * writer.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { Static, TObject, TProperties } from "typebox";
import type { Dtype } from "../format/dtype.ts";
import { TensorError } from "../format/errors.ts";
import { type FieldRow, fieldsOf, type Layout, layoutOf } from "../format/layout.ts";
import { isObject, type JsonObject } from "../format/scanner.ts";
import { Schema } from "../format/schema.ts";
import { writerOf } from "../format/values.ts";
import type { TensorFile } from "../read/file.ts";
import type { FilePlan } from "../write/plan.ts";
import { bytesOf, type TensorToWrite, write, type WriteOptions } from "../write/write.ts";

/** What a tensor of a layout is. */
export type LayoutEntry =
  | { readonly kind: "flat"; readonly dtype: Dtype; readonly shape: readonly number[] }
  | { readonly kind: "struct"; readonly layout: Layout; readonly type: string; readonly fields: readonly FieldRow[] }
  | { readonly kind: "blob"; readonly encoding: "utf8" | "bytes"; readonly element?: Layout; readonly type?: string };

/** The layout of a file. */
export interface FileLayout<T> {
  /** The schema as files store it. */
  readonly schema: JsonObject;
  /** `sha256` of the schema's text. */
  readonly id: string;
  /** What lies under each dotted name. */
  readonly entries: Readonly<Record<string, LayoutEntry>>;
  /**
   * The members of a file, typed; each is looked up when it is touched.
   *
   * @throws {TensorError} `E_MISSING`, `E_KIND`, `E_DTYPE`, `E_SIZE_MISMATCH`: the file is of another layout.
   */
  view(file: TensorFile): T;
  /** Writes a file: typed arrays for tensors, lists of records and of items, nested as the layout is or by dotted name. */
  write(path: string | URL, data: Readonly<Record<string, unknown>>, options?: WriteOptions): Promise<FilePlan>;
}

/** Makes the layout of a file of its description; see `struct`. */
export function fileLayout<P extends TProperties>(root: TObject<P>): FileLayout<Static<TObject<P>>> {
  const plain = namespace(JSON.parse(JSON.stringify(root)));
  const schema = new Schema(plain);
  const entries: Record<string, LayoutEntry> = Object.create(null);
  collect(schema, plain, "", "#", entries);
  const id = createHash("sha256").update(JSON.stringify(plain)).digest("hex");
  return {
    schema: plain,
    id,
    entries,
    view(file) {
      for (const [name, entry] of Object.entries(entries)) checkMember(file, name, entry);
      return viewOf(file, plain, "", entries) as Static<TObject<P>>;
    },
    async write(path, data, options = {}) {
      const { tensors, described } = encodeAll(entries, data);
      return await write(path, tensors, {
        ...options,
        document: { ...options.document, schema: plain, tensors: described, id },
      });
    },
  };
}

/** The members above the tensors are names, no structs. */
function namespace(node: JsonObject): JsonObject {
  const { "TypeDef:Struct": _struct, ...rest } = node;
  const properties = Object.entries(rest.properties as JsonObject).map(([name, child]) =>
    [name, isObject(child) && child["TypeDef:Struct"] !== undefined ? namespace(child) : child] as const
  );
  return { ...rest, properties: Object.fromEntries(properties) };
}

function collect(
  schema: Schema,
  node: JsonObject,
  path: string,
  pointer: string,
  into: Record<string, LayoutEntry>,
): void {
  for (const [name, child] of Object.entries(node.properties as JsonObject)) {
    const below = path === "" ? name : `${path}.${name}`;
    const at = `${pointer}/properties/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const one = child as JsonObject;
    if (isObject(one.properties)) collect(schema, one, below, at, into);
    else into[below] = entryOf(schema, one, below, at);
  }
}

function entryOf(schema: Schema, node: JsonObject, path: string, pointer: string): LayoutEntry {
  const array = node["TypeDef:Array"];
  if (array === undefined) {
    const layout = layoutOf(schema, node, path);
    if (layout.kind === "Tensor") return { kind: "flat", dtype: layout.dtype, shape: layout.shape };
    throw new TensorError("E_SCHEMA", "a file holds tensors, records and items, no single values", { field: path });
  }
  const items = node.items as JsonObject;
  if (isObject(array)) {
    if (items.items === undefined) return { kind: "blob", encoding: items.type === "string" ? "utf8" : "bytes" };
    const element = layoutOf(schema, items.items as JsonObject, path);
    return { kind: "blob", encoding: "bytes", element, type: `${pointer}/items/items` };
  }
  const layout = layoutOf(schema, items, path);
  return { kind: "struct", layout, type: `${pointer}/items`, fields: fieldsOf(layout) };
}

function checkMember(file: TensorFile, name: string, entry: LayoutEntry): void {
  if (!file.has(name)) throw new TensorError("E_MISSING", "the file lacks it", { tensor: name });
  const { kind, dtype, shape } = file.info(name);
  if (kind !== entry.kind) throw new TensorError("E_KIND", `it is ${kind}, not ${entry.kind}`, { tensor: name });
  if (entry.kind === "flat" && dtype !== entry.dtype) {
    throw new TensorError("E_DTYPE", `it is ${dtype}, not ${entry.dtype}`, { tensor: name });
  }
  if (entry.kind === "flat" && String(shape) !== String(entry.shape)) {
    throw new TensorError("E_SIZE_MISMATCH", `its shape is [${shape}], not [${entry.shape}]`, { tensor: name });
  }
  const described = file.document?.tensors.get(name);
  if (entry.kind !== "struct" || described?.kind !== "struct") return;
  if (JSON.stringify(fieldsOf(described.layout)) === JSON.stringify(entry.fields)) return;
  throw new TensorError("E_LAYOUT", "its records are of another layout", { tensor: name });
}

function viewOf(file: TensorFile, node: JsonObject, path: string, entries: FileLayout<unknown>["entries"]): unknown {
  const members = {};
  for (const [name, child] of Object.entries(node.properties as JsonObject)) {
    const below = path === "" ? name : `${path}.${name}`;
    const entry = entries[below];
    const get = (): unknown =>
      entry === undefined
        ? viewOf(file, child as JsonObject, below, entries)
        : entry.kind === "flat"
        ? file.array(below)
        : entry.kind === "struct"
        ? file.records(below)
        : file.blobs(below);
    Object.defineProperty(members, name, { get, enumerable: true });
  }
  return members;
}

function encodeAll(entries: FileLayout<unknown>["entries"], data: Readonly<Record<string, unknown>>) {
  const tensors = new Map<string, TensorToWrite>();
  const described: Record<string, unknown> = {};
  const regions = new Map<string, Uint8Array[]>();
  for (const [name, entry] of Object.entries(entries)) {
    const value = valueAt(data, name);
    if (entry.kind === "flat") {
      tensors.set(name, { dtype: entry.dtype, shape: entry.shape, data: value as ArrayBufferView });
      continue;
    }
    if (!Array.isArray(value)) {
      throw new TensorError("E_MISSING", "a list of its records or items is needed", { tensor: name });
    }
    if (entry.kind === "struct") {
      const stride = entry.layout.size;
      const bytes = encodeRecords(entry.layout, value, name, regions);
      tensors.set(name, { dtype: "U8", shape: [value.length, stride], data: bytes });
      described[name] = { kind: "struct", type: entry.type, count: value.length, stride };
      continue;
    }
    const items = value.map((one) => encodeItem(entry, one, name, regions));
    const { index, total } = indexOf(items);
    tensors.set(`${name}.index`, { dtype: "U64", shape: [items.length, 2], data: index });
    tensors.set(`${name}.data`, { dtype: "U8", shape: [total], data: items });
    const { encoding, type } = entry;
    described[name] = { kind: "blob", index: `${name}.index`, data: `${name}.data`, encoding, ...type ? { type } : {} };
  }
  for (const [name, pieces] of regions) {
    const size = pieces.reduce((sum, { length }) => sum + length, 0);
    tensors.set(name, { dtype: "U8", shape: [size], data: pieces });
  }
  return { tensors, described };
}

function encodeRecords(
  layout: Layout,
  values: readonly unknown[],
  tensor: string,
  regions: Map<string, Uint8Array[]>,
): Uint8Array {
  const encode = writerOf(layout);
  const view = new DataView(new ArrayBuffer(values.length * layout.size));
  const sizes = new Map<string, number>();
  const append = (region: string, bytes: Uint8Array): number => {
    const pieces = regions.get(region) ?? [];
    const at = sizes.get(region) ?? pieces.reduce((sum, { length }) => sum + length, 0);
    pieces.push(bytes);
    regions.set(region, pieces);
    sizes.set(region, at + bytes.length);
    return at;
  };
  for (const [i, value] of values.entries()) {
    try {
      encode(view, i * layout.size, value, { append });
    } catch (cause) {
      if (!(cause instanceof TensorError)) throw cause;
      throw new TensorError(cause.code, cause.message, { tensor, field: `${i}.${cause.field ?? ""}`, cause });
    }
  }
  return new Uint8Array(view.buffer);
}

function encodeItem(
  entry: LayoutEntry & { kind: "blob" },
  value: unknown,
  tensor: string,
  regions: Map<string, Uint8Array[]>,
): Uint8Array {
  if (entry.element && Array.isArray(value)) return encodeRecords(entry.element, value, tensor, regions);
  if (entry.encoding === "utf8" && typeof value === "string" && value.isWellFormed()) {
    return new TextEncoder().encode(value);
  }
  if (entry.encoding === "bytes" && !entry.element && ArrayBuffer.isView(value)) return bytesOf(value);
  throw new TensorError("E_KIND", "an item is of another kind than the layout says", { tensor });
}

function indexOf(items: readonly Uint8Array[]): { index: BigUint64Array; total: number } {
  const index = new BigUint64Array(items.length * 2);
  let total = 0;
  for (const [i, { length }] of items.entries()) {
    index[2 * i] = BigInt(total);
    index[2 * i + 1] = BigInt(length);
    total += length;
  }
  return { index, total };
}

function valueAt(data: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Object.hasOwn(data, name)) return data[name];
  let at: unknown = data;
  for (const part of name.split(".")) {
    at = typeof at === "object" && at !== null && Object.hasOwn(at, part)
      ? (at as Record<string, unknown>)[part]
      : undefined;
  }
  if (at !== undefined) return at;
  throw new TensorError("E_MISSING", "nothing was given to write under this name", { tensor: name });
}
