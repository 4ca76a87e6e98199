/**
 * Trees that several optimizers are made of (compute.md §13).
 *
 * @module
 */
import { binary, compare, constant, type Expr, isNaNOf, select, unary } from "../table/expression.ts";
import type { OptimizerOptions } from "./optimizer.ts";

/** a + b. */
export function plus(a: Expr, b: Expr): Expr {
  return binary("add", a, b);
}

/** a − b. */
export function minus(a: Expr, b: Expr): Expr {
  return binary("sub", a, b);
}

/** a·b. */
export function times(a: Expr, b: Expr): Expr {
  return binary("mul", a, b);
}

/** a/b. */
export function over(a: Expr, b: Expr): Expr {
  return binary("div", a, b);
}

/** √a. */
export function root(a: Expr): Expr {
  return unary("sqrt", a);
}

/** a, moved a share of the way to b. */
export function towards(a: Expr, b: Expr, share: Expr): Expr {
  return plus(a, times(minus(b, a), share));
}

/** The sign of a: −1, 0, 1, or NaN. */
export function signOf(a: Expr): Expr {
  const sign = select(compare("gt", a, 0), constant(1, "f32"), select(compare("lt", a, 0), constant(-1, "f32"), 0));
  return select(isNaNOf(a), a, sign);
}

/** The gradient that counts: turned round to go up, and with a part of the parameter where that decays. */
export function counted(
  { maximize, weightDecay }: Required<OptimizerOptions>,
  param: Expr,
  grad: Expr,
  decay: Expr,
): Expr {
  const g = maximize ? unary("neg", grad) : grad;
  return weightDecay === 0 ? g : plus(g, times(decay, param));
}
