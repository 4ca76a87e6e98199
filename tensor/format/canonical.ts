/**
 * The one form that a file with given tensors has: order of entries, text of the header, padding (tensor.md §6.3, §7).
 *
 * @module
 */
import { DTYPES } from "./dtype.ts";
import { type Entry, METADATA, NATIVE } from "./entry.ts";
import type { JsonObject } from "./scanner.ts";

/** Before or after: higher element types first, then by code points of the name. */
export function canonicalOrder(a: Pick<Entry, "name" | "dtype">, b: Pick<Entry, "name" | "dtype">): number {
  return DTYPES[b.dtype].rank - DTYPES[a.dtype].rank || compareCodePoints(a.name, b.name);
}

/** Order of UTF-8 bytes, which is that of code points; JavaScript's own is that of UTF-16 units. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return rankOfUnit(left) - rankOfUnit(right);
  }
  return a.length - b.length;
}

/** The text of a header, without padding: metadata first, its keys sorted, then entries as they come. */
export function encodeHeader(
  metadata: ReadonlyMap<string, string> | undefined,
  entries: readonly Entry[],
  native: JsonObject | undefined,
): string {
  const members: string[] = [];
  if (metadata) {
    const sorted = [...metadata].sort(([a], [b]) => compareCodePoints(a, b));
    const pairs = sorted.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
    members.push(`"${METADATA}":{${pairs.join(",")}}`);
  }
  if (native) members.push(`"${NATIVE}":${JSON.stringify(native)}`);
  for (const { name, dtype, shape, start, end } of entries) {
    members.push(
      `${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${shape.join(",")}],"data_offsets":[${start},${end}]}`,
    );
  }
  return `{${members.join(",")}}`;
}

/** Surrogates stand for code points above all others of one unit. */
function rankOfUnit(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
