/**
 * Places of elements in order, and of values in rows that are sorted (ops.md §5, row 136; §10, row 207).
 *
 * Each function throws a `ComputeError`: `E_DIM`, `E_SHAPE`, `E_DTYPE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import { constant } from "../../table/expression.ts";
import { exchanged, searched, sortKey } from "../../table/movement.ts";
import type { Tensor } from "../../tensors/tensor.ts";
import { dimOf } from "../../values/shape.ts";
import { movedim, narrow } from "../shapes/views.ts";
import { coordinate, refuse, staying, whole, within } from "../tools/tools.ts";

/** In which order. */
export interface SortOptions {
  /** The dim. Default the last. */
  readonly dim?: number;
  /** The largest first. Default false. */
  readonly descending?: boolean;
}

/** How a sorted row is searched. */
export interface SearchOptions {
  /** Count what is equal too. Default false. */
  readonly right?: boolean;
}

/** The places of elements in order; equal ones stay in theirs. */
export function argsort(x: Tensor, options: SortOptions = {}): Tensor<"i32"> {
  const { dim = -1, descending = false } = options;
  const at = dimOf("argsort", dim, x.shape);
  const extent = x.shape[at] ?? 1;
  return within(x, (runner) => {
    if (x.size === 0 || extent === 1) {
      return runner.kernel("argsort", x.shape, [], () => constant(0, "i32")) as Tensor<"i32">;
    }
    const keys = movedim(runner.kernel("argsort", x.shape, [x], sortKey(descending)), at, -1);
    const last = keys.shape.length - 1;
    const width = 2 ** Math.ceil(Math.log2(extent));
    const shape = keys.shape.with(last, width);
    const row = { tensor: keys, layout: staying(keys.layout, last, shape), free: true };
    const words = [whole(extent), whole(keys.layout.strides[last])];
    const i = coordinate(shape, last);
    let state = runner.kernel("argsort", shape, [i], (place) => place);
    for (let block = 2; block <= width; block *= 2) {
      for (let distance = block / 2; distance >= 1; distance /= 2) {
        const free = { tensor: state, layout: state.layout, free: true };
        const next = runner.kernel(
          "argsort",
          shape,
          [free, row, i, whole(block), whole(distance), ...words],
          exchanged,
        );
        state.dispose();
        state = next;
      }
    }
    return movedim(narrow(state, last, 0, extent), -1, at).clone() as Tensor<"i32">;
  });
}

/**
 * Where values belong in rows that are sorted: how many are below, or with `right`, not above.
 *
 * @param sorted One row, or rows with the leading dims of the values.
 */
export function searchsorted(sorted: Tensor, values: Tensor, options: SearchOptions = {}): Tensor<"i32"> {
  const { shape, strides, offset } = sorted.layout;
  const extent = shape.at(-1) ?? 1;
  const lead = shape.slice(0, -1);
  const fits = shape.length === 1 ||
    (values.shape.length === shape.length && `${lead}` === `${values.shape.slice(0, -1)}`);
  if (!fits) refuse("E_SHAPE", "searchsorted", `rows [${shape}] are not those of [${values.shape}]`);
  if (sorted.dtype !== values.dtype) {
    refuse("E_DTYPE", "searchsorted", `${sorted.dtype} and ${values.dtype} differ; cast`);
  }
  const { runner } = sorted;
  if (extent === 0) return runner.kernel("searchsorted", values.shape, [], () => constant(0, "i32")) as Tensor<"i32">;
  const own = shape.length === 1 ? values.shape.map(() => 0) : [...strides.slice(0, -1), 0];
  const row = { tensor: sorted, layout: { shape: values.shape, strides: own, offset }, free: true };
  const operands = [values, row, whole(extent), whole(strides.at(-1)!)];
  return runner.kernel("searchsorted", values.shape, operands, searched(extent, options.right ?? false)) as Tensor<
    "i32"
  >;
}
