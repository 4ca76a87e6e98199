/**
 * Files made by hand: a header as text, and data.
 *
 * @module
 */

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
