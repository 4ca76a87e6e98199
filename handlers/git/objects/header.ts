/**
 * The header of a loose object (gitformat-pack and git-cat-file say what of; git's own layout):
 *
 * ```text
 * "tree 138" 00 …   kind, size in decimal, NUL
 * ```
 *
 * @module
 */
import { corrupt } from "../errors.ts";
import type { Kind } from "./oid.ts";

/** What a header says. */
export interface ObjectHeader {
  /** What the object is. */
  readonly kind: Kind;
  /** Bytes after the header. */
  readonly size: number;
  /** Bytes of the header, its NUL included. */
  readonly length: number;
}

/** Longest header: the longest kind and a size of 16 digits. */
export const MAX_HEADER = 32;

/**
 * Reads the header at the start of some bytes.
 *
 * @throws {AlknetError} `GIT_CORRUPT`: there is none.
 */
export function parseObjectHeader(bytes: Uint8Array): ObjectHeader {
  const end = bytes.subarray(0, MAX_HEADER).indexOf(0);
  const text = new TextDecoder().decode(bytes.subarray(0, Math.max(0, end)));
  const [, kind, size] = /^(commit|tree|blob|tag) (0|[1-9][0-9]{0,15})$/.exec(text) ?? [];
  if (kind === undefined || !Number.isSafeInteger(Number(size))) throw corrupt("a loose object has no header");
  return { kind: kind as Kind, size: Number(size), length: end + 1 };
}
