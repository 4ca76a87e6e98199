/**
 * A file as a new layout has it: fields found by path or alias, widened exactly, and by converters where a value could be
 * lost (tensor.md §11.3).
 *
 * @module
 */
import type { FileLayout, LayoutEntry } from "../author/file_layout.ts";
import { PORTABLE, type StructTensor } from "../format/document.ts";
import { type Dtype, DTYPES, isAligned, type TensorArray, viewAs } from "../format/dtype.ts";
import { TensorError } from "../format/errors.ts";
import { decodeBf16 } from "../format/half.ts";
import type { Layout } from "../format/layout.ts";
import { type RegionSink, writerOf } from "../format/values.ts";
import type { TensorFile } from "../read/file.ts";
import type { FilePlan } from "../write/plan.ts";
import { type TensorToWrite, write, type WriteOptions } from "../write/write.ts";
import { diff, type Edit, widens } from "./diff.ts";

/**
 * Makes new values of old ones where the format does not know how: by the path of the new schema. Of a field of records it
 * is given one value, of a flat tensor a piece of its elements.
 */
export type Converters = Readonly<Record<string, (value: unknown) => unknown>>;

/** Records that are in memory at a time. */
const CHUNK = 4096;
const NO_REGIONS: RegionSink = {
  append(region) {
    throw new TensorError("E_KIND", "records that refer to another entry cannot be migrated", { tensor: region });
  },
};

/**
 * Writes a file anew, by another layout.
 *
 * @param file A file with a schema.
 * @param path The new file; it may be the old one's path.
 * @throws {TensorError} `E_LOSSY`, `E_BREAKING` an edit that needs a converter and has none; `E_MISSING` no schema.
 */
export async function migrate(
  file: TensorFile,
  path: string | URL,
  layout: FileLayout<unknown>,
  converters: Converters = {},
  options: WriteOptions = {},
): Promise<FilePlan> {
  const old = file.document?.schema?.root;
  if (!old) throw new TensorError("E_MISSING", "the file has no schema to migrate from", { field: "schema" });
  const { edits } = diff(old, layout.schema);
  for (const edit of edits) refuse(edit, converters);
  const renamed = new Map(edits.flatMap(({ path, from }) => from === undefined ? [] : [[path, from]]));
  const tensors = new Map<string, TensorToWrite>();
  const described: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(layout.entries)) {
    const source = renamed.get(name) ?? name;
    if (!file.has(source)) throw new TensorError("E_MISSING", "the file has nothing to fill it with", { tensor: name });
    if (entry.kind === "flat") tensors.set(name, flat(file, source, entry, converters[name]));
    else if (entry.kind === "struct") {
      const struct = file.document?.tensors.get(source) as StructTensor;
      tensors.set(name, recordsOf(file, source, struct, entry, name, renamed, converters));
      described[name] = { kind: "struct", type: entry.type, count: struct.count, stride: entry.layout.size };
    } else {
      const blob = file.document!.value.tensors as Record<string, Record<string, string>>;
      for (const part of ["index", "data"]) {
        const { dtype, shape } = file.info(blob[source][part]);
        tensors.set(`${name}.${part}`, { dtype, shape, data: () => file.stream(blob[source][part]) });
      }
      const { type } = entry;
      described[name] = { ...blob[source], index: `${name}.index`, data: `${name}.data`, ...type ? { type } : {} };
    }
  }
  const metadata = new Map(file.metadata);
  metadata.delete(PORTABLE);
  const parent = file.document?.value.id;
  const document = {
    schema: layout.schema,
    tensors: described,
    id: layout.id,
    ...parent === undefined ? {} : { parent },
  };
  return await write(path, tensors, { metadata, ...options, document });
}

function refuse(edit: Edit, converters: Converters): void {
  if ((edit.class !== "lossy" && edit.class !== "breaking") || Object.hasOwn(converters, named(edit.path))) return;
  const code = edit.class === "lossy" ? "E_LOSSY" : "E_BREAKING";
  throw new TensorError(code, `${edit.what}: give a converter for ${named(edit.path)}`, { field: edit.path });
}

/** The path by which a converter is named: the items of a list of records are the records. */
function named(path: string): string {
  return path.replaceAll(".*", "");
}

function flat(
  file: TensorFile,
  source: string,
  { dtype, shape }: LayoutEntry & { kind: "flat" },
  convert: ((value: unknown) => unknown) | undefined,
): TensorToWrite {
  const was = file.info(source).dtype;
  if (was === dtype && !convert) return { dtype, shape, data: () => file.stream(source) };
  const data = async function* () {
    for await (const bytes of file.stream(source)) {
      const piece = viewAs(was, isAligned(was, bytes) ? bytes : bytes.slice());
      yield convert ? convert(piece) as ArrayBufferView : widened(piece, was, dtype);
    }
  };
  return { dtype, shape, data };
}

function widened(piece: TensorArray, was: Dtype, to: Dtype): TensorArray {
  const values: ArrayLike<number | bigint> = was === "BF16" ? decodeBf16(piece as Uint16Array) : piece;
  const array = viewAs(to, new Uint8Array(values.length * DTYPES[to].bits / 8)) as
    & { [index: number]: unknown }
    & TensorArray;
  const big = to === "I64" || to === "U64";
  const truth = was === "BOOL";
  for (let i = 0; i < values.length; i++) {
    const value = truth ? (values[i] === 0 ? 0 : 1) : values[i];
    array[i] = big ? BigInt(value) : Number(value);
  }
  return array;
}

function recordsOf(
  file: TensorFile,
  source: string,
  { count, stride, layout: old }: StructTensor,
  { layout }: LayoutEntry & { kind: "struct" },
  name: string,
  renamed: ReadonlyMap<string, string>,
  converters: Converters,
): TensorToWrite {
  const encode = writerOf(layout);
  const fieldNames = new Map([...renamed].map(([path, from]) => [named(path), from.split(".").at(-1)!]));
  const data = function* () {
    const records = file.records(source);
    for (let at = 0; at < count; at += CHUNK) {
      const size = Math.min(CHUNK, count - at);
      const view = new DataView(new ArrayBuffer(size * layout.size));
      for (let i = 0; i < size; i++) {
        const value = converted(records.at(at + i), old, layout, name, fieldNames, converters);
        encode(view, i * layout.size, value, NO_REGIONS);
      }
      yield view;
    }
  };
  return { dtype: "U8", shape: [count, layout.size], data: stride === 0 ? [] : data };
}

function converted(
  value: unknown,
  old: Layout,
  now: Layout,
  path: string,
  renamed: ReadonlyMap<string, string>,
  converters: Converters,
): unknown {
  if (Object.hasOwn(converters, path)) return converters[path](value);
  if (now.kind === "Struct" && old.kind === "Struct") {
    const record = value as Record<string, unknown>;
    return Object.fromEntries(now.fields.map(({ name, layout }) => {
      const below = `${path}.${name}`;
      const from = renamed.get(below) ?? name;
      const field = old.fields.find((one) => one.name === from);
      if (field) return [name, converted(record[from], field.layout, layout, below, renamed, converters)];
      return [name, Object.hasOwn(converters, below) ? converters[below](undefined) : undefined];
    }));
  }
  if (now.kind === "Array" && old.kind === "Array") {
    return (value as unknown[]).map((one) => converted(one, old.item, now.item, path, renamed, converters));
  }
  if (now.kind === "Tensor" && old.kind === "Tensor" && now.dtype !== old.dtype) {
    return widened(value as TensorArray, old.dtype, now.dtype);
  }
  if (now.kind === old.kind || !widens(old.kind, now.kind)) return value;
  return now.kind === "Int64" || now.kind === "Uint64" ? BigInt(value as number) : Number(value);
}
