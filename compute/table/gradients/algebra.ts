/**
 * Arithmetic of trees in f32, as gradients are written.
 *
 * @module
 */
import { binary, compare, type CompareName, constant, type Expr, select, unary } from "../expression.ts";

/** A tree, or a constant. */
export type Term = Expr | number;

/** A constant, or the tree itself. */
export function term(x: Term): Expr {
  return typeof x === "number" ? constant(x, "f32") : x;
}

/** The sum. */
export function plus(x: Term, y: Term): Expr {
  return binary("add", term(x), y);
}

/** The difference. */
export function minus(x: Term, y: Term): Expr {
  return binary("sub", term(x), y);
}

/** The product. */
export function times(...factors: readonly Term[]): Expr {
  const [first, ...rest] = factors;
  return rest.reduce((product: Expr, one) => binary("mul", product, one), term(first));
}

/** The quotient. */
export function over(x: Term, y: Term): Expr {
  return binary("div", term(x), y);
}

/** −x. */
export function opposite(x: Expr): Expr {
  return unary("neg", x);
}

/** x². */
export function squared(x: Expr): Expr {
  return binary("mul", x, x);
}

/** One value where a comparison holds, another elsewhere. */
export function when(name: CompareName, x: Expr, y: Term, then: Term, otherwise: Term): Expr {
  return select(compare(name, x, y), term(then), otherwise);
}

/** −1, 0 or 1; 0 for NaN. */
export function signOf(x: Expr): Expr {
  return when("gt", x, 0, 1, when("lt", x, 0, -1, 0));
}
