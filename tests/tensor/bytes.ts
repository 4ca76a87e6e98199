/**
 * Files made by hand, a header as text and data, and what becomes of those that are wrong.
 *
 * @module
 */
import { equal, match, ok, throws } from "node:assert/strict";
import type { TensorError } from "@alknet/tensor";

/** A file of this header and data. */
export function fileOf(header: string | Uint8Array, data: Uint8Array | number = 0): Uint8Array<ArrayBuffer> {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const body = typeof data === "number" ? new Uint8Array(data) : data;
  const file = new Uint8Array(8 + text.length + body.length);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  file.set(body, 8 + text.length);
  return file;
}

/** The header of one entry called `a`. */
export function entry(dtype: string, shape: string, offsets: string): string {
  return `{"a":{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}}`;
}

/** A file with a document. */
export function described(
  document: Record<string, unknown> | string,
  entries = "",
  data: Uint8Array | number = 0,
): Uint8Array<ArrayBuffer> {
  const text = typeof document === "string" ? document : JSON.stringify({ version: 1, endian: "little", ...document });
  return fileOf(`{"__metadata__":{"metatensor":${JSON.stringify(text)}}${entries === "" ? "" : ","}${entries}}`, data);
}

/** Text of an entry among others. */
export function member(name: string, dtype: string, shape: number[], start: number, end: number): string {
  return `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape}],"data_offsets":[${start},${end}]}`;
}

/** The error with which something is refused: of this code, with such a message. */
export function refuses(work: () => unknown, codes: string, message = /./): TensorError {
  let caught: TensorError | undefined;
  throws(work, (error: TensorError) => {
    caught = error;
    equal(error.name, "TensorError", error.stack);
    ok(codes.split("|").includes(error.code), `${error.code} is none of ${codes}: ${error.message}`);
    match(error.message, message);
    return true;
  });
  return caught!;
}

/** The bytes of a text. */
export const raw = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** Bytes as specifications write them, spaces and all. */
export const hex = (text: string): Uint8Array<ArrayBuffer> => Uint8Array.fromHex(text.replaceAll(" ", ""));

/** Parts of a file, one after another. */
export const pad = (...parts: Uint8Array[]): Uint8Array<ArrayBuffer> => {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

/** The schema of a scalar. */
export const scalar = (kind: string): Record<string, unknown> => ({ [`TypeDef:${kind}`]: true });

/** The schema of a record. */
export const record = (properties: Record<string, unknown>): Record<string, unknown> => ({
  type: "object",
  "TypeDef:Struct": true,
  properties,
});
