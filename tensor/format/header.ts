/**
 * The header: bytes to entries, every claim checked before a byte of data is trusted (tensor.md §2, §3, §8).
 *
 * ```text
 * offset  size  content
 * 0       8     N, little-endian
 * 8       N     header, JSON
 * 8+N     D     data region
 * ```
 *
 * @module
 */
import { TensorError } from "./errors.ts";
import { type Entry, LENGTH_FIELD } from "./entry.ts";
import { HeaderParser, inOrder } from "./header_parser.ts";
import { MAX_HEADER, type Mode, type TensorLimits } from "./limits.ts";
import type { JsonObject } from "./scanner.ts";

/** A header that passed the checks V1 to V17. */
export interface Header {
  /** Bytes of the header, without the length field. */
  readonly length: number;
  /** Where the data region begins: 8 + N. */
  readonly dataStart: number;
  /** Bytes of the data region. */
  readonly dataLength: number;
  /** Entries by name, in the order of the text; padding included. */
  readonly entries: ReadonlyMap<string, Entry>;
  /** Entries in the order of their offsets: their place here is their index in streams. */
  readonly ordered: readonly Entry[];
  /** What `__metadata__` holds, or undefined where there is none. */
  readonly metadata: ReadonlyMap<string, string> | undefined;
  /** The native form of the document, where there is one. */
  readonly native: JsonObject | undefined;
  /** The text. */
  readonly text: string;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Bytes of the header, from the length field (V1 to V3).
 *
 * @param prefix The first eight bytes of the file, or fewer if it has no more.
 * @param fileLength Bytes of the file.
 */
export function headerLength(
  prefix: Uint8Array,
  fileLength: number,
  limits: TensorLimits,
): number {
  if (prefix.length < LENGTH_FIELD || fileLength < LENGTH_FIELD) {
    throw new TensorError(
      "E_TRUNCATED",
      `the file has ${fileLength} bytes; a header length takes ${LENGTH_FIELD}`,
    );
  }
  const view = new DataView(prefix.buffer, prefix.byteOffset, LENGTH_FIELD);
  const length = view.getBigUint64(0, true);
  const most = Math.min(limits.headerBytes, MAX_HEADER);
  if (length > BigInt(most)) {
    throw new TensorError(
      "E_HEADER_TOO_LARGE",
      `the header claims ${length} bytes; ${most} are allowed`,
    );
  }
  if (length < 2n || Number(length) + LENGTH_FIELD > fileLength) {
    throw new TensorError(
      "E_HEADER_LENGTH",
      `the header claims ${length} bytes; the file has ${fileLength} in all`,
    );
  }
  return Number(length);
}

/**
 * Reads a header (V4 to V17, and what of V22 it can tell).
 *
 * @param bytes The header, without the length field.
 * @param fileLength Bytes of the file: known, or announced.
 */
export function parseHeader(
  bytes: Uint8Array,
  fileLength: number,
  mode: Mode,
  limits: TensorLimits,
): Header {
  const text = decodeText(bytes, "header");
  const dataStart = LENGTH_FIELD + bytes.length;
  const parser = new HeaderParser(text, fileLength - dataStart, mode, limits);
  const { entries, metadata, native } = parser.parse();
  const ordered = inOrder(entries, fileLength - dataStart);
  const dataLength = fileLength - dataStart;
  return {
    length: bytes.length,
    dataStart,
    dataLength,
    entries,
    ordered,
    metadata,
    native,
    text,
  };
}

/** Text of a header or a document (V4). */
export function decodeText(bytes: Uint8Array, what: string): string {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw new TensorError(
      "E_UTF8",
      `the ${what} begins with a byte order mark`,
    );
  }
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new TensorError("E_UTF8", `the ${what} is not UTF-8`, { cause });
  }
}
