/**
 * Hash sequences, N times 32 bytes; and collections, sequences whose first link names the others.
 *
 * @module
 */
import { HASH } from "../bao/tree.ts";
import { WireReader, WireWriter } from "./varint.ts";
import { WireError } from "./wire_error.ts";

const HEADER = new TextEncoder().encode("CollectionV0.");
/** Names of a collection. */
const MAX_NAMES = 1_000_000;

/**
 * The links of a sequence.
 *
 * @throws {WireError} Its bytes are no whole number of hashes.
 */
export function readLinks(bytes: Uint8Array): Uint8Array[] {
  if (bytes.byteLength % HASH !== 0) throw new WireError("a sequence is cut");
  return Array.from({ length: bytes.byteLength / HASH }, (_, i) => bytes.subarray(i * HASH, (i + 1) * HASH));
}

/** The first link of a collection: the names of the others. */
export function writeNames(names: readonly string[]): Uint8Array<ArrayBuffer> {
  const to = new WireWriter().bytes(HEADER).u64(names.length);
  for (const name of names) {
    const bytes = new TextEncoder().encode(name);
    to.u64(bytes.byteLength).bytes(bytes);
  }
  return to.done();
}

/**
 * The names of a collection, as they came: where they may lead is for the reader to look at.
 *
 * @throws {WireError} It is none.
 */
export function readNames(bytes: Uint8Array): string[] {
  const from = new WireReader(bytes);
  if (from.take(HEADER.byteLength).some((byte, i) => byte !== HEADER[i])) throw new WireError("it is no collection");
  const names: string[] = [];
  for (let i = from.count(Math.min(MAX_NAMES, from.left)); i > 0; i--) {
    names.push(utf8(from.take(from.count(from.left))));
  }
  from.end();
  return names;
}

/**
 * Text of bytes.
 *
 * @throws {WireError} They are not UTF-8.
 */
export function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new WireError("a text is not UTF-8");
  }
}
