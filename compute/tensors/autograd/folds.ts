/**
 * What folds and products send back (ops.md §5 and §6).
 *
 * @module
 */
import { binary, compare, constant, isNaNOf, select } from "../../table/expression.ts";
import { over, times } from "../../table/gradients/algebra.ts";
import type { Tensor } from "../tensor.ts";
import type { Sent } from "./node.ts";
import { unbroadcast } from "./inverse.ts";

/** What a fold sends back. */
export interface FoldGradient {
  /** Whether it reads the operand, the result. */
  readonly reads: readonly ("x" | "result")[];
  /**
   * The gradient of the operand.
   *
   * @param g In the operand's dims, of which the folded are 1.
   * @param result In the same.
   * @param count How many elements make one.
   */
  readonly of: (g: Tensor, x: Tensor, result: Tensor, dims: readonly number[], count: number) => Tensor;
}

/** By the name of the row; the others have none, as their results are no floats. */
export const FOLD_GRADIENTS: Readonly<Record<string, FoldGradient>> = {
  sum: { reads: [], of: (g) => g },
  mean: { reads: [], of: (g, _x, _result, _dims, count) => g.runner.map("mul", [g, 1 / count]) },
  nansum: {
    reads: ["x"],
    of: (g, x) =>
      g.runner.kernel("nansum_backward", x.shape, [g, x], (g, x) => select(isNaNOf(x), constant(0, "f32"), g)),
  },
  prod: { reads: ["x", "result"], of: productOfOthers },
  amax: { reads: ["x", "result"], of: shared },
  amin: { reads: ["x", "result"], of: shared },
};

/** g times the product of all others: for an element of 0 that of those which are not. */
function productOfOthers(g: Tensor, x: Tensor, result: Tensor, dims: readonly number[]): Tensor {
  const { runner } = g;
  const zero = runner.kernel("prod_backward", x.shape, [x], (x) => select(compare("eq", x, 0), constant(1, "f32"), 0));
  const zeros = runner.reduce("sum", zero, { dim: dims, keepdim: true });
  const filled = runner.kernel(
    "prod_backward",
    x.shape,
    [x],
    (x) => select(compare("eq", x, 0), constant(1, "f32"), x),
  );
  const rest = runner.reduce("prod", filled, { dim: dims, keepdim: true });
  return runner.kernel("prod_backward", x.shape, [g, x, result, zeros, rest], (g, x, result, zeros, rest) => {
    const own = compare("eq", x, 0);
    const alone = binary("and", own, compare("eq", zeros, 1));
    const plain = over(result, select(own, constant(1, "f32"), x));
    return times(g, select(compare("eq", zeros, 0), plain, select(alone, rest, 0)));
  });
}

/** g shared evenly among the extremes. */
function shared(g: Tensor, x: Tensor, result: Tensor, dims: readonly number[]): Tensor {
  const { runner } = g;
  const best = runner.kernel("extreme_backward", x.shape, [x, result], (x, result) => {
    const nan = binary("and", isNaNOf(x), isNaNOf(result));
    return select(binary("or", compare("eq", x, result), nan), constant(1, "f32"), 0);
  });
  const count = runner.reduce("sum", best, { dim: dims, keepdim: true });
  return runner.kernel("extreme_backward", x.shape, [g, best, count], (g, best, count) => over(times(g, best), count));
}

/** What a product sends to both operands. */
export function productGradients(
  g: Tensor,
  a: Tensor | undefined,
  b: Tensor | undefined,
  shapes: readonly [readonly number[], readonly number[]],
): Sent {
  const [rows, columns] = [shapes[0].length === 1, shapes[1].length === 1];
  const stack = g.shape.slice(0, g.shape.length - (rows ? 0 : 1) - (columns ? 0 : 1));
  const [m, n] = [rows ? 1 : shapes[0].at(-2)!, columns ? 1 : shapes[1].at(-1)!];
  const wide = g.reshape(...stack, m, n);
  const k = shapes[0].at(-1)!;
  const left = a && (rows ? a.reshape(1, k) : a);
  const right = b && (columns ? b.reshape(k, 1) : b);
  const leftGradient = right && product(wide, right.transpose(), rows ? [1, k] : shapes[0]);
  const rightShape = columns ? [k, 1] : shapes[1];
  // A matrix for the whole stack is one product of all its rows.
  const flat = left && rightShape.length === 2 && left.shape.length === wide.shape.length && wide.shape.length > 2;
  const rightGradient = !left
    ? undefined
    : flat
    ? product(left.reshape(-1, k).transpose(), wide.reshape(-1, n), rightShape)
    : product(left.transpose(), wide, rightShape);
  return [leftGradient?.reshape(...shapes[0]), rightGradient?.reshape(...shapes[1])];
}

function product(x: Tensor, y: Tensor, shape: readonly number[]): Tensor {
  return unbroadcast(x.runner.matmul(x, y), shape);
}
