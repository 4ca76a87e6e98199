/**
 * What rows of two and more operands send back, before it is summed to their shapes (ops.md §4).
 *
 * @module
 */
import { binary, compare, constant, type Expr, isNaNOf, select, unary } from "../expression.ts";
import { exp, exp2, log, log1p } from "../maths.ts";
import type { Gradient, Gradients } from "../spec.ts";
import { minus, opposite, over, plus, signOf, squared, term, times, when } from "./algebra.ts";
import { powerGradients } from "./powers.ts";
import { withSign } from "../trigonometry.ts";

/** By the name of the row. */
export const BROADCASTING_GRADIENTS: Readonly<Record<string, Gradients>> = {
  add: [(g) => g, (g) => g],
  sub: [(g) => g, (g) => opposite(g)],
  mul: [(g, [, y]) => times(g, y), (g, [x]) => times(g, x)],
  div: [(g, [, y]) => over(g, y), (g, [, y], o) => opposite(over(times(g, o), y))],
  add_scaled: [(g) => g, (g, [, , alpha]) => times(g, alpha), (g, [, y]) => times(g, y)],
  sub_scaled: [(g) => g, (g, [, , alpha]) => opposite(times(g, alpha)), (g, [, y]) => opposite(times(g, y))],
  maximum: [larger(0, "gt"), larger(1, "gt")],
  minimum: [larger(0, "lt"), larger(1, "lt")],
  fmax: [chosen("ge", true), chosen("ge", false)],
  fmin: [chosen("le", true), chosen("le", false)],
  copysign: [(g, [x, y]) => times(g, signOf(x), withSign(term(1), y)), "zero"],
  eq: "none",
  ne: "none",
  lt: "none",
  le: "none",
  gt: "none",
  ge: "none",
  logical_and: "none",
  logical_or: "none",
  logical_xor: "none",
  bitwise_and: "none",
  bitwise_or: "none",
  bitwise_xor: "none",
  div_trunc: "zero",
  floor_divide: "zero",
  fmod: [(g) => g, (g, [x, y]) => opposite(times(g, unary("trunc", over(x, y))))],
  remainder: [(g) => g, (g, [x, y]) => opposite(times(g, unary("floor", over(x, y))))],
  pow: powerGradients,
  float_power: powerGradients,
  atan2: [
    (g, [y, x]) => turned(g, y, x, x),
    (g, [y, x]) => opposite(turned(g, y, x, y)),
  ],
  hypot: [
    (g, [x], o) => when("eq", o, 0, 0, times(g, over(x, nonzero(o)))),
    (g, [, y], o) => when("eq", o, 0, 0, times(g, over(y, nonzero(o)))),
  ],
  ldexp: [(g, [, y]) => times(g, exp2(y)), (g, _, o) => times(g, o, Math.LN2)],
  logaddexp: [
    (g, [x, y]) => times(g, share(x, y, exp)),
    (g, [x, y]) => times(g, share(y, x, exp)),
  ],
  logaddexp2: [
    (g, [x, y]) => times(g, share(x, y, exp2)),
    (g, [x, y]) => times(g, share(y, x, exp2)),
  ],
  xlogy: [
    (g, [x, y]) => {
      const nothing = binary("and", compare("eq", x, 0), compare("le", y, 0));
      return select(nothing, term(0), times(g, log(select(nothing, term(1), y))));
    },
    (g, [x, y]) => over(times(g, x), y),
  ],
  xlog1py: [
    (g, [x, y]) => {
      const nothing = binary("and", compare("eq", x, 0), compare("le", y, -1));
      return select(nothing, term(0), times(g, log1p(select(nothing, term(0), y))));
    },
    (g, [x, y]) => over(times(g, x), plus(y, 1)),
  ],
  heaviside: "zero",
  gcd: "none",
  lcm: "none",
  bitwise_left_shift: "none",
  bitwise_right_shift: "none",
  isclose: "none",
  where: ["zero", (g, [test]) => select(test, g, 0), (g, [test]) => select(test, constant(0, "f32"), g)],
  clamp: [
    (g, [x, low, high]) => select(binary("and", compare("ge", x, low), compare("le", x, high)), g, 0),
    (g, [x, low, high]) => select(binary("and", compare("lt", x, low), compare("lt", low, high)), g, 0),
    (g, [x, low, high]) => select(binary("or", compare("gt", x, high), compare("lt", high, low)), g, 0),
  ],
  addcmul: [(g) => g, (g, [, , z]) => times(g, z), (g, [, y]) => times(g, y)],
  addcdiv: [(g) => g, (g, [, , z]) => over(g, z), (g, [, y, z]) => opposite(over(times(g, y), squared(z)))],
  lerp: [
    (g, [, , w]) => times(g, minus(1, w)),
    (g, [, , w]) => times(g, w),
    (g, [x, y]) => times(g, minus(y, x)),
  ],
};

/** g to the larger, half of it to equals, and g to both beside NaN. */
function larger(own: 0 | 1, by: "gt" | "lt"): Gradient {
  return (g, operands) => {
    const [x, y] = own === 0 ? operands : [operands[1], operands[0]];
    const nan = binary("or", isNaNOf(x), isNaNOf(y));
    const tie = select(compare("eq", x, y), times(g, 0.5), 0);
    return select(binary("or", compare(by, x, y), nan), g, tie);
  };
}

/** g to the one that was chosen, the first of equals, the other beside NaN. */
function chosen(name: "ge" | "le", first: boolean): Gradient {
  return (g, [x, y]) => {
    const taken = binary("or", compare(name, x, y), isNaNOf(y));
    return first ? select(taken, g, 0) : select(taken, constant(0, "f32"), g);
  };
}

function turned(g: Expr, y: Expr, x: Expr, part: Expr): Expr {
  const square = plus(squared(x), squared(y));
  return when("eq", square, 0, 0, over(times(g, part), nonzero(square)));
}

/** The first's share of a sum of powers; 0 where both are −∞. */
function share(x: Expr, y: Expr, power: (x: Expr) => Expr): Expr {
  const nothing = compare("eq", x, -Infinity);
  const apart = select(compare("eq", x, y), term(0), minus(y, x));
  return select(nothing, term(0), over(1, plus(power(apart), 1)));
}

function nonzero(x: Expr): Expr {
  return when("eq", x, 0, 1, x);
}
