/**
 * Functions that write elements by indices (ops.md §10, rows 195 to 197, 199, 201, 203): indices are sorted, equal ones folded in
 * their order, and each element of the result looks for its own. There are no atomics, so results are the same each time.
 *
 * Indices are i32 or u32, and none is negative. One that is outside is `E_INDEX` on the CPU, and writes nothing on a GPU. Each
 * function throws a `ComputeError`: `E_INDEX`, `E_SHAPE`, `E_DIM`, `E_DTYPE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import { binary, compare, constant, type Expr, load, select } from "../../table/expression.ts";
import { scannedRuns, searched } from "../../table/movement.ts";
import { type KernelOperand, Tensor } from "../../tensors/tensor.ts";
import type { DType } from "../../values/dtype.ts";
import { broadcast, dimOf } from "../../values/shape.ts";
import { add, maximum, minimum, mul, where } from "../elements/broadcasting.ts";
import { cumsum } from "../folding/scans.ts";
import { expand, flatten, movedim, reshape, view } from "../shapes/views.ts";
import { pad } from "../shapes/joining.ts";
import { checkIndices, coordinate, refuse, staying, whole, within } from "../tools/tools.ts";
import { gather, index as indexed, searchsorted } from "./gathering.ts";
import { argsort } from "./ordering.ts";

/** How elements that meet become one. */
export type ScatterReduction = "sum" | "prod" | "mean" | "amax" | "amin";

/** Elements of the source written along a dim; of several for one place the last. */
export function scatter<D extends DType>(x: Tensor<D>, dim: number, index: Tensor, source: Tensor | number): Tensor<D> {
  return within(x, () => {
    const { found, value } = collected("scatter", x, dim, index, source, (_, b) => b);
    return where(found, value, x) as Tensor<D>;
  });
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
  return within(x, (runner) => {
    const { found, value, count } = collected("scatter_reduce", x, dim, index, source, (a, b) => binary(name, a, b));
    let result = includeSelf ? one(x, value) : value;
    if (by === "mean") result = runner.map("div", [result, add(count, includeSelf ? 1 : 0)]);
    return where(found, result, x) as Tensor<D>;
  });
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

interface Collected {
  /** Whether an index names the element. */
  readonly found: Tensor;
  /** What those that do make together. */
  readonly value: Tensor;
  /** How many do. */
  readonly count: Tensor;
}

/** For each element of x, what the elements of the source whose index names it make. */
function collected(
  op: string,
  x: Tensor,
  dim: number,
  index: Tensor,
  source: Tensor | number,
  combine: (a: Expr, b: Expr) => Expr,
): Collected {
  const at = dimOf(op, dim, x.shape);
  const rank = Math.max(1, x.shape.length);
  const fits = (shape: readonly number[]): boolean =>
    index.shape.length === shape.length && index.shape.every((extent, one) => extent <= shape[one]);
  const inside = index.shape.length === x.shape.length &&
    index.shape.every((extent, one) => one === at || extent <= x.shape[one]);
  if (!inside || (source instanceof Tensor && !fits(source.shape))) {
    const other = source instanceof Tensor ? `and source [${source.shape}] ` : "";
    refuse("E_SHAPE", op, `index [${index.shape}] ${other}must have the dims of [${x.shape}], none larger`);
  }
  if (source instanceof Tensor && source.dtype !== x.dtype) {
    refuse("E_DTYPE", op, `the source is ${source.dtype} and the target ${x.dtype}; cast one of them`);
  }
  checkIndices(op, index, x.shape[at] ?? 1);
  const { runner } = x;
  const none = (dtype: DType): Tensor => runner.kernel(op, x.shape, [], () => constant(0, dtype));
  if (index.size === 0 || x.size === 0) return { found: none("bool"), value: none(x.dtype), count: none("i32") };
  const cut = source instanceof Tensor
    ? index.shape.reduce((part: Tensor, extent, one) => part.slice(one, { stop: extent }), view(source, source.shape))
    : runner.kernel(op, index.shape, [{ value: source, dtype: x.dtype }], (value) => value);
  const last = rank - 1;
  const order = argsort(index, { dim: at });
  const sorted = (of: Tensor): Tensor => {
    const moved = gather(of, at, order);
    return x.shape.length === 0 ? reshape(moved, [1]) : movedim(moved, at, -1).clone();
  };
  const keys = runner.cast(sorted(index), "i32");
  let folded = sorted(cut);
  const extent = keys.shape[last];
  const i = coordinate(keys.shape, last);
  for (let step = 1; step < extent; step *= 2) {
    const operands = [free(folded), free(keys), i, whole(step)];
    folded = runner.kernel(op, keys.shape, operands, scannedRuns(combine));
  }
  // Each element along the dim looks for its run; beside the index's rows there is none.
  const region = [...keys.shape.slice(0, -1), x.shape[at] ?? 1];
  const base = (tensor: Tensor): KernelOperand => ({
    tensor,
    layout: staying(tensor.layout, last, region),
    free: true,
  });
  const run = (of: (value: Expr, low: Expr, high: Expr) => Expr): Tensor => {
    const operands = [base(keys), base(folded), coordinate(region, last), whole(extent)];
    const made = runner.kernel(op, region, operands, (row, value, self, count) => {
      const [low, high] = [false, true].map((right) => searched(extent, right)(self, row, count, constant(1, "i32")));
      return of(value, low, high);
    });
    if (x.shape.length === 0) return reshape(made, []);
    const back = movedim(made, -1, at);
    return pad(back, back.shape.flatMap((own, one) => [x.shape[one] - own, 0]).reverse());
  };
  return {
    found: run((_, low, high) => compare("lt", low, high)),
    value: run((value, low, high) => {
      const end = load(value, binary("max", binary("sub", high, 1), 0));
      return select(compare("lt", low, high), end, constant(0, value.dtype));
    }),
    count: run((_, low, high) => binary("sub", high, low)),
  };
}

function free(tensor: Tensor): KernelOperand {
  return { tensor, layout: tensor.layout, free: true };
}
