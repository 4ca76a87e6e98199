/**
 * Functions that fold elements, and products of matrices.
 *
 * A fold takes all dims or those named, and leaves them out or, with `keepdim`, at an extent of 1. Each function throws a
 * `ComputeError`: `E_DIM`, `E_SHAPE`, `E_DTYPE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import { bitcast as bits } from "../../table/expression.ts";
import type { FoldOptions, Tensor } from "../../tensors/tensor.ts";
import type { DType } from "../../values/dtype.ts";
import { checkDType } from "../tools/tools.ts";

/** The sum; 0 of nothing. A sum of bool counts in i32, and integers wrap. */
export function sum(x: Tensor, options?: FoldOptions): Tensor {
  return x.runner.reduce("sum", x, options);
}

/** The sum of what is not NaN. */
export function nansum(x: Tensor, options?: FoldOptions): Tensor<"f32"> {
  return x.runner.reduce("nansum", x, options) as Tensor<"f32">;
}

/** The mean; NaN of nothing. Integers are to be cast first. */
export function mean(x: Tensor, options?: FoldOptions): Tensor<"f32"> {
  return x.runner.reduce("mean", x, options) as Tensor<"f32">;
}

/** The product; 1 of nothing. */
export function prod(x: Tensor, options?: FoldOptions): Tensor {
  return x.runner.reduce("prod", x, options);
}

/** The largest element; NaN when one is NaN, and refused of nothing. */
export function amax<D extends DType>(x: Tensor<D>, options?: FoldOptions): Tensor<D> {
  return x.runner.reduce("amax", x, options) as Tensor<D>;
}

/** The smallest element; NaN when one is NaN, and refused of nothing. */
export function amin<D extends DType>(x: Tensor<D>, options?: FoldOptions): Tensor<D> {
  return x.runner.reduce("amin", x, options) as Tensor<D>;
}

/** Whether all are other than 0. */
export function all(x: Tensor, options?: FoldOptions): Tensor<"bool"> {
  return x.runner.reduce("all", x, options) as Tensor<"bool">;
}

/** Whether any is other than 0. */
export function any(x: Tensor, options?: FoldOptions): Tensor<"bool"> {
  return x.runner.reduce("any", x, options) as Tensor<"bool">;
}

/** How many are other than 0, in i32. */
export function countNonzero(x: Tensor, options?: FoldOptions): Tensor<"i32"> {
  return x.runner.reduce("count_nonzero", x, options) as Tensor<"i32">;
}

/**
 * The product of two matrices, of a matrix and a vector, or of stacks of matrices, which broadcast (ops.md §6, row 142). Both
 * operands are f32.
 */
export function matmul(a: Tensor, b: Tensor): Tensor<"f32"> {
  return a.runner.matmul(a, b);
}

/** The same 32 bits of each element as another type (row 245); not of bool. */
export function bitcast<D extends "f32" | "i32" | "u32">(x: Tensor, dtype: D): Tensor<D> {
  checkDType("bitcast", x, "f32", "i32", "u32");
  return x.runner.kernel("bitcast", x.shape, [x], (one) => bits(one, dtype)) as Tensor<D>;
}

/** Elements in another type: floats saturate and NaN becomes 0, integers wrap (ops.md §13, row 244). */
export function cast<D extends DType>(x: Tensor, dtype: D): Tensor<D> {
  return x.runner.cast(x, dtype);
}
