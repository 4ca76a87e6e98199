/**
 * Functions that write elements by indices (ops.md §10, rows 195 to 197, 199, 201, 203): indices are sorted, equal ones folded in
 * their order, and each element of the result looks for its own. There are no atomics, so results are the same each time.
 *
 * Indices are i32 or u32, and none is negative. One that is outside is `E_INDEX` on the CPU, and writes nothing on a GPU. Each
 * function throws a `ComputeError`: `E_INDEX`, `E_SHAPE`, `E_DIM`, `E_DTYPE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import { binary, constant } from "../../table/expression.ts";
import { Tensor } from "../../tensors/tensor.ts";
import type { DType } from "../../values/dtype.ts";
import { broadcast, dimOf } from "../../values/shape.ts";
import { add, maximum, minimum, mul, where } from "../elements/broadcasting.ts";
import { cumsum } from "../folding/scans.ts";
import { expand, flatten, reshape } from "../shapes/views.ts";
import { scatterGradient, type ScatterReduction, widened } from "./scatter_gradients.ts";
import { checkIndices, refuse, within } from "../tools/tools.ts";
import { accumulated, checkCollected, collected, gather } from "../lookup/exchange.ts";
import { index as indexed } from "./gathering.ts";
import { searchsorted } from "../lookup/searching.ts";

/** Elements of the source written along a dim; of several for one place the last. */
export function scatter<D extends DType>(x: Tensor<D>, dim: number, index: Tensor, source: Tensor | number): Tensor<D> {
  const run = (): Tensor<D> => {
    const { found, value } = collected("scatter", x, dim, index, source, (_, b) => b);
    return where(found, value, x) as Tensor<D>;
  };
  const given = source instanceof Tensor ? source : undefined;
  const extents = given?.shape;
  return within(
    x,
    (runner) =>
      runner.withGradient("scatter", [x, index, ...(given ? [given] : [])], run, [1], (g, [index], wanted) => [
        wanted[0] ? scatter(g, dim, index, 0) : undefined,
        undefined,
        wanted[2] && extents ? widened(gather(g, dim, index), extents) : undefined,
      ]),
  );
}

/** Elements of the source added along a dim. */
export function scatterAdd<D extends DType>(x: Tensor<D>, dim: number, index: Tensor, source: Tensor): Tensor<D> {
  return scatterReduce(x, dim, index, source, "sum");
}

/** Elements of the source folded along a dim, with what is there or, without `includeSelf`, in its place. */
export function scatterReduce<D extends DType>(
  x: Tensor<D>,
  dim: number,
  index: Tensor,
  source: Tensor,
  by: ScatterReduction,
  options: { includeSelf?: boolean } = {},
): Tensor<D> {
  const { includeSelf = true } = options;
  if (by === "mean" && x.dtype !== "f32") refuse("E_DTYPE", "scatter_reduce", `a mean takes f32, not ${x.dtype}; cast`);
  const [name, one] = by === "prod"
    ? ["mul", (a: Tensor, b: Tensor) => mul(a, b)] as const
    : by === "amax"
    ? ["max", maximum] as const
    : by === "amin"
    ? ["min", minimum] as const
    : ["add", add] as const;
  const run = (): Tensor<D> => {
    if (by === "sum" && includeSelf && x.dtype === "f32") {
      const at = checkCollected("scatter_reduce", x, dim, index, source);
      const seen = index.shape.reduce((part: Tensor, extent, one) => part.slice(one, { stop: extent }), source);
      return add(x, accumulated(seen, x.shape, at, index)) as Tensor<D>;
    }
    const { found, value, count } = collected("scatter_reduce", x, dim, index, source, (a, b) => binary(name, a, b));
    let result = includeSelf ? one(x, value) : value;
    if (by === "mean") result = x.runner.map("div", [result, add(count, includeSelf ? 1 : 0)]);
    return where(found, result, x) as Tensor<D>;
  };
  const form = { by, includeSelf, dim };
  const needs = by === "sum" ? [1] : [0, 1, 2, 3];
  return within(
    x,
    (runner) =>
      runner.withGradient("scatter_reduce", [x, index, source], run, needs, scatterGradient(form, source.shape)),
  );
}

/** Rows of the source, times alpha, added to those of a dim that an index of one dim names. */
export function indexAdd<D extends DType>(
  x: Tensor<D>,
  dim: number,
  index: Tensor,
  source: Tensor,
  options: { alpha?: number } = {},
): Tensor<D> {
  const { alpha = 1 } = options;
  return within(
    x,
    () => scatterAdd(x, dim, rows(x, dim, index, source.shape), alpha === 1 ? source : mul(source, alpha)),
  );
}

/** Rows of the source in place of those of a dim that an index of one dim names. */
export function indexCopy<D extends DType>(x: Tensor<D>, dim: number, index: Tensor, source: Tensor): Tensor<D> {
  return within(x, () => scatter(x, dim, rows(x, dim, index, source.shape), source));
}

/** A number in place of the rows of a dim that an index of one dim names. */
export function indexFill<D extends DType>(x: Tensor<D>, dim: number, index: Tensor, value: number): Tensor<D> {
  const shape = x.shape.with(dimOf("index_fill", dim, x.shape), index.size);
  return within(x, () => scatter(x, dim, rows(x, dim, index, shape), value));
}

/** `x[i, j, …] = values`, or `+=`, with tensors of indices, which broadcast, for the first dims. */
export function indexPut<D extends DType>(
  x: Tensor<D>,
  indices: readonly Tensor[],
  values: Tensor,
  options: { accumulate?: boolean } = {},
): Tensor<D> {
  const { accumulate = false } = options;
  if (indices.length === 0 || indices.length > x.shape.length) {
    refuse("E_DIM", "index_put", `${indices.length} indices for [${x.shape}]; from 1 to ${x.shape.length}`);
  }
  indices.forEach((one, dim) => checkIndices("index_put", one, x.shape[dim]));
  const lead = broadcast("index_put", indices.map(({ shape }) => shape));
  const rest = x.shape.slice(indices.length);
  return within(x, (runner) => {
    const flat = indices.reduce(
      (place: Tensor, one, dim) => runner.map("add", [mul(place, x.shape[dim]), runner.cast(one, "i32")]),
      runner.kernel("index_put", lead, [], () => constant(0, "i32")),
    );
    const table = reshape(x, [x.shape.slice(0, indices.length).reduce((a, b) => a * b, 1), ...rest]);
    const source = reshape(expand(values, [...lead, ...rest]), [flat.size, ...rest]);
    const put = accumulate ? indexAdd(table, 0, flatten(flat), source) : indexCopy(table, 0, flatten(flat), source);
    return reshape(put, x.shape) as Tensor<D>;
  });
}

/** How often each number from 0 on occurs, up to `length`. */
export function bincount(x: Tensor, length: number): Tensor<"i32"> {
  checkIndices("bincount", x, length);
  return within(x, (runner) => {
    const ones = runner.kernel("bincount", [x.size], [], () => constant(1, "i32"));
    const none = runner.kernel("bincount", [length], [], () => constant(0, "i32"));
    return scatterAdd(none, 0, flatten(x), ones) as Tensor<"i32">;
  });
}

/** The coordinates of elements other than 0, a row each. Waits for the device. */
export async function nonzero(x: Tensor): Promise<Tensor<"i32">> {
  const flat = await places(x);
  using _flat = flat;
  return x.runner.scope(({ keep }) => {
    const shape = [flat.size, x.shape.length];
    if (shape[0] * shape[1] === 0) {
      return keep(x.runner.kernel("nonzero", shape, [], () => constant(0, "i32")) as Tensor<"i32">);
    }
    const size = (dim: number): number => x.shape.slice(dim + 1).reduce((a, b) => a * b, 1);
    const columns = x.runner.tensor(x.shape.map((_, dim) => size(dim)), { dtype: "i32" });
    const extents = x.runner.tensor([...x.shape], { dtype: "i32" });
    const operands = [reshape(flat, [flat.size, 1]), columns, extents];
    return keep(
      x.runner.kernel(
        "nonzero",
        shape,
        operands,
        (place, column, extent) => binary("rem", binary("div", place, column), extent),
      ) as Tensor<"i32">,
    );
  });
}

/** The elements where a mask is set, as one row. Waits for the device. */
export async function maskedSelect<D extends DType>(x: Tensor<D>, mask: Tensor): Promise<Tensor<D>> {
  const shape = broadcast("masked_select", [x.shape, mask.shape]);
  if (mask.dtype !== "bool") refuse("E_DTYPE", "masked_select", `the mask is ${mask.dtype}, not bool`);
  const [seen, set] = x.runner.scope(({ keep }) => [keep(flatten(expand(x, shape))), keep(expand(mask, shape))]);
  using _seen = seen;
  using _set = set;
  using flat = await places(set);
  return within(x, () => indexed(seen, [flat]) as Tensor<D>);
}

/** The places of elements other than 0. */
async function places(x: Tensor): Promise<Tensor> {
  const { runner } = x;
  using counts = within(x, () => cumsum(flatten(runner.cast(runner.cast(x, "bool"), "i32")), 0));
  let total = 0;
  if (x.size > 0) {
    using last = counts.slice(0, { start: -1 });
    [total] = await last.read();
  }
  return within(x, () => {
    const wanted = runner.kernel(
      "nonzero",
      [total],
      [{ place: { shape: [total], strides: [1], offset: 1 } }],
      (i) => i,
    );
    return searchsorted(counts, wanted);
  });
}

/** An index of one dim as one of each element. */
function rows(x: Tensor, dim: number, index: Tensor, shape: readonly number[]): Tensor {
  const at = dimOf("index", dim, x.shape);
  if (index.shape.length > 1 || shape.length !== x.shape.length || shape[at] !== index.size) {
    refuse("E_SHAPE", "index", `index [${index.shape}] and source [${shape}] do not fit dim ${dim} of [${x.shape}]`);
  }
  return expand(reshape(index, shape.map((_, one) => one === at ? index.size : 1)), shape);
}
