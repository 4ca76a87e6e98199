/**
 * Values in records: compiled readers that hold their offsets and build nothing on the way to a field, and writers.
 *
 * @module
 */
import { isAligned, viewAs } from "./dtype.ts";
import { TensorError } from "./errors.ts";
import { fromBf16, toBf16 } from "./half.ts";
import type { IndirectLayout, Layout, ScalarKind, StructLayout, UnionLayout } from "./layout.ts";

/** Where values that lie outside their record are kept. */
export interface Regions {
  /** Bytes of an entry. */
  read(region: string, offset: number, length: number): Uint8Array<ArrayBuffer>;
}

/** Where a writer puts them. */
export interface RegionSink {
  /** Appends, and gives the offset. */
  append(region: string, bytes: Uint8Array): number;
}

/** Reads a value at an offset. */
export type Reader = (view: DataView<ArrayBuffer>, at: number, regions: Regions) => unknown;
/** Writes a value at an offset. The bytes are zeros before. */
export type Writer = (view: DataView<ArrayBuffer>, at: number, value: unknown, sink: RegionSink) => void;

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const encoder = new TextEncoder();

const READ_SCALAR: Readonly<Record<ScalarKind, (view: DataView, at: number) => number | bigint>> = {
  Int8: (view, at) => view.getInt8(at),
  Uint8: (view, at) => view.getUint8(at),
  Boolean: (view, at) => view.getUint8(at),
  Int16: (view, at) => view.getInt16(at, true),
  Uint16: (view, at) => view.getUint16(at, true),
  Float16: (view, at) => view.getFloat16(at, true),
  BFloat16: (view, at) => fromBf16(view.getUint16(at, true)),
  Int32: (view, at) => view.getInt32(at, true),
  Uint32: (view, at) => view.getUint32(at, true),
  Float32: (view, at) => view.getFloat32(at, true),
  Int64: (view, at) => view.getBigInt64(at, true),
  Uint64: (view, at) => view.getBigUint64(at, true),
  Float64: (view, at) => view.getFloat64(at, true),
};

/** Integers that each kind holds, from and to. */
const RANGES: Readonly<Partial<Record<ScalarKind, readonly [number | bigint, number | bigint]>>> = {
  Int8: [-128, 127],
  Uint8: [0, 255],
  Int16: [-32768, 32767],
  Uint16: [0, 65535],
  Int32: [-(2 ** 31), 2 ** 31 - 1],
  Uint32: [0, 2 ** 32 - 1],
  Int64: [-(2n ** 63n), 2n ** 63n - 1n],
  Uint64: [0n, 2n ** 64n - 1n],
};

/** Compiles the reader of a layout. `path` is what errors name. */
export function readerOf(layout: Layout, path = ""): Reader {
  switch (layout.kind) {
    case "Boolean":
      return (view, at) => {
        const byte = view.getUint8(at);
        if (byte > 1) throw access(path, `a boolean is 0 or 1, not ${byte}`);
        return byte === 1;
      };
    case "Enum": {
      const { values } = layout;
      return (view, at) => {
        const index = view.getUint32(at, true);
        if (index >= values.length) throw access(path, `the enum has ${values.length} values; index ${index}`);
        return values[index];
      };
    }
    case "Array": {
      const { count, stride } = layout;
      const item = readerOf(layout.item, `${path}.*`);
      return (view, at, regions) => {
        const list: unknown[] = [];
        for (let i = 0; i < count; i++) list.push(item(view, at + i * stride, regions));
        return list;
      };
    }
    case "Tensor": {
      const { dtype, size } = layout;
      return (view, at) => {
        const bytes = new Uint8Array(view.buffer, view.byteOffset + at, size);
        return viewAs(dtype, isAligned(dtype, bytes) ? bytes : bytes.slice());
      };
    }
    case "Bytes": {
      const { size } = layout;
      return (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, size);
    }
    case "String":
    case "Timestamp": {
      const { size } = layout;
      return (view, at) => {
        let end = size;
        while (end > 0 && view.getUint8(at + end - 1) === 0) end--;
        return utf8(new Uint8Array(view.buffer, view.byteOffset + at, end), path);
      };
    }
    case "Indirect":
      return indirectReader(layout, path);
    case "Struct":
      return structReader(layout, path);
    case "Union":
      return unionReader(layout, path);
    default:
      return READ_SCALAR[layout.kind];
  }
}

/** Compiles the writer of a layout. */
export function writerOf(layout: Layout, path = ""): Writer {
  switch (layout.kind) {
    case "Enum": {
      const indices = new Map(layout.values.map((value, index) => [value as unknown, index]));
      return (view, at, value) => {
        const index = indices.get(value);
        if (index === undefined) throw access(path, "the value is not of the enum");
        view.setUint32(at, index, true);
      };
    }
    case "Array": {
      const { count, stride } = layout;
      const item = writerOf(layout.item, `${path}.*`);
      return (view, at, value, sink) => {
        if (!Array.isArray(value) || value.length !== count) throw access(path, `expected ${count} elements`);
        for (let i = 0; i < count; i++) item(view, at + i * stride, value[i], sink);
      };
    }
    case "Tensor":
    case "Bytes": {
      const { size } = layout;
      return (view, at, value) => {
        if (!ArrayBuffer.isView(value) || value.byteLength !== size) throw access(path, `expected ${size} bytes`);
        const bytes = new Uint8Array(value.buffer, value.byteOffset, size);
        new Uint8Array(view.buffer, view.byteOffset + at, size).set(bytes);
      };
    }
    case "String":
    case "Timestamp": {
      const { size } = layout;
      return (view, at, value) => {
        const bytes = encoder.encode(textOf(value, path));
        if (bytes.length > size) throw access(path, `the text takes ${bytes.length} bytes; there is room for ${size}`);
        if (bytes.includes(0)) throw access(path, "a text of fixed room holds no U+0000");
        new Uint8Array(view.buffer, view.byteOffset + at, size).set(bytes);
      };
    }
    case "Indirect":
      return indirectWriter(layout, path);
    case "Struct": {
      const fields = layout.fields.map(({ name, start, layout: inner, node }) => {
        const write = writerOf(inner, path === "" ? name : `${path}.${name}`);
        return { name, start, write, fallback: node.default ?? node.const };
      });
      return (view, at, value, sink) => {
        if (typeof value !== "object" || value === null) throw access(path, "expected an object");
        for (const { name, start, write, fallback } of fields) {
          const own = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
          write(view, at + start, own ?? fallback, sink);
        }
      };
    }
    case "Union":
      return unionWriter(layout, path);
    default:
      return scalarWriter(layout.kind, path);
  }
}

/** The layout of a field and its offset within its record, by dotted path. */
export function locate(layout: Layout, path: string): { layout: Layout; offset: number } {
  let offset = 0;
  for (const part of path === "" ? [] : path.split(".")) {
    if (layout.kind === "Array" && /^\d+$/.test(part) && Number(part) < layout.count) {
      offset += Number(part) * layout.stride;
      layout = layout.item;
      continue;
    }
    const field = layout.kind === "Struct" ? layout.fields.find(({ name }) => name === part) : undefined;
    if (!field) throw new TensorError("E_NAME", "the record has no such field", { field: path });
    offset += field.start;
    layout = field.layout;
  }
  return { layout, offset };
}

/** Ranges of a record that are padding, which must be zeros. Within unions, those that no variant covers alone. */
export function paddingOf(layout: Layout, base = 0): [number, number][] {
  if (layout.kind === "Array") {
    const inner = paddingOf(layout.item);
    if (layout.stride > layout.item.size) inner.push([layout.item.size, layout.stride]);
    if (inner.length === 0) return [];
    return Array.from({ length: layout.count }, (_, i) => i * layout.stride + base)
      .flatMap((at) => inner.map(([from, to]): [number, number] => [from + at, to + at]));
  }
  if (layout.kind !== "Struct") return [];
  const gaps: [number, number][] = [];
  let at = 0;
  for (const { start, layout: inner } of layout.fields) {
    if (start > at) gaps.push([base + at, base + start]);
    gaps.push(...paddingOf(inner, base + start));
    at = start + inner.size;
  }
  if (layout.size > at) gaps.push([base + at, base + layout.size]);
  return gaps;
}

/** Text of bytes. */
export function utf8(bytes: Uint8Array, path: string, tensor?: string): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new TensorError("E_ACCESS", "the text is not UTF-8", { tensor, field: path, cause });
  }
}

function structReader(layout: StructLayout, path: string): Reader {
  const fields = layout.fields.map(({ name, start, layout: inner }) => {
    return { name, start, read: readerOf(inner, path === "" ? name : `${path}.${name}`) };
  });
  // A field may be called __proto__: only a defined member is then one of the record.
  const plain = fields.every(({ name }) => name !== "__proto__");
  return (view, at, regions) => {
    const record: Record<string, unknown> = {};
    for (const { name, start, read } of fields) {
      const value = read(view, at + start, regions);
      if (plain) record[name] = value;
      else Object.defineProperty(record, name, { value, enumerable: true, writable: true, configurable: true });
    }
    return record;
  };
}

function unionReader(layout: UnionLayout, path: string): Reader {
  const { tag, field, start } = layout;
  const readTag = READ_SCALAR[tag.kind];
  const variants = new Map([...layout.variants].map(([value, inner]) => [value, readerOf(inner, `${path}.${value}`)]));
  return (view, at, regions) => {
    const variant = Number(readTag(view, at + tag.start));
    const read = variants.get(variant);
    if (!read) throw access(path, `the union has no variant ${variant}`);
    const value = read(view, at + start, regions);
    return field === undefined ? { variant, value } : value;
  };
}

function unionWriter(layout: UnionLayout, path: string): Writer {
  const { tag, field, start } = layout;
  const writeTag = scalarWriter(tag.kind, path);
  const variants = new Map([...layout.variants].map(([value, inner]) => [value, writerOf(inner, `${path}.${value}`)]));
  return (view, at, value, sink) => {
    const object = value as Record<string, unknown>;
    const variant = Number(field === undefined ? object?.variant : object?.[field]);
    const write = variants.get(variant);
    if (!write) throw access(path, `the union has no variant ${variant}`);
    if (field === undefined) writeTag(view, at + tag.start, variant, sink);
    write(view, at + start, field === undefined ? object.value : object, sink);
  };
}

function indirectReader(layout: IndirectLayout, path: string): Reader {
  const { of, region, width, item } = layout;
  const itemReader = item && readerOf(item, `${path}.*`);
  return (view, at, regions) => {
    const offset = width === 64 ? Number(view.getBigUint64(at, true)) : view.getUint32(at, true);
    const length = width === 64 ? Number(view.getBigUint64(at + 8, true)) : view.getUint32(at + 4, true);
    const bytes = regions.read(region, offset, length);
    if (of === "Bytes") return bytes;
    if (of === "String") return utf8(bytes, path);
    if (of === "Record") return parsed(bytes, path);
    if (length % item!.size !== 0) throw access(path, `${length} bytes are not a whole number of ${item!.size}`);
    // Elements may lie at any offset of the region: a DataView reads them there.
    const inner = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return Array.from({ length: length / item!.size }, (_, i) => itemReader!(inner, i * item!.size, regions));
  };
}

function indirectWriter(layout: IndirectLayout, path: string): Writer {
  const { of, region, width, item } = layout;
  const writeItem = item && writerOf(item, `${path}.*`);
  const bytesOf = (value: unknown, sink: RegionSink): Uint8Array => {
    if (of === "Bytes" && value instanceof Uint8Array) return value;
    if (of === "String") return encoder.encode(textOf(value, path));
    if (of === "Record") return encoder.encode(JSON.stringify(value));
    if (of !== "Array" || !Array.isArray(value)) throw access(path, "the value is of another kind");
    const bytes = new Uint8Array(value.length * item!.size);
    const view = new DataView(bytes.buffer);
    value.forEach((one, index) => writeItem!(view, index * item!.size, one, sink));
    return bytes;
  };
  return (view, at, value, sink) => {
    const bytes = bytesOf(value, sink);
    const offset = sink.append(region, bytes);
    if (width === 64) {
      view.setBigUint64(at, BigInt(offset), true);
      view.setBigUint64(at + 8, BigInt(bytes.length), true);
      return;
    }
    if (offset + bytes.length >= 2 ** 32) throw access(path, `region ${region} outgrows 32 bits: use width 64`);
    view.setUint32(at, offset, true);
    view.setUint32(at + 4, bytes.length, true);
  };
}

function scalarWriter(kind: ScalarKind, path: string): Writer {
  if (kind === "Boolean") {
    return (view, at, value) => {
      if (typeof value !== "boolean") throw access(path, "expected a boolean");
      view.setUint8(at, value ? 1 : 0);
    };
  }
  const big = kind === "Int64" || kind === "Uint64";
  const range = RANGES[kind];
  return (view, at, given) => {
    const value = big && typeof given === "number" && Number.isSafeInteger(given) ? BigInt(given) : given;
    if (big ? typeof value !== "bigint" : typeof value !== "number") {
      throw access(path, `expected a ${big ? "bigint" : "number"}`);
    }
    const number = value as number;
    if (range && (number < range[0] || number > range[1] || (!big && !Number.isInteger(number)))) {
      throw access(path, `${String(value)} is no ${kind}`);
    }
    setScalar(kind, view, at, value as number | bigint);
  };
}

function setScalar(kind: ScalarKind, view: DataView, at: number, value: number | bigint): void {
  if (typeof value === "bigint") {
    if (kind === "Int64") return view.setBigInt64(at, value, true);
    return view.setBigUint64(at, value, true);
  }
  if (kind === "BFloat16") return view.setUint16(at, toBf16(value), true);
  view[`set${kind as "Int16"}`](at, value, true);
}

function textOf(value: unknown, path: string): string {
  if (typeof value !== "string" || !value.isWellFormed()) throw access(path, "expected well-formed text");
  return value;
}

function parsed(bytes: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(utf8(bytes, path));
  } catch (cause) {
    if (cause instanceof TensorError) throw cause;
    throw new TensorError("E_ACCESS", "the record is not JSON", { field: path, cause });
  }
}

function access(path: string, message: string): TensorError {
  return new TensorError("E_ACCESS", message, { field: path });
}
