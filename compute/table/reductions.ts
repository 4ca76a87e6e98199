/**
 * Rows that fold elements into one (ops.md §5).
 *
 * @module
 */
import type { DType } from "../values/dtype.ts";
import { binary, compare, constant, convert, type Expr, isNaNOf, select } from "./expression.ts";
import type { ReduceOp } from "./spec.ts";

const FLOAT: readonly DType[] = ["f32"];
const NUMBERS: readonly DType[] = ["f32", "i32", "u32"];
const ALL: readonly DType[] = ["f32", "i32", "u32", "bool"];

const LEAST: Readonly<Record<DType, number>> = { f32: -Infinity, i32: -(2 ** 31), u32: 0, bool: 0 };
const MOST: Readonly<Record<DType, number>> = { f32: Infinity, i32: 2 ** 31 - 1, u32: 2 ** 32 - 1, bool: 1 };

/** All of them. */
export const REDUCTIONS: readonly ReduceOp[] = [
  { ...adding("sum", (x) => x.dtype === "bool" ? convert(x, "i32") : x), dtypes: ALL },
  adding("nansum", (x) => select(isNaNOf(x), constant(0, "f32"), x)),
  { ...adding("mean", (x) => x), finish: (folded, count) => binary("div", folded, count) },
  {
    name: "prod",
    dtypes: ALL,
    each: (x) => x.dtype === "bool" ? convert(x, "i32") : x,
    identity: () => 1,
    combine: (a, b) => binary("mul", a, b),
    tolerance: "S",
  },
  extreme("amax", "max", LEAST),
  extreme("amin", "min", MOST),
  logical("all", "and", 1),
  logical("any", "or", 0),
  {
    ...adding("count_nonzero", (x) => select(truth(x), constant(1, "i32"), 0)),
    dtypes: ALL,
    tolerance: "E",
  },
];

function adding(name: string, each: (x: Expr) => Expr): ReduceOp {
  return { name, dtypes: FLOAT, each, identity: () => 0, combine: (a, b) => binary("add", a, b), tolerance: "S" };
}

function extreme(name: string, by: "max" | "min", identity: Readonly<Record<DType, number>>): ReduceOp {
  return {
    name,
    dtypes: NUMBERS,
    each: (x) => x,
    identity: (accumulator) => identity[accumulator],
    combine: (a, b) => binary(by, a, b),
    refusesNothing: true,
    tolerance: "E",
  };
}

function logical(name: string, by: "and" | "or", identity: number): ReduceOp {
  const combine = (a: Expr, b: Expr): Expr => binary(by, a, b);
  return { name, dtypes: ALL, each: truth, identity: () => identity, combine, tolerance: "E" };
}

function truth(x: Expr): Expr {
  return x.dtype === "bool" ? x : compare("ne", x, 0);
}
