/**
 * Words in which a file is described: fields of records, and tensors, records and items of a file. Each is a TypeBox schema
 * whose static type is what a reader gives.
 *
 * @module
 */
import { type Static, type TObject, type TProperties, type TSchema, type TUnsafe, Type } from "typebox";
import type { Dtype, DtypeArrays } from "../format/dtype.ts";
import type { ScalarKind } from "../format/layout.ts";
import type { Blobs } from "../read/blobs.ts";
import type { Records } from "../read/records.ts";

/** Kinds whose values are `bigint`. */
export type BigKind = "Int64" | "Uint64";
/** The value of a scalar kind. */
export type ScalarOf<K extends ScalarKind> = K extends BigKind ? bigint : K extends "Boolean" ? boolean : number;
/** Options of a field. */
export interface FieldOptions {
  /** Least alignment. */
  readonly align?: number;
  /** What a record gets that does not name the field, and what an old file is read as. */
  readonly default?: unknown;
  /** Earlier names of the field. */
  readonly aliases?: readonly string[];
}

/** A number or a boolean of a record. */
export function scalar<K extends ScalarKind>(kind: K, options: FieldOptions = {}): TUnsafe<ScalarOf<K>> {
  const type = kind === "Boolean" ? "boolean" : /Float/.test(kind) ? "number" : "integer";
  return Type.Unsafe<ScalarOf<K>>({ type, [`TypeDef:${kind}`]: true, ...options });
}

/** One of a list of values, stored as its place in the list. */
export function choice<const V extends readonly (string | number)[]>(values: V): TUnsafe<V[number]> {
  return Type.Unsafe<V[number]>({ enum: values, "TypeDef:Enum": true });
}

/** Text in a room of `maxLength` bytes of UTF-8. */
export function text(maxLength: number, options: FieldOptions = {}): TUnsafe<string> {
  return Type.Unsafe<string>({ type: "string", "TypeDef:String": { maxLength }, ...options });
}

/** Exactly `maxLength` bytes. */
export function octets(maxLength: number): TUnsafe<Uint8Array> {
  return Type.Unsafe<Uint8Array>({ "TypeDef:Bytes": { maxLength } });
}

/** Text of any length, kept in the entry `region` beside the records. */
export function longText(region: string): TUnsafe<string> {
  return Type.Unsafe<string>({ type: "string", "TypeDef:String": { encoding: "offset-indirect", region } });
}

/** `count` values one after another. */
export function list<S extends TSchema>(items: S, count: number): TUnsafe<Static<S>[]> {
  return Type.Unsafe<Static<S>[]>({ type: "array", "TypeDef:Array": true, items, minItems: count, maxItems: count });
}

/**
 * Named members: the fields of a record, and in a file the tensors below a name.
 *
 * @example
 * ```ts
 * import { fileLayout, struct, tensor } from "@alknet/tensor";
 * import assert from "node:assert/strict";
 *
 * const layout = fileLayout(struct({ conv1: struct({ weight: tensor("f32", [20, 1, 5, 5]) }) }));
 * assert.deepEqual(Object.keys(layout.entries), ["conv1.weight"]);
 * ```
 */
export function struct<P extends TProperties>(properties: P, options: { readonly align?: number } = {}): TObject<P> {
  return Type.Object(properties, { "TypeDef:Struct": options.align === undefined ? true : options });
}

/** A dense array: a tensor of a file, or a small one inside a record. */
export function tensor<D extends Lowercase<Dtype>>(
  dtype: D,
  shape: readonly number[],
): TUnsafe<DtypeArrays[Uppercase<D>]> {
  return Type.Unsafe<DtypeArrays[Uppercase<D>]>({ "TypeDef:Tensor": { dtype: dtype.toUpperCase(), shape } });
}

/** Records of a file, as many as are written. */
export function records<S extends TSchema>(items: S): TUnsafe<Records<Static<S>>> {
  return Type.Unsafe<Records<Static<S>>>({ type: "array", "TypeDef:Array": true, items });
}

/** Texts of a file, of any length. */
export function texts(): TUnsafe<Blobs<string>> {
  return Type.Unsafe<Blobs<string>>({ ...INDIRECT, items: { type: "string" } });
}

/** Byte strings of a file, of any length. */
export function blobs(): TUnsafe<Blobs<Uint8Array>> {
  return Type.Unsafe<Blobs<Uint8Array>>({ ...INDIRECT, items: { "TypeDef:Bytes": true } });
}

/** Ragged rows of a file: each any number of elements. */
export function rows<S extends TSchema>(element: S): TUnsafe<Blobs<Static<S>[]>> {
  return Type.Unsafe<Blobs<Static<S>[]>>({ ...INDIRECT, items: { type: "array", items: element } });
}

const INDIRECT = { type: "array", "TypeDef:Array": { encoding: "offset-indirect" } } as const;
