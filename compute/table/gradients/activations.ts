/**
 * What activations send back (ops.md §3); at kinks what PyTorch does.
 *
 * @module
 */
import { binary, compare, type CompareName, constant, type Expr, isNaNOf, select, unary } from "../expression.ts";
import { exp, log1p, sigmoid, tanh } from "../maths.ts";
import { erfc } from "../special.ts";
import type { Gradients } from "../spec.ts";
import { minus, opposite, over, plus, squared, term, times, when } from "./algebra.ts";

const SCALE = 1.0507009873554805;
const ALPHA = 1.6732632423543772;

/** By the name of the row; the operands behind the first are constants of most. */
export const ACTIVATION_GRADIENTS: Readonly<Record<string, Gradients>> = {
  relu6: [(g, [x]) => unlessBeyond(x, 0, 6, g)],
  leaky_relu: [
    (g, [x, slope]) => times(g, when("gt", x, 0, 1, slope)),
    (g, [x]) => times(g, when("gt", x, 0, 0, x)),
  ],
  elu: [(g, [x, alpha], o) => times(g, when("le", x, 0, plus(o, alpha), 1)), "zero"],
  celu: [(g, [x, alpha]) => times(g, when("gt", x, 0, 1, exp(over(below(x), alpha)))), "zero"],
  selu: [(g, [x]) => times(g, SCALE, when("gt", x, 0, 1, times(exp(below(x)), ALPHA)))],
  logsigmoid: [(g, [x]) => times(g, sigmoid(opposite(x)))],
  hardsigmoid: [(g, [x]) => between(x, -3, 3, times(g, 1 / 6))],
  hardtanh: [(g, [x, low, high]) => unlessBeyond(x, low, high, g), "zero", "zero"],
  hardswish: [(g, [x]) => {
    const inside = times(g, over(plus(times(x, 2), 3), 6));
    return when("le", x, -3, 0, when("lt", x, 3, inside, g));
  }],
  gelu: [(g, [x]) => times(g, geluSlope(x))],
  gelu_tanh: [(g, [x]) => {
    const scale = Math.sqrt(2 / Math.PI);
    const u = times(plus(x, times(x, x, x, 0.044715)), scale);
    const t = tanh(binary("min", binary("max", u, -15), 15));
    const slope = times(plus(times(x, x, 0.134145), 1), scale);
    const rest = times(x, 0.5, minus(1, squared(t)), slope);
    return times(g, plus(times(plus(t, 1), 0.5), rest));
  }],
  quick_gelu: [(g, [x]) => {
    const s = sigmoid(times(x, 1.702));
    return times(g, plus(s, times(x, 1.702, s, minus(1, s))));
  }],
  mish: [(g, [x]) => {
    const t = tanh(plus(binary("max", x, 0), log1p(exp(opposite(unary("abs", x))))));
    return times(g, plus(t, times(x, sigmoid(x), minus(1, squared(t)))));
  }],
  softplus: [
    (g, [x, beta, threshold]) => when("gt", times(x, beta), threshold, g, times(g, sigmoid(times(x, beta)))),
    "zero",
    "zero",
  ],
  softsign: [(g, [x]) => over(g, squared(plus(unary("abs", x), 1)))],
  tanhshrink: [(g, [x]) => times(g, squared(tanh(x)))],
  softshrink: [(g, [x, width]) => outside(x, width, g), "zero"],
  hardshrink: [(g, [x, width]) => outside(x, width, g), "zero"],
  threshold: [(g, [x, least]) => select(compare("le", x, least), term(0), g), "zero", "zero"],
  glu: [
    (g, [, b]) => times(g, sigmoid(b)),
    (g, [a, b]) => times(g, a, sigmoid(b), minus(1, sigmoid(b))),
  ],
  swiglu: [
    (g, [a, b]) => {
      const s = sigmoid(a);
      return times(g, b, s, plus(times(a, minus(1, s)), 1));
    },
    (g, [a]) => times(g, a, sigmoid(a)),
  ],
  geglu: [
    (g, [a, b]) => times(g, b, geluSlope(a)),
    (g, [a]) => times(g, a, normalShare(a)),
  ],
};

/** Φ(x)+x·φ(x). */
function geluSlope(x: Expr): Expr {
  const density = times(exp(times(x, x, -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return plus(normalShare(x), times(x, density));
}

/** Φ(x), whose tail erfc keeps. */
function normalShare(x: Expr): Expr {
  return times(erfc(times(x, -Math.SQRT1_2)), 0.5);
}

/** x where it is not above 0, so that no exponential of the rest overflows. */
function below(x: Expr): Expr {
  return when("gt", x, 0, 0, x);
}

/** g strictly within bounds. */
function between(x: Expr, low: Expr | number, high: Expr | number, g: Expr): Expr {
  const at = (name: CompareName, bound: Expr | number): Expr => compare(name, x, bound);
  return select(binary("and", at("gt", low), at("lt", high)), g, 0);
}

/** The same, and g for NaN. */
function unlessBeyond(x: Expr, low: Expr | number, high: Expr | number, g: Expr): Expr {
  const at = (name: CompareName, bound: Expr | number): Expr => compare(name, x, bound);
  return select(binary("or", at("le", low), at("ge", high)), constant(0, "f32"), g);
}

/** g beyond ±width, and for NaN. */
function outside(x: Expr, width: Expr, g: Expr): Expr {
  const far = compare("gt", unary("abs", x), width);
  return select(binary("or", far, isNaNOf(x)), g, constant(0, "f32"));
}
