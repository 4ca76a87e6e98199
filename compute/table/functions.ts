/**
 * Rows of one operand that are functions of analysis, and predicates of infinities (ops.md §2).
 *
 * @module
 */
import type { DType } from "../values/dtype.ts";
import { binary, bitcast, compare, constant, type Expr, isNaNOf, select } from "./expression.ts";
import { exp2, log } from "./maths.ts";
import { cbrt, digamma, erf, erfc, erfinv, lgamma } from "./special.ts";
import type { MapOp, ToleranceClass } from "./spec.ts";
import { acos, acosh, asin, asinh, atan, atanh, cos, cosh, number, sin, sinc, sinh, tan } from "./trigonometry.ts";

const ALL: readonly DType[] = ["f32", "i32", "u32", "bool"];

/** All of them. */
export const FUNCTIONS: readonly MapOp[] = [
  lifted("exp2", "A", exp2),
  lifted("sin", "G", sin),
  lifted("cos", "G", cos),
  lifted("tan", "G", tan),
  lifted("asin", "G", asin),
  lifted("acos", "G", acos),
  lifted("atan", "G", atan),
  lifted("sinh", "T", sinh),
  lifted("cosh", "T", cosh),
  lifted("asinh", "T", asinh),
  lifted("acosh", "T", acosh),
  lifted("atanh", "T", atanh),
  lifted("erf", "T", erf),
  lifted("erfc", "T", erfc),
  lifted("erfinv", "T", erfinv),
  lifted("lgamma", "T", lgamma),
  lifted("digamma", "T", digamma),
  lifted("sinc", "G", sinc),
  lifted("cbrt", "T", cbrt),
  lifted("logit", "T", (x) => log(binary("div", x, binary("sub", number(1), x)))),
  {
    ...plain("logit_within", 2, "T", (x, e) => {
      const most = binary("sub", number(1), e);
      const z = binary("min", binary("max", x, e), most);
      return log(binary("div", z, binary("sub", number(1), z)));
    }),
  },
  plain("nan_to_num", 4, "E", (x, nan, most, least) => {
    const high = select(compare("eq", x, Infinity), most, x);
    return select(isNaNOf(x), nan, select(compare("eq", x, -Infinity), least, high));
  }),
  predicate("isposinf", 0x7f800000),
  predicate("isneginf", 0xff800000),
];

function lifted(name: string, tolerance: ToleranceClass, forward: (x: Expr) => Expr): MapOp {
  return { name, arity: 1, dtypes: ["f32"], lift: true, tolerance, forward };
}

function plain(name: string, arity: MapOp["arity"], tolerance: ToleranceClass, forward: MapOp["forward"]): MapOp {
  return { name, arity, dtypes: ["f32"], tolerance, forward };
}

function predicate(name: string, bits: number): MapOp {
  const forward = (x: Expr): Expr => x.dtype === "f32" ? compare("eq", bitcast(x, "u32"), bits) : constant(0, "bool");
  return { name, arity: 1, dtypes: ALL, tolerance: "E", forward };
}
