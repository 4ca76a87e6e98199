/**
 * What rows of one operand send back (ops.md §2).
 *
 * @module
 */
import { binary, compare, isNaNOf, select, unary } from "../expression.ts";
import { exp, sigmoid } from "../maths.ts";
import type { Gradient, Gradients } from "../spec.ts";
import { digamma, trigamma } from "../special.ts";
import { cos, cosh, sin, sinh, sinPi } from "../trigonometry.ts";
import { minus, opposite, over, plus, signOf, squared, term, times } from "./algebra.ts";

const TWO_OVER_ROOT_PI = 2 / Math.sqrt(Math.PI);

/** By the name of the row. */
export const UNARY_GRADIENTS: Readonly<Record<string, Gradients>> = {
  abs: of((g, [x]) => times(g, signOf(x))),
  neg: of((g) => opposite(g)),
  positive: of((g) => g),
  sign: "zero",
  signbit: "none",
  ceil: "zero",
  floor: "zero",
  trunc: "zero",
  round: "zero",
  frac: of((g) => g),
  square: of((g, [x]) => times(g, 2, x)),
  sqrt: of((g, _, o) => over(g, times(o, 2))),
  rsqrt: of((g, _, o) => times(g, -0.5, o, o, o)),
  reciprocal: of((g, _, o) => opposite(times(g, o, o))),
  exp: of((g, _, o) => times(g, o)),
  exp2: of((g, _, o) => times(g, o, Math.LN2)),
  expm1: of((g, _, o) => times(g, plus(o, 1))),
  log: of((g, [x]) => over(g, x)),
  log2: of((g, [x]) => over(g, times(x, Math.LN2))),
  log10: of((g, [x]) => over(g, times(x, Math.LN10))),
  log1p: of((g, [x]) => over(g, plus(x, 1))),
  sin: of((g, [x]) => times(g, cos(x))),
  cos: of((g, [x]) => opposite(times(g, sin(x)))),
  tan: of((g, _, o) => times(g, plus(squared(o), 1))),
  asin: of((g, [x]) => over(g, unary("sqrt", minus(1, squared(x))))),
  acos: of((g, [x]) => opposite(over(g, unary("sqrt", minus(1, squared(x)))))),
  atan: of((g, [x]) => over(g, plus(squared(x), 1))),
  sinh: of((g, [x]) => times(g, cosh(x))),
  cosh: of((g, [x]) => times(g, sinh(x))),
  tanh: of((g, _, o) => times(g, minus(1, squared(o)))),
  asinh: of((g, [x]) => over(g, unary("sqrt", plus(squared(x), 1)))),
  acosh: of((g, [x]) => over(g, unary("sqrt", minus(squared(x), 1)))),
  atanh: of((g, [x]) => over(g, minus(1, squared(x)))),
  erf: of((g, [x]) => times(g, TWO_OVER_ROOT_PI, exp(opposite(squared(x))))),
  erfc: of((g, [x]) => times(g, -TWO_OVER_ROOT_PI, exp(opposite(squared(x))))),
  erfinv: of((g, _, o) => times(g, Math.sqrt(Math.PI) / 2, exp(squared(o)))),
  lgamma: of((g, [x]) => times(g, digamma(x))),
  digamma: of((g, [x]) => times(g, trigamma(x))),
  sinc: of((g, [x]) => {
    const angle = times(x, Math.PI);
    const near = times(x, -(Math.PI ** 2) / 3, minus(1, times(squared(angle), 0.1)));
    const apart = select(compare("lt", unary("abs", x), 0.02), term(1), x);
    const cosine = sinPi(minus(0.5, apart));
    const far = over(minus(times(apart, Math.PI, cosine), sinPi(apart)), times(apart, apart, Math.PI));
    return times(g, select(compare("lt", unary("abs", x), 0.02), near, far));
  }),
  deg2rad: of((g) => times(g, Math.PI / 180)),
  rad2deg: of((g) => times(g, 180 / Math.PI)),
  logit: of((g, [x]) => {
    const outside = binary("or", compare("lt", x, 0), compare("gt", x, 1));
    return select(outside, term(NaN), over(g, times(x, minus(1, x))));
  }),
  logit_within: [
    (g, [x, e]) => {
      const inside = binary("and", compare("ge", x, e), compare("le", x, minus(1, e)));
      const z = select(inside, x, 0.5);
      return select(inside, over(g, times(z, minus(1, z))), 0);
    },
    "zero",
  ],
  nan_to_num: [
    (g, [x]) => select(compare("lt", unary("abs", x), Infinity), g, 0),
    "zero",
    "zero",
    "zero",
  ],
  isnan: "none",
  isinf: "none",
  isfinite: "none",
  isposinf: "none",
  isneginf: "none",
  logical_not: "none",
  bitwise_not: "none",
  cbrt: of((g, _, o) => over(g, times(o, o, 3))),
  relu: of((g, [x]) => select(binary("or", compare("gt", x, 0), isNaNOf(x)), g, 0)),
  sigmoid: of((g, _, o) => times(g, o, minus(1, o))),
  silu: of((g, [x]) => {
    const s = sigmoid(x);
    return times(g, s, plus(times(x, minus(1, s)), 1));
  }),
};

/** The one operand's. */
function of(gradient: Gradient): Gradients {
  return [gradient];
}
