/**
 * Shapes of a product of matrices (ops.md §6, row 142): vectors, matrices, and stacks of them, which broadcast.
 *
 * @module
 */
import { ComputeError } from "../values/errors.ts";
import { broadcast, expand, type Layout, sizeOf } from "../values/shape.ts";

/** A matrix within a stack. */
export interface MatrixPlace {
  readonly offset: number;
  readonly rowStride: number;
  readonly columnStride: number;
}

/** What is to be multiplied. */
export interface ProductPlan {
  /** Shape of the result. */
  readonly shape: readonly number[];
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** The pairs of matrices, in the order of the result. */
  readonly pairs: Iterable<{ readonly a: MatrixPlace; readonly b: MatrixPlace }>;
}

/**
 * Plans a product.
 *
 * @throws {ComputeError} `E_SHAPE` for operands without dims, inner extents that differ, stacks that do not broadcast.
 */
export function planProduct(a: Layout, b: Layout): ProductPlan {
  const shapes = `shapes [${a.shape}] and [${b.shape}]`;
  if (a.shape.length === 0 || b.shape.length === 0) {
    throw new ComputeError("E_SHAPE", "matmul", `${shapes}: both operands need a dim`);
  }
  const left = a.shape.length === 1 ? withDim(a, 0) : a;
  const right = b.shape.length === 1 ? withDim(b, 1) : b;
  const [m, k] = left.shape.slice(-2);
  const [depth, n] = right.shape.slice(-2);
  if (k !== depth) {
    const dims = `dim -1 of the first is ${k} and dim ${b.shape.length === 1 ? -1 : -2} of the second ${depth}`;
    throw new ComputeError("E_SHAPE", "matmul", `${shapes} do not multiply: ${dims}; they must be equal`);
  }
  const stack = broadcast("matmul", [left.shape.slice(0, -2), right.shape.slice(0, -2)]);
  const shape = [...stack, ...(a.shape.length === 1 ? [] : [m]), ...(b.shape.length === 1 ? [] : [n])];
  return { shape, m, n, k, pairs: pairsOf(stack, left, right) };
}

function* pairsOf(stack: readonly number[], a: Layout, b: Layout): Iterable<{ a: MatrixPlace; b: MatrixPlace }> {
  const [one, other] = [a, b].map((matrix) => {
    const [shape, strides] = [matrix.shape.slice(0, -2), matrix.strides.slice(0, -2)];
    const [rowStride, columnStride] = matrix.strides.slice(-2);
    return { ...expand({ shape, strides, offset: matrix.offset }, stack), rowStride, columnStride };
  });
  for (let index = 0; index < sizeOf(stack); index++) {
    let [rest, placeA, placeB] = [index, one.offset, other.offset];
    for (let dim = stack.length - 1; dim >= 0; dim--) {
      const at = rest % stack[dim];
      rest = Math.floor(rest / stack[dim]);
      placeA += at * one.strides[dim];
      placeB += at * other.strides[dim];
    }
    yield { a: { ...one, offset: placeA }, b: { ...other, offset: placeB } };
  }
}

function withDim({ shape, strides, offset }: Layout, dim: number): Layout {
  return { shape: shape.toSpliced(dim, 0, 1), strides: strides.toSpliced(dim, 0, 0), offset };
}
