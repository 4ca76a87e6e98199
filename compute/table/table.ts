/**
 * The table of operations: each row once, by its name.
 *
 * @module
 */
import { ACTIVATIONS } from "./activations.ts";
import { ARITHMETIC } from "./arithmetic.ts";
import { BINARY, TERNARY } from "./binary.ts";
import { ACTIVATION_GRADIENTS } from "./gradients/activations.ts";
import { BROADCASTING_GRADIENTS } from "./gradients/broadcasting.ts";
import { UNARY_GRADIENTS } from "./gradients/unary.ts";
import { FUNCTIONS } from "./functions.ts";
import { REDUCTIONS } from "./reductions.ts";
import type { MapOp, ReduceOp } from "./spec.ts";
import { UNARY } from "./unary.ts";

const GRADIENTS = { ...UNARY_GRADIENTS, ...BROADCASTING_GRADIENTS, ...ACTIVATION_GRADIENTS };

/** Rows that map elements. */
export const MAPS: ReadonlyMap<string, MapOp> = byName<MapOp>([
  ...UNARY,
  ...FUNCTIONS,
  ...BINARY,
  ...ARITHMETIC,
  ...TERNARY,
  ...ACTIVATIONS,
].map((row) => ({ ...row, gradients: GRADIENTS[row.name] })));
/** Rows that fold elements. */
export const FOLDS: ReadonlyMap<string, ReduceOp> = byName(REDUCTIONS);

function byName<T extends { readonly name: string }>(rows: readonly T[]): ReadonlyMap<string, T> {
  return new Map(rows.map((row) => [row.name, row]));
}
