/**
 * The content of a file, or its beginning.
 *
 * @module
 */
import { missing } from "../errors.ts";
import type { Oid } from "../objects/oid.ts";
import type { ObjectReader } from "../store/types.ts";

/** A file's content. */
export interface BlobRecord {
  /** The object. */
  readonly oid: Oid;
  /** Its bytes, whatever is shown of them. */
  readonly size: number;
  /** How `content` is written: as text, where all of it is UTF-8. */
  readonly encoding: "utf8" | "base64";
  /** The content, or its beginning. */
  readonly content: string;
  /** Whether it is only the beginning. */
  readonly truncated: boolean;
}

/**
 * Reads a blob.
 *
 * @param most Bytes that are shown.
 * @throws {AlknetError} `GIT_OBJECT_MISSING`, `GIT_CORRUPT`; `OBJECT_TOO_LARGE`: it is packed, and larger than what is read whole.
 */
export async function blobRecord(oid: Oid, most: number, objects: ObjectReader): Promise<BlobRecord> {
  const found = await objects.stream(oid);
  if (!found) throw missing(oid);
  const parts: Uint8Array[] = [];
  let rest = Math.min(most, found.size);
  for await (const part of found.body) {
    parts.push(part.subarray(0, rest));
    rest -= Math.min(rest, part.byteLength);
    if (rest === 0) break;
  }
  const bytes = new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  const truncated = found.size > bytes.byteLength;
  const text = textOf(bytes, truncated);
  const shown = text === undefined
    ? { encoding: "base64" as const, content: bytes.toBase64() }
    : { encoding: "utf8" as const, content: text };
  return { oid, size: found.size, ...shown, truncated };
}

/** Text, where bytes are UTF-8; a character that the end cuts is left out. */
function textOf(bytes: Uint8Array, cut: boolean): string | undefined {
  for (let less = 0; less <= (cut ? 3 : 0); less++) {
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
        .decode(bytes.subarray(0, bytes.byteLength - less));
      return text.includes("\0") ? undefined : text;
    } catch { /* Not here. */ }
  }
  return undefined;
}
