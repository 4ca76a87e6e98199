/**
 * What a row of the table of operations declares. It is data and functions from trees to trees; no target is named.
 *
 * @module
 */
import type { DType } from "../values/dtype.ts";
import type { Expr } from "./expression.ts";

/** How far a result may lie from a float64 evaluation (ops.md §1.6). */
export type ToleranceClass = "E" | "R" | "D" | "A" | "T" | "G" | "S" | "M" | "L" | "Z";

/** The gradient of an operand from that of the result, the operands and the result. It is one element's, as the row itself. */
export type Gradient = (g: Expr, operands: readonly Expr[], result: Expr) => Expr;

/** What a row sends back: nothing, for a result that is no float; zeros; or for each operand a tree. */
export type Gradients = "none" | "zero" | readonly (Gradient | "zero")[];

/** An operation that computes each element of its result from one element of each operand. */
export interface MapOp {
  /** Name, `add` for example. */
  readonly name: string;
  /** How many operands it takes. */
  readonly arity: 1 | 2 | 3 | 4;
  /** Element types that it computes in; operands are promoted first. */
  readonly dtypes: readonly DType[];
  /** Integers and bools are computed in f32. */
  readonly lift?: boolean;
  /** Operands from this one on take part in promotion; those before are read as bool. Default 0. */
  readonly promotesFrom?: number;
  /** The result from the operands, which are already of the type it computes in. */
  readonly forward: (...operands: Expr[]) => Expr;
  /** How close the result is. */
  readonly tolerance: ToleranceClass;
  /** What it sends back (the gradient column of ops.md). */
  readonly gradients?: Gradients;
}

/** An operation that folds elements into one. */
export interface ReduceOp {
  /** Name, `sum` for example. */
  readonly name: string;
  /** Element types that it takes. */
  readonly dtypes: readonly DType[];
  /** What is folded of an element; its type is that of the accumulator. */
  readonly each: (x: Expr) => Expr;
  /** What folding starts from, for an accumulator of this type. */
  readonly identity: (accumulator: DType) => number;
  /** Two folded values as one; associative but for rounding. */
  readonly combine: (a: Expr, b: Expr) => Expr;
  /** The result from the folded value and the number of elements as f32; absent, the folded value. */
  readonly finish?: (folded: Expr, count: Expr) => Expr;
  /** Folding nothing is refused, for there is no such value. */
  readonly refusesNothing?: boolean;
  /** How close the result is. */
  readonly tolerance: ToleranceClass;
}
