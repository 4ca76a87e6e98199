/**
 * Rows of activations, whose constants are operands (ops.md §3). Those marked P propagate NaN.
 *
 * @module
 */
import { binary, compare, type Expr, isNaNOf, select, unary } from "./expression.ts";
import { exp, expm1, log1p, sigmoid, tanh } from "./maths.ts";
import { erf, erfc } from "./special.ts";
import type { MapOp, ToleranceClass } from "./spec.ts";
import { number } from "./trigonometry.ts";

const SCALE = 1.0507009873554805;
const ALPHA = 1.6732632423543772;

/** All of them. */
export const ACTIVATIONS: readonly MapOp[] = [
  row("relu6", 1, "E", (x) => bounded(x, 0, 6)),
  row("leaky_relu", 2, "R", (x, slope) => select(compare("gt", x, 0), x, binary("mul", slope, x))),
  row("elu", 2, "T", (x, alpha) => select(compare("gt", x, 0), x, binary("mul", alpha, expm1(x)))),
  row("celu", 2, "T", (x, alpha) => {
    const below = binary("mul", alpha, expm1(binary("div", x, alpha)));
    return select(compare("gt", x, 0), x, below);
  }),
  row("selu", 1, "T", (x) => {
    const below = binary("mul", expm1(x), ALPHA);
    return binary("mul", select(compare("gt", x, 0), x, below), SCALE);
  }),
  row("logsigmoid", 1, "T", (x) => binary("sub", binary("min", x, 0), log1p(exp(minus(unary("abs", x)))))),
  row("hardsigmoid", 1, "R", (x) => bounded(binary("add", binary("div", x, 6), 0.5), 0, 1)),
  row("hardtanh", 3, "E", (x, low, high) => binary("min", binary("max", x, low), high)),
  row("hardswish", 1, "A", (x) => {
    const inside = binary("div", binary("mul", x, bounded(binary("add", x, 3), 0, 6)), 6);
    return select(compare("le", x, -3), number(0), select(compare("ge", x, 3), x, inside));
  }),
  row("gelu", 1, "T", gelu),
  row("gelu_tanh", 1, "T", (x) => {
    const cube = binary("mul", binary("mul", x, x), x);
    const u = binary("mul", binary("add", x, binary("mul", cube, 0.044715)), Math.sqrt(2 / Math.PI));
    const y = binary("mul", binary("mul", x, 0.5), binary("add", tanh(bounded(u, -15, 15)), 1));
    return ends(x, y);
  }),
  row("quick_gelu", 1, "T", (x) => ends(x, binary("mul", x, sigmoid(binary("mul", x, 1.702))))),
  row("mish", 1, "T", (x) => ends(x, select(compare("gt", x, 20), x, binary("mul", x, tanh(softplus(x)))))),
  row("softplus", 3, "T", (x, beta, threshold) => {
    const scaled = binary("mul", x, beta);
    return select(compare("gt", scaled, threshold), x, binary("div", softplus(scaled), beta));
  }),
  row("softsign", 1, "D", (x) => {
    const size = unary("abs", x);
    const y = binary("div", x, binary("add", size, 1));
    const end = select(compare("gt", x, 0), number(1), -1);
    return select(compare("eq", size, Infinity), end, y);
  }),
  row("tanhshrink", 1, "T", (x) => {
    const z = binary("mul", x, x);
    const series = binary("sub", number(1 / 3), binary("mul", z, 2 / 15));
    const near = binary("mul", binary("mul", z, x), series);
    return select(compare("lt", unary("abs", x), 0.1), near, binary("sub", x, tanh(x)));
  }),
  row("softshrink", 2, "R", (x, width) => {
    const below = select(compare("lt", x, minus(width)), binary("add", x, width), binary("mul", x, 0));
    return select(compare("gt", x, width), binary("sub", x, width), select(isNaNOf(x), x, below));
  }),
  row("hardshrink", 2, "E", (x, width) => {
    const outside = binary("or", compare("gt", x, width), compare("lt", x, minus(width)));
    return select(binary("or", outside, isNaNOf(x)), x, 0);
  }),
  row("threshold", 3, "E", (x, least, otherwise) => select(compare("le", x, least), otherwise, x)),
  row("glu", 2, "T", (a, b) => binary("mul", a, sigmoid(b))),
  row("swiglu", 2, "T", (a, b) => binary("mul", ends(a, binary("mul", a, sigmoid(a))), b)),
  row("geglu", 2, "T", (a, b) => binary("mul", gelu(a), b)),
];

function row(name: string, arity: MapOp["arity"], tolerance: ToleranceClass, forward: MapOp["forward"]): MapOp {
  return { name, arity, dtypes: ["f32"], tolerance, forward };
}

/** x·Φ(x), by erfc below 0, which keeps the tail. */
function gelu(x: Expr): Expr {
  const scaled = binary("mul", x, Math.SQRT1_2);
  const above = binary("add", erf(scaled), 1);
  const share = select(compare("lt", x, 0), erfc(minus(scaled)), above);
  return ends(x, binary("mul", binary("mul", x, 0.5), share));
}

/** What tends to 0 at −∞ and to x at ∞. */
function ends(x: Expr, y: Expr): Expr {
  return select(compare("eq", x, -Infinity), number(0), select(compare("eq", x, Infinity), x, y));
}

function softplus(x: Expr): Expr {
  return binary("add", binary("max", x, 0), log1p(exp(minus(unary("abs", x)))));
}

function bounded(x: Expr, low: number, high: number): Expr {
  return binary("min", binary("max", x, low), high);
}

function minus(x: Expr): Expr {
  return unary("neg", x);
}
