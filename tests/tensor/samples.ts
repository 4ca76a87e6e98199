/**
 * Files with a struct or a blob, made by hand.
 *
 * @module
 */
import { described, member } from "./bytes.ts";

/** A blob `b`: rows of U32 or U64 and data. */
export function blobFile(
  rows: Uint8Array,
  data: Uint8Array,
  options: Record<string, unknown> = {},
  dtype: "U32" | "U64" = "U32",
): Uint8Array<ArrayBuffer> {
  const width = dtype === "U32" ? 4 : 8;
  const all = new Uint8Array(rows.length + data.length);
  all.set(rows);
  all.set(data, rows.length);
  const blob = { kind: "blob", index: "b.index", data: "b.data", encoding: "utf8", ...options };
  const entries = [
    member("b.index", dtype, [rows.length / (2 * width), 2], 0, rows.length),
    member("b.data", "U8", [data.length], rows.length, all.length),
  ];
  return described({ tensors: { b: blob } }, entries.join(","), all);
}

/** A struct `r` of one record. */
export function structFile(schema: unknown, stride: number, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const tensors = { r: { kind: "struct", type: "#/$defs/R", count: 1, stride } };
  return described({ schema: { $defs: { R: schema } }, tensors }, member("r", "U8", [1, stride], 0, stride), data);
}
