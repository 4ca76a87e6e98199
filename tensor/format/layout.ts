/**
 * Where each field of a record lies: sizes, alignments and offsets from a schema (tensor.md §6).
 *
 * @module
 */
import { byteSize, type Dtype, DTYPES, isDtype } from "./dtype.ts";
import { TensorError } from "./errors.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import { isObject, type Json, type JsonObject } from "./scanner.ts";
import { alignOf, type Kind, kindOf, optionOf, type Schema, schemaError } from "./schema.ts";

/** Kinds of one number. */
export type ScalarKind = Exclude<
  Kind,
  "Enum" | "Array" | "Tensor" | "String" | "Bytes" | "Timestamp" | "Record" | "Struct" | "Union"
>;

/** Kinds that may lie in another entry. */
export type IndirectKind = "String" | "Bytes" | "Array" | "Record";

/** Room that a value takes. */
export interface Sized {
  /** Bytes. */
  readonly size: number;
  /** What its offset is a multiple of. */
  readonly align: number;
}

/** A number or a boolean. */
export interface ScalarLayout extends Sized {
  /** Which. */
  readonly kind: ScalarKind;
}
/** An index into a list of values. */
export interface EnumLayout extends Sized {
  /** Its kind. */
  readonly kind: "Enum";
  /** The values. */
  readonly values: readonly Json[];
}
/** Elements one after another. */
export interface ArrayLayout extends Sized {
  /** Its kind. */
  readonly kind: "Array";
  /** How many. */
  readonly count: number;
  /** Bytes from one to the next. */
  readonly stride: number;
  /** Each. */
  readonly item: Layout;
}
/** A dense array of an element type. */
export interface TensorLayout extends Sized {
  /** Its kind. */
  readonly kind: "Tensor";
  /** Element type. */
  readonly dtype: Dtype;
  /** Extents. */
  readonly shape: readonly number[];
}
/** Text or bytes of a fixed room. */
export interface TextLayout extends Sized {
  /** Which. */
  readonly kind: "String" | "Bytes" | "Timestamp";
}
/** A reference into a blob entry: offset and length. */
export interface IndirectLayout extends Sized {
  /** Its kind. */
  readonly kind: "Indirect";
  /** What it refers to. */
  readonly of: IndirectKind;
  /** The entry. */
  readonly region: string;
  /** Bits of offset and of length. */
  readonly width: 32 | 64;
  /** Elements, of an array. */
  readonly item: Layout | undefined;
}
/** A field of a struct. */
export interface Field {
  /** Its name. */
  readonly name: string;
  /** Its first byte. */
  readonly start: number;
  /** What it holds. */
  readonly layout: Layout;
  /** Its schema, references followed. */
  readonly node: JsonObject;
}
/** Named fields. */
export interface StructLayout extends Sized {
  /** Its kind. */
  readonly kind: "Struct";
  /** In the order of the text. */
  readonly fields: readonly Field[];
}
/** One of several, told apart by a number. */
export interface UnionLayout extends Sized {
  /** Its kind. */
  readonly kind: "Union";
  /** Where the number lies, and which it is. */
  readonly tag: { readonly start: number; readonly kind: "Uint8" | "Uint16" | "Uint32" };
  /** The name of the variants' first field where that is the number. */
  readonly field: string | undefined;
  /** Where the variant begins. */
  readonly start: number;
  /** By number. */
  readonly variants: ReadonlyMap<number, Layout>;
}

/** How a value lies in memory. */
export type Layout =
  | ScalarLayout
  | EnumLayout
  | ArrayLayout
  | TensorLayout
  | TextLayout
  | IndirectLayout
  | StructLayout
  | UnionLayout;

/** One line of {@linkcode fieldsOf}. */
export interface FieldRow {
  /** Dotted path. */
  readonly path: string;
  /** First byte. */
  readonly start: number;
  /** The byte after the last. */
  readonly end: number;
  /** Its kind. */
  readonly kind: Layout["kind"];
  /** Elements, of an array. */
  readonly count?: number;
  /** Bytes from one element to the next, of an array. */
  readonly stride?: number;
}

const SCALARS: Readonly<Record<ScalarKind, number>> = {
  Int8: 1,
  Uint8: 1,
  Boolean: 1,
  Int16: 2,
  Uint16: 2,
  Float16: 2,
  BFloat16: 2,
  Int32: 4,
  Uint32: 4,
  Float32: 4,
  Int64: 8,
  Uint64: 8,
  Float64: 8,
};

/** Counts the nodes that a layout comes to, references followed: doubling ones make many of few. */
export class Budget {
  #left: number;
  readonly #most: number;

  /**
   * Makes one.
   *
   * @param most Nodes.
   */
  constructor(most: number = DEFAULT_LIMITS.schemaNodes) {
    this.#left = this.#most = most;
  }

  /** Takes one. */
  take(path: string): void {
    if (this.#left-- <= 0) {
      throw new TensorError("E_LIMIT", `the schema comes to more than ${this.#most} nodes`, { field: path });
    }
  }
}

/**
 * The layout of a value.
 *
 * @throws {TensorError} `E_LAYOUT` what has no fixed place in a file, or sizes that no file can hold; `E_SCHEMA`.
 */
export function layoutOf(schema: Schema, node: JsonObject, path = "", budget: Budget = new Budget()): Layout {
  return new Computing(schema, budget).layout(node, path, 0);
}

/** Every field with its place; an array is one line and so are the fields of its elements. */
export function fieldsOf(layout: Layout, path = "", base = 0): FieldRow[] {
  const { kind, size } = layout;
  const here: FieldRow = { path, start: base, end: base + size, kind };
  const below = (name: string): string => path === "" ? name : `${path}.${name}`;
  if (kind === "Struct") {
    return layout.fields.flatMap((field) => fieldsOf(field.layout, below(field.name), base + field.start));
  }
  if (kind !== "Array") return [here];
  const inner = layout.item.kind === "Struct" ? fieldsOf(layout.item, below("*"), base) : [];
  return [{ ...here, count: layout.count, stride: layout.stride }, ...inner];
}

/** The least multiple of a power of two that is not below a number. */
export function roundUp(value: number, align: number): number {
  return Math.ceil(value / align) * align;
}

class Computing {
  readonly #schema: Schema;
  readonly #budget: Budget;

  constructor(schema: Schema, budget: Budget) {
    this.#schema = schema;
    this.#budget = budget;
  }

  layout(unresolved: JsonObject, path: string, depth: number): Layout {
    this.#budget.take(path);
    if (depth > 64) throw new TensorError("E_LIMIT", "the schema nests deeper than 64", { field: path });
    const node = this.#schema.resolve(unresolved, path);
    const known = kindOf(node, path);
    if (!known) throw schemaError(path, "the node carries no TypeDef keyword");
    const { kind, options } = known;
    const layout = this.#natural(node, kind, options, path, depth);
    const align = kind === "Struct" ? undefined : alignOf(optionOf(node, options, "align"), path);
    if (align === undefined) return layout;
    if (align < layout.align) throw schemaError(path, `align ${align} is below the natural ${layout.align}`);
    return { ...layout, align };
  }

  #natural(node: JsonObject, kind: Kind, options: JsonObject, path: string, depth: number): Layout {
    if (optionOf(node, options, "encoding") === "offset-indirect") {
      return this.#indirect(node, kind, options, path, depth);
    }
    switch (kind) {
      case "Enum":
        return { kind, size: 4, align: 4, values: enumValues(node, options, path) };
      case "Array":
        return this.#array(node, options, path, depth);
      case "Tensor":
        return tensorLayout(node, options, path);
      case "String":
      case "Bytes":
      case "Timestamp": {
        const room = optionOf(node, options, "maxLength");
        if (!isCount(room)) {
          throw new TensorError("E_LAYOUT", `${kind} without maxLength has no fixed place in a file`, { field: path });
        }
        return { kind, size: room, align: 1 };
      }
      case "Record":
        throw new TensorError("E_LAYOUT", "Record has no fixed place in a file", { field: path });
      case "Struct":
        return this.#struct(node, options, path, depth);
      case "Union":
        return this.#union(node, options, path, depth);
      default:
        return { kind, size: SCALARS[kind], align: SCALARS[kind] };
    }
  }

  #indirect(node: JsonObject, kind: Kind, options: JsonObject, path: string, depth: number): IndirectLayout {
    if (kind !== "String" && kind !== "Bytes" && kind !== "Array" && kind !== "Record") {
      throw schemaError(path, `${kind} cannot be offset-indirect`);
    }
    const region = optionOf(node, options, "region");
    if (typeof region !== "string") throw schemaError(path, "offset-indirect needs the region it refers to");
    const width = optionOf(node, options, "width") === 64 ? 64 : 32;
    const item = kind === "Array" && isObject(node.items) ? this.layout(node.items, `${path}.*`, depth + 1) : undefined;
    if (kind === "Array" && !(item && item.size > 0)) throw schemaError(path, "an array needs items of some size");
    return { kind: "Indirect", of: kind, region, width, item, size: width / 4, align: width / 8 };
  }

  #array(node: JsonObject, options: JsonObject, path: string, depth: number): ArrayLayout {
    const count = optionOf(node, options, "minItems");
    if (!isCount(count) || optionOf(node, options, "maxItems") !== count) {
      throw new TensorError("E_LAYOUT", "an Array in a record needs minItems = maxItems", { field: path });
    }
    if (!isObject(node.items)) throw schemaError(path, "an Array needs items");
    const item = this.layout(node.items, `${path}.*`, depth + 1);
    const stride = roundUp(item.size, item.align);
    if (stride === 0) throw new TensorError("E_LAYOUT", "an element of an Array has no size", { field: path });
    return { kind: "Array", count, stride, item, size: safe(count * stride, path), align: item.align };
  }

  #struct(node: JsonObject, options: JsonObject, path: string, depth: number): StructLayout {
    const own = alignOf(optionOf(node, options, "align"), path);
    const forFields = alignOf(options.fieldAlign, path);
    const properties = isObject(node.properties) ? Object.entries(node.properties) : [];
    const fields: Field[] = [];
    let cursor = 0;
    let align = own ?? 1;
    for (const [name, child] of properties) {
      const below = path === "" ? name : `${path}.${name}`;
      if (!isObject(child)) throw schemaError(below, "a property is not a schema");
      const layout = this.layout(child, below, depth + 1);
      const fieldAlign = Math.max(layout.align, forFields ?? 1);
      cursor = safe(roundUp(cursor, fieldAlign), below);
      fields.push({ name, start: cursor, layout, node: this.#schema.resolve(child, below) });
      cursor = safe(cursor + layout.size, below);
      align = Math.max(align, fieldAlign);
    }
    return { kind: "Struct", fields, size: safe(roundUp(cursor, align), path), align };
  }

  #union(node: JsonObject, options: JsonObject, path: string, depth: number): UnionLayout {
    const tag = optionOf(node, options, "discriminator");
    const list = node.anyOf ?? node.oneOf;
    if (!isObject(tag) || !Array.isArray(list) || list.length === 0) {
      throw schemaError(path, "a Union needs a discriminator and variants under anyOf");
    }
    const nodes = list.map((one, index) => {
      if (!isObject(one)) throw schemaError(path, `variant ${index} is not a schema`);
      return one;
    });
    const layouts = nodes.map((one, index) => this.layout(one, `${path}.${index}`, depth + 1));
    const largest = Math.max(...layouts.map(({ size }) => size));
    const widest = Math.max(...layouts.map(({ align }) => align));
    if (tag.kind === "field") return fieldUnion(tag, layouts, largest, widest, path);
    if (tag.kind !== "byte") throw schemaError(path, "a discriminator is of kind byte or field");
    const kind = tag.type ?? "Uint8";
    if (kind !== "Uint8" && kind !== "Uint16" && kind !== "Uint32") {
      throw schemaError(path, "a discriminator is Uint8, Uint16 or Uint32");
    }
    const offset = tag.offset ?? 0;
    if (!isCount(offset)) throw schemaError(path, "the discriminator's offset is not a whole number");
    const values = tag.values ?? nodes.map((_, index) => index);
    if (!Array.isArray(values) || values.length !== nodes.length || !values.every(isCount)) {
      throw schemaError(path, "the discriminator's values are not one whole number for each variant");
    }
    const variants = new Map(values.map((value, index) => [value as number, layouts[index]]));
    if (variants.size !== layouts.length) throw schemaError(path, "two variants have one discriminator");
    const start = safe(roundUp(offset + SCALARS[kind], widest), path);
    const align = Math.max(widest, SCALARS[kind]);
    const size = safe(roundUp(start + largest, align), path);
    return { kind: "Union", tag: { start: offset, kind }, field: undefined, start, variants, size, align };
  }
}

/** A union whose variants are structs with the number as their first field. */
function fieldUnion(tag: JsonObject, layouts: Layout[], largest: number, align: number, path: string): UnionLayout {
  const name = tag.name;
  if (typeof name !== "string") throw schemaError(path, "a discriminator of kind field needs a name");
  const variants = new Map<number, Layout>();
  let kind: UnionLayout["tag"]["kind"] | undefined;
  for (const layout of layouts) {
    const first = layout.kind === "Struct" ? layout.fields[0] : undefined;
    const value = first?.node.const;
    if (first?.name !== name || !isCount(value)) {
      throw schemaError(path, `each variant is a Struct whose first field is ${name}, with a const`);
    }
    const own = first.layout.kind;
    if ((own !== "Uint8" && own !== "Uint16" && own !== "Uint32") || (kind !== undefined && own !== kind)) {
      throw schemaError(path, `${name} is Uint8, Uint16 or Uint32, and the same in each variant`);
    }
    kind = own;
    if (variants.has(value)) throw schemaError(path, "two variants have one discriminator");
    variants.set(value, layout);
  }
  const size = safe(roundUp(largest, align), path);
  return { kind: "Union", tag: { start: 0, kind: kind! }, field: name, start: 0, variants, size, align };
}

function tensorLayout(node: JsonObject, options: JsonObject, path: string): TensorLayout {
  const { dtype, shape } = tensorOptions(node, options, path);
  const size = byteSize(dtype, shape);
  if (typeof size === "string") throw new TensorError("E_LAYOUT", "the tensor has no size in bytes", { field: path });
  return {
    kind: "Tensor",
    dtype,
    shape,
    size: safe(size, path),
    align: DTYPES[dtype].bits === 64 ? 8 : DTYPES[dtype].unit,
  };
}

/** Element type and extents of a Tensor node. */
export function tensorOptions(node: JsonObject, options: JsonObject, path: string): { dtype: Dtype; shape: number[] } {
  const dtype = optionOf(node, options, "dtype");
  const shape = optionOf(node, options, "shape");
  if (typeof dtype !== "string" || !isDtype(dtype)) throw schemaError(path, "a Tensor needs a known dtype");
  if (!Array.isArray(shape) || shape.length > 64 || !shape.every(isCount)) {
    throw schemaError(path, "a Tensor needs a shape of whole numbers");
  }
  return { dtype, shape: shape as number[] };
}

function enumValues(node: JsonObject, options: JsonObject, path: string): readonly Json[] {
  const values = optionOf(node, options, "enum");
  if (!Array.isArray(values) || values.length === 0) throw schemaError(path, "an Enum needs its values under enum");
  return values;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function safe(bytes: number, path: string): number {
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new TensorError("E_LAYOUT", "the record takes more bytes than a file can hold", { field: path });
}
