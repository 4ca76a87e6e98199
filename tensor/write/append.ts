/**
 * Appending records and items to a dataset. A file is a header and what it describes, without room to grow: the new file is
 * written beside the old one and takes its name, so that a reader sees the one or the other.
 *
 * @module
 */
import { PORTABLE } from "../format/document.ts";
import { isPadding } from "../format/entry.ts";
import { TensorError } from "../format/errors.ts";
import type { JsonObject } from "../format/scanner.ts";
import { type RegionSink, writerOf } from "../format/values.ts";
import { openSync } from "../read/open.ts";
import type { FilePlan } from "./plan.ts";
import { bytesOf, type TensorToWrite, write, type WriteOptions } from "./write.ts";

/** Refuses fields that refer to other entries, which would have to grow too. */
const NO_REGIONS: RegionSink = {
  append(region) {
    throw new TensorError("E_KIND", "records that refer to another entry cannot be appended to", { tensor: region });
  },
};

/**
 * Appends to tensors of a file: records to structs, texts or bytes to packed blobs.
 *
 * @param additions Lists by name. Digests of what they change are dropped.
 * @throws {TensorError} `E_KIND` what cannot grow, `E_ACCESS` a value that does not fit.
 */
export async function append(
  path: string,
  additions: Readonly<Record<string, readonly unknown[]>>,
  options: Pick<WriteOptions, "verify" | "sync" | "signal" | "progress"> = {},
): Promise<FilePlan> {
  using file = openSync(path);
  const tensors = new Map<string, TensorToWrite>();
  for (const { name, dtype, shape } of file.header.ordered) {
    if (!isPadding(name)) tensors.set(name, { dtype, shape, data: () => file.stream(name) });
  }
  const grow = (name: string, shape: readonly number[], more: Uint8Array): void => {
    const { dtype } = tensors.get(name)!;
    const data = async function* () {
      yield* file.stream(name);
      yield more;
    };
    tensors.set(name, { dtype, shape, data });
  };
  const described: JsonObject = { ...file.document?.value.tensors as JsonObject };
  const digest: JsonObject = { ...file.document?.value.digest as JsonObject };
  for (const [name, values] of Object.entries(additions)) {
    const one = file.document?.tensors.get(name);
    if (one?.kind === "struct") {
      const encode = writerOf(one.layout);
      const view = new DataView(new ArrayBuffer(values.length * one.stride));
      values.forEach((value, i) => encode(view, i * one.stride, value, NO_REGIONS));
      const count = one.count + values.length;
      grow(name, [count, one.stride], bytesOf(view));
      described[name] = { ...described[name] as JsonObject, count };
      delete digest[name];
    } else if (one?.kind === "blob" && one.packed && one.type === undefined) {
      const items = values.map((value) => itemBytes(value, one.encoding, name));
      let at = file.header.entries.get(one.data)!.shape[0];
      const rows = items.flatMap(({ length }) => [at, (at += length, length)]);
      const wide = file.header.entries.get(one.index)!.dtype === "U64";
      if (!wide && at >= 2 ** 32) {
        throw new TensorError("E_KIND", "its index has 32 bits, which do not reach", { tensor: name });
      }
      grow(
        one.index,
        [one.count + items.length, 2],
        bytesOf(wide ? new BigUint64Array(rows.map(BigInt)) : new Uint32Array(rows)),
      );
      grow(one.data, [at], joined(items));
      delete digest[one.index];
      delete digest[one.data];
    } else throw new TensorError("E_KIND", "records and packed items alone can be appended to", { tensor: name });
  }
  const metadata = new Map(file.metadata);
  metadata.delete(PORTABLE);
  const { digest: _old, ...rest } = file.document!.value;
  const document = { ...rest, tensors: described, ...Object.keys(digest).length > 0 ? { digest } : {} };
  return await write(path, tensors, { ...options, metadata, document, native: file.document!.native });
}

function itemBytes(value: unknown, encoding: "bytes" | "utf8" | "json", tensor: string): Uint8Array {
  if (encoding === "json") return new TextEncoder().encode(JSON.stringify(value));
  if (encoding === "utf8" && typeof value === "string" && value.isWellFormed()) return new TextEncoder().encode(value);
  if (encoding === "bytes" && ArrayBuffer.isView(value)) return bytesOf(value);
  throw new TensorError("E_ACCESS", `an item is no ${encoding}`, { tensor });
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
