/**
 * Rows of two and three operands, which broadcast (ops.md §4).
 *
 * @module
 */
import type { DType } from "../values/dtype.ts";
import { binary, compare, type CompareName, convert, type Expr, isNaNOf, select, unary } from "./expression.ts";
import type { MapOp, ToleranceClass } from "./spec.ts";
import { withSign } from "./trigonometry.ts";

const FLOAT: readonly DType[] = ["f32"];
const NUMBERS: readonly DType[] = ["f32", "i32", "u32"];
const BITS: readonly DType[] = ["i32", "u32", "bool"];
const ALL: readonly DType[] = ["f32", "i32", "u32", "bool"];

/** All of them. */
export const BINARY: readonly MapOp[] = [
  row("add", ALL, "R", (x, y) => binary(x.dtype === "bool" ? "or" : "add", x, y)),
  row("sub", NUMBERS, "R", (x, y) => binary("sub", x, y)),
  row("mul", ALL, "R", (x, y) => binary(x.dtype === "bool" ? "and" : "mul", x, y)),
  { ...row("div", FLOAT, "D", (x, y) => binary("div", x, y)), lift: true },
  row("maximum", ALL, "E", (x, y) => binary(x.dtype === "bool" ? "or" : "max", x, y)),
  row("minimum", ALL, "E", (x, y) => binary(x.dtype === "bool" ? "and" : "min", x, y)),
  row("fmax", NUMBERS, "E", (x, y) => ignoringNaN("max", x, y)),
  row("fmin", NUMBERS, "E", (x, y) => ignoringNaN("min", x, y)),
  row("copysign", FLOAT, "E", (x, y) => withSign(unary("abs", x), y)),
  ...(["eq", "ne", "lt", "le", "gt", "ge"] as const).map(comparison),
  row("logical_and", ALL, "E", (x, y) => binary("and", convert(x, "bool"), convert(y, "bool"))),
  row("logical_or", ALL, "E", (x, y) => binary("or", convert(x, "bool"), convert(y, "bool"))),
  row("logical_xor", ALL, "E", (x, y) => binary("xor", convert(x, "bool"), convert(y, "bool"))),
  row("bitwise_and", BITS, "E", (x, y) => binary("and", x, y)),
  row("bitwise_or", BITS, "E", (x, y) => binary("or", x, y)),
  row("bitwise_xor", BITS, "E", (x, y) => binary("xor", x, y)),
];

/** Rows of three operands. */
export const TERNARY: readonly MapOp[] = [
  { ...row("add_scaled", NUMBERS, "R", (x, y, alpha) => binary("add", x, binary("mul", alpha, y))), arity: 3 },
  { ...row("sub_scaled", NUMBERS, "R", (x, y, alpha) => binary("sub", x, binary("mul", alpha, y))), arity: 3 },
  { ...row("where", ALL, "E", select), arity: 3, promotesFrom: 1 },
  { ...row("clamp", NUMBERS, "E", (x, low, high) => binary("min", binary("max", x, low), high)), arity: 3 },
  { ...row("addcmul", NUMBERS, "A", (x, y, z) => binary("add", x, binary("mul", y, z))), arity: 3 },
  { ...row("addcdiv", FLOAT, "A", (x, y, z) => binary("add", x, binary("div", y, z))), arity: 3 },
  {
    ...row("lerp", FLOAT, "A", (x, y, w) => {
      const way = binary("sub", y, x);
      const back = binary("mul", way, binary("sub", convertOne(w), w));
      return select(compare("lt", w, 0.5), binary("add", x, binary("mul", w, way)), binary("sub", y, back));
    }),
    arity: 3,
  },
];

function row(name: string, dtypes: readonly DType[], tolerance: ToleranceClass, forward: MapOp["forward"]): MapOp {
  return { name, arity: 2, dtypes, tolerance, forward };
}

function comparison(name: CompareName): MapOp {
  return row(name, ALL, "E", (x, y) => {
    const [a, b] = x.dtype === "bool" ? [convert(x, "u32"), convert(y, "u32")] : [x, y];
    return compare(name, a, b);
  });
}

function ignoringNaN(name: "max" | "min", x: Expr, y: Expr): Expr {
  const both = binary(name, x, y);
  return x.dtype === "f32" ? select(isNaNOf(x), y, select(isNaNOf(y), x, both)) : both;
}

function convertOne(like: Expr): Expr {
  return { kind: "const", dtype: like.dtype, value: 1 };
}
