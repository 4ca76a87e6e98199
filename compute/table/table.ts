/**
 * The table of operations: each row once, by its name.
 *
 * @module
 */
import { BINARY, TERNARY } from "./binary.ts";
import { REDUCTIONS } from "./reductions.ts";
import type { MapOp, ReduceOp } from "./spec.ts";
import { UNARY } from "./unary.ts";

/** Rows that map elements. */
export const MAPS: ReadonlyMap<string, MapOp> = byName([...UNARY, ...BINARY, ...TERNARY]);
/** Rows that fold elements. */
export const FOLDS: ReadonlyMap<string, ReduceOp> = byName(REDUCTIONS);

function byName<T extends { readonly name: string }>(rows: readonly T[]): ReadonlyMap<string, T> {
  return new Map(rows.map((row) => [row.name, row]));
}
