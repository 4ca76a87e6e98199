/**
 * Entries, and the names that the format keeps to itself (tensor.md §3).
 *
 * @module
 */
import type { Dtype } from "./dtype.ts";

/** One entry of a header. */
export interface Entry {
  /** Its name. */
  readonly name: string;
  /** Element type. */
  readonly dtype: Dtype;
  /** Extents, slowest first; empty for a scalar. */
  readonly shape: readonly number[];
  /** First byte, relative to the data region. */
  readonly start: number;
  /** The byte after the last. */
  readonly end: number;
}

/** Member that holds strings. */
export const METADATA = "__metadata__";
/** Member that holds the native form of the document. */
export const NATIVE = "__metatensor__";
/** Beginning of the names of padding entries. */
export const PAD = "__pad__.";
/** Bytes of the length field. */
export const LENGTH_FIELD = 8;

/** Whether an entry only fills a gap. */
export function isPadding(name: string): boolean {
  return name.startsWith(PAD);
}
