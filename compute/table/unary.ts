/**
 * Rows of one operand (ops.md §2, §3).
 *
 * @module
 */
import type { DType } from "../values/dtype.ts";
import { binary, bitcast, compare, constant, type Expr, isNaNOf, select, unary } from "./expression.ts";
import { exp, expm1, log, log1p, sigmoid, tanh } from "./maths.ts";
import type { MapOp, ToleranceClass } from "./spec.ts";

const FLOAT: readonly DType[] = ["f32"];
const NUMBERS: readonly DType[] = ["f32", "i32", "u32"];
const ALL: readonly DType[] = ["f32", "i32", "u32", "bool"];

/** All of them. */
export const UNARY: readonly MapOp[] = [
  row("abs", NUMBERS, "E", (x) => x.dtype === "u32" ? x : unary("abs", x)),
  row("neg", NUMBERS, "E", (x) => x.dtype === "u32" ? binary("sub", constant(0, "u32"), x) : unary("neg", x)),
  row("positive", NUMBERS, "E", (x) => x),
  row("sign", NUMBERS, "E", (x) => {
    const positive = select(compare("gt", x, 0), constant(1, x.dtype), 0);
    return x.dtype === "u32" ? positive : select(compare("lt", x, 0), constant(-1, x.dtype), positive);
  }),
  row("signbit", ["f32", "i32"], "E", (x) => compare("lt", x.dtype === "f32" ? bitcast(x, "i32") : x, 0)),
  whole("ceil", (x) => unary("ceil", x)),
  whole("floor", (x) => unary("floor", x)),
  whole("trunc", (x) => unary("trunc", x)),
  whole("round", (x) => unary("rint", x)),
  row("frac", FLOAT, "E", (x) => binary("sub", x, unary("trunc", x))),
  row("square", NUMBERS, "R", (x) => binary("mul", x, x)),
  lifted("sqrt", "D", (x) => unary("sqrt", x)),
  lifted("rsqrt", "D", (x) => binary("div", constant(1, "f32"), unary("sqrt", x))),
  lifted("reciprocal", "D", (x) => binary("div", constant(1, "f32"), x)),
  lifted("exp", "A", exp),
  lifted("expm1", "A", expm1),
  lifted("log", "A", log),
  lifted("log2", "A", (x) => binary("mul", log(x), Math.LOG2E)),
  lifted("log10", "A", (x) => binary("mul", log(x), Math.LOG10E)),
  lifted("log1p", "A", log1p),
  lifted("tanh", "T", tanh),
  lifted("deg2rad", "R", (x) => binary("mul", x, Math.PI / 180)),
  lifted("rad2deg", "R", (x) => binary("mul", x, 180 / Math.PI)),
  row("relu", NUMBERS, "E", (x) => binary("max", x, 0)),
  lifted("sigmoid", "T", sigmoid),
  lifted("silu", "T", (x) => binary("mul", x, sigmoid(x))),
  row("isnan", ALL, "E", (x) => x.dtype === "f32" ? isNaNOf(x) : constant(0, "bool")),
  row("isinf", ALL, "E", (x) => x.dtype === "f32" ? compare("eq", magnitude(x), 0x7f800000) : constant(0, "bool")),
  row("isfinite", ALL, "E", (x) => x.dtype === "f32" ? compare("lt", magnitude(x), 0x7f800000) : constant(1, "bool")),
  row("logical_not", ALL, "E", (x) => x.dtype === "bool" ? unary("not", x) : compare("eq", x, 0)),
  row("bitwise_not", ["i32", "u32", "bool"], "E", (x) => unary("not", x)),
];

function row(name: string, dtypes: readonly DType[], tolerance: ToleranceClass, forward: MapOp["forward"]): MapOp {
  return { name, arity: 1, dtypes, tolerance, forward };
}

/** Computed in f32 whatever the operand is. */
function lifted(name: string, tolerance: ToleranceClass, forward: MapOp["forward"]): MapOp {
  return { name, arity: 1, dtypes: FLOAT, lift: true, tolerance, forward };
}

/** Rounding, which leaves integers as they are. */
function whole(name: string, forward: (x: Expr) => Expr): MapOp {
  return row(name, NUMBERS, "E", (x) => x.dtype === "f32" ? forward(x) : x);
}

function magnitude(x: Expr): Expr {
  return binary("and", bitcast(x, "u32"), 0x7fffffff);
}
