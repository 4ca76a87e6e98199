/**
 * Rows of two operands that divide, raise, measure and shift (ops.md §4).
 *
 * @module
 */
import type { DType } from "../values/dtype.ts";
import { binary, compare, constant, convert, type Expr, isNaNOf, select, unary } from "./expression.ts";
import { exp, exp2, ldexp, log, log1p } from "./maths.ts";
import { power } from "./special.ts";
import type { MapOp, ToleranceClass } from "./spec.ts";
import { atan2, number, withSign } from "./trigonometry.ts";

const FLOAT: readonly DType[] = ["f32"];
const NUMBERS: readonly DType[] = ["f32", "i32", "u32"];
const INTEGERS: readonly DType[] = ["i32", "u32"];

/** All of them. */
export const ARITHMETIC: readonly MapOp[] = [
  row("div_trunc", NUMBERS, "E", (x, y) => x.dtype === "f32" ? unary("trunc", binary("div", x, y)) : quotient(x, y)),
  row("floor_divide", NUMBERS, "E", floorDivide),
  row("fmod", NUMBERS, "A", remainderOf),
  row("remainder", NUMBERS, "A", (x, y) => {
    const rest = remainderOf(x, y);
    return select(differ(x, y, rest), binary("add", rest, y), rest);
  }),
  row("pow", NUMBERS, "T", power),
  { ...row("float_power", FLOAT, "T", power), lift: true },
  row("atan2", FLOAT, "G", atan2),
  row("hypot", FLOAT, "D", (x, y) => {
    const [a, b] = [unary("abs", x), unary("abs", y)];
    const [large, small] = [binary("max", a, b), binary("min", a, b)];
    const ratio = binary("div", small, large);
    const length = binary("mul", large, unary("sqrt", binary("add", binary("mul", ratio, ratio), 1)));
    const infinite = binary("or", compare("eq", a, Infinity), compare("eq", b, Infinity));
    return select(infinite, number(Infinity), select(compare("eq", large, 0), large, length));
  }),
  row("ldexp", FLOAT, "R", ldexp),
  row("logaddexp", FLOAT, "A", (x, y) => together(x, y, (d) => log1p(exp(d)))),
  row("logaddexp2", FLOAT, "A", (x, y) => together(x, y, (d) => binary("mul", log1p(exp2(d)), Math.LOG2E))),
  row("xlogy", FLOAT, "A", (x, y) => timesLog(x, y, log)),
  row("xlog1py", FLOAT, "A", (x, y) => timesLog(x, y, log1p)),
  row("heaviside", ["f32", "i32"], "E", (x, y) => {
    const above = select(compare("gt", x, 0), constant(1, x.dtype), 0);
    return select(compare("eq", x, 0), y, above);
  }),
  row("gcd", INTEGERS, "E", gcd),
  row("lcm", INTEGERS, "E", (x, y) => {
    const both = binary("mul", quotient(x, gcd(x, y)), y);
    return x.dtype === "i32" ? unary("abs", both) : both;
  }),
  shift("bitwise_left_shift", (x, count) => binary("shl", x, count), () => 0),
  shift(
    "bitwise_right_shift",
    (x, count) => binary("shr", x, count),
    (x) => x.dtype === "i32" ? binary("shr", x, 31) : 0,
  ),
  {
    ...row("isclose", FLOAT, "E", (x, y, relative, absolute) => {
      const bound = binary("add", absolute, binary("mul", relative, unary("abs", y)));
      const near = binary("and", compare("le", unary("abs", binary("sub", x, y)), bound), finite(y));
      return binary("or", compare("eq", x, y), binary("and", near, finite(x)));
    }),
    arity: 4,
  },
];

function row(name: string, dtypes: readonly DType[], tolerance: ToleranceClass, forward: MapOp["forward"]): MapOp {
  return { name, arity: 2, dtypes, tolerance, forward };
}

/** A division that is defined for every pair of integers: by 0 it gives 0 (ops.md §4.1). */
function quotient(x: Expr, y: Expr): Expr {
  const whole = binary("div", x, divisor(y));
  const nothing = select(compare("eq", y, 0), constant(0, x.dtype), whole);
  return x.dtype === "i32" ? select(compare("eq", y, -1), unary("neg", x), nothing) : nothing;
}

/** What is left of x, with its sign. */
function remainderOf(x: Expr, y: Expr): Expr {
  if (x.dtype !== "f32") {
    const rest = binary("rem", x, divisor(y));
    return select(compare("eq", y, 0), constant(0, x.dtype), rest);
  }
  const size = unary("abs", y);
  const whole = unary("trunc", binary("div", x, y));
  const rest = binary("sub", x, binary("mul", y, whole));
  // The quotient may have been rounded over a whole number: one step back.
  const over = compare("ge", unary("abs", rest), size);
  const under = compare("lt", binary("mul", rest, x), 0);
  const once = select(over, binary("sub", rest, withSign(size, rest)), rest);
  const back = select(under, binary("add", once, withSign(size, x)), once);
  const endless = binary("and", compare("eq", size, Infinity), finite(x));
  return select(endless, x, select(compare("eq", y, 0), number(NaN), back));
}

function floorDivide(x: Expr, y: Expr): Expr {
  const rest = remainderOf(x, y);
  if (x.dtype === "u32") return quotient(x, y);
  if (x.dtype === "i32") return binary("sub", quotient(x, y), convert(differ(x, y, rest), "i32"));
  const plain = binary("div", x, y);
  const exact = binary("div", binary("sub", x, rest), y);
  const lowered = select(differ(x, y, rest), binary("sub", exact, 1), exact);
  const rounded = select(compare("eq", lowered, 0), withSign(number(0), plain), unary("rint", lowered));
  return select(compare("eq", y, 0), plain, rounded);
}

/** Whether a remainder is other than 0 and of the other sign than the divisor. */
function differ(x: Expr, y: Expr, rest: Expr): Expr {
  if (x.dtype === "u32") return constant(0, "bool");
  return binary("and", compare("ne", rest, 0), binary("xor", compare("lt", rest, 0), compare("lt", y, 0)));
}

/** An integer that may be divided by: 1 in place of 0 and −1. */
function divisor(y: Expr): Expr {
  const other = select(compare("eq", y, 0), constant(1, y.dtype), y);
  return y.dtype === "i32" ? select(compare("eq", y, -1), constant(1, "i32"), other) : other;
}

function gcd(x: Expr, y: Expr): Expr {
  let [a, b] = x.dtype === "i32" ? [unary("abs", x), unary("abs", y)] : [x, y];
  // Fibonacci numbers take longest: 46 steps reach the end of 32 bits.
  for (let step = 0; step < 47; step++) {
    const done = compare("eq", b, 0);
    const rest = select(done, b, remainderOf(a, b));
    [a, b] = [select(done, a, b), rest];
  }
  return a;
}

function together(x: Expr, y: Expr, beside: (distance: Expr) => Expr): Expr {
  const distance = unary("neg", unary("abs", binary("sub", x, y)));
  const sum = binary("add", binary("max", x, y), beside(distance));
  return select(binary("and", compare("eq", x, y), compare("eq", unary("abs", x), Infinity)), x, sum);
}

function timesLog(x: Expr, y: Expr, of: (y: Expr) => Expr): Expr {
  const nothing = binary("and", compare("eq", x, 0), unary("not", isNaNOf(y)));
  return select(nothing, number(0), binary("mul", x, of(y)));
}

function shift(name: string, by: (x: Expr, count: Expr) => Expr, beyond: (x: Expr) => Expr | number): MapOp {
  return row(name, INTEGERS, "E", (x, count) => {
    const outside = binary("or", compare("lt", count, 0), compare("gt", count, 31));
    const shifted = by(x, binary("and", count, 31));
    const end = beyond(x);
    return select(outside, typeof end === "number" ? constant(end, x.dtype) : end, shifted);
  });
}

function finite(x: Expr): Expr {
  return compare("lt", unary("abs", x), Infinity);
}
