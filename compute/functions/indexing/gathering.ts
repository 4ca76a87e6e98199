/**
 * Functions that read elements by indices (ops.md §10, rows 194, 198 to 202, 204 to 207).
 *
 * Indices are i32 or u32, and none is negative. One that is outside is `E_INDEX` on the CPU, and reads 0 on a GPU. Each function
 * throws a `ComputeError`: `E_INDEX`, `E_SHAPE`, `E_DIM`, `E_DTYPE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import { compare, constant, convert, select } from "../../table/expression.ts";
import type { Tensor } from "../../tensors/tensor.ts";
import type { DType } from "../../values/dtype.ts";
import { broadcast, dimOf, sizeOf } from "../../values/shape.ts";
import { mean, sum } from "../folding/folds.ts";
import { expand, flatten, reshape } from "../shapes/views.ts";
import { checkIndices, coordinate, refuse, within } from "../tools/tools.ts";
import { accumulated, gather, taken } from "../lookup/exchange.ts";
import { type SearchOptions, searchsorted } from "../lookup/searching.ts";
import { where } from "../elements/broadcasting.ts";

/** As {@linkcode gather}, with operands that broadcast beside the dim; without one, by place in one row. */
export function takeAlongDim<D extends DType>(x: Tensor<D>, index: Tensor, dim?: number): Tensor<D> {
  if (dim === undefined) return within(x, () => gather(flatten(x), 0, flatten(index)));
  const at = dimOf("take_along_dim", dim, x.shape);
  if (x.shape.length !== index.shape.length) {
    refuse("E_SHAPE", "take_along_dim", `shapes [${x.shape}] and [${index.shape}] have not as many dims`);
  }
  const rest = broadcast("take_along_dim", [x.shape.with(at, 1), index.shape.with(at, 1)]);
  return within(
    x,
    () => gather(expand(x, rest.with(at, x.shape[at])), at, expand(index, rest.with(at, index.shape[at]))),
  );
}

/** Elements by their place in x as one row, in the shape of the index. */
export function take<D extends DType>(x: Tensor<D>, index: Tensor): Tensor<D> {
  return within(x, () => reshape(indexSelect(flatten(x), 0, flatten(index)), index.shape));
}

/** Places of a dim, in the order of an index of one dim. */
export function indexSelect<D extends DType>(x: Tensor<D>, dim: number, index: Tensor): Tensor<D> {
  const at = dimOf("index_select", dim, x.shape);
  if (index.shape.length > 1) refuse("E_SHAPE", "index_select", `index [${index.shape}] must have one dim`);
  if (x.shape.length === 0) refuse("E_DIM", "index_select", "a tensor without dims has no places");
  const shape = x.shape.with(at, index.size);
  return within(x, () => {
    const row = reshape(index, shape.map((extent, one) => one === at ? extent : 1));
    const layout = { shape, strides: x.layout.strides.with(at, 0), offset: x.layout.offset };
    const extents = x.shape;
    const run = () => taken("index_select", x, shape, layout, [[row, x.shape[at], x.layout.strides[at]]]);
    return x.runner.withGradient("index_select", [x, row], run, [1], (g, [row]) => [
      accumulated(g, extents, at, expand(row, shape)),
    ]);
  });
}

/** `x[i, j, …]` with tensors of indices, which broadcast, for the first dims. */
export function index<D extends DType>(x: Tensor<D>, indices: readonly Tensor[]): Tensor<D> {
  if (indices.length === 0 || indices.length > Math.min(4, x.shape.length)) {
    refuse("E_DIM", "index", `${indices.length} indices for [${x.shape}]; from 1 to ${Math.min(4, x.shape.length)}`);
  }
  const lead = broadcast("index", indices.map(({ shape }) => shape));
  const rest = x.shape.slice(indices.length);
  const shape = [...lead, ...rest];
  const strides = [...lead.map(() => 0), ...x.layout.strides.slice(indices.length)];
  return within(x, () => {
    const seen = indices.map((one, dim) => {
      const row = reshape(expand(one, lead), [...lead, ...rest.map(() => 1)]);
      return [row, x.shape[dim], x.layout.strides[dim]] as const;
    });
    const layout = { shape, strides, offset: x.layout.offset };
    const extents = x.shape;
    const rows = seen.map(([row]) => row);
    return x.runner.withGradient(
      "index",
      [x, ...rows],
      () => taken("index", x, shape, layout, seen),
      rows.map((_, i) => i + 1),
      (g, rows) => [unindexed(g, extents, lead, rows)],
    );
  });
}

/** Rows of a table by index; the result has a dim more than the index (`torch.nn.functional.embedding`). */
export function embedding<D extends DType>(indices: Tensor, weight: Tensor<D>): Tensor<D> {
  if (weight.shape.length !== 2) refuse("E_SHAPE", "embedding", `the table has shape [${weight.shape}], not two dims`);
  return index(weight, [indices]);
}

/**
 * Rows of a table by index, put together bag by bag; an empty bag is 0.
 *
 * @param indices [bags, of each]: bags of one size.
 */
export function embeddingBag(
  indices: Tensor,
  weight: Tensor,
  options: { mode?: "sum" | "mean" | "max" } = {},
): Tensor<"f32"> {
  if (indices.shape.length !== 2) {
    refuse("E_SHAPE", "embedding_bag", `indices have shape [${indices.shape}], not two dims`);
  }
  return within(weight, (runner) => {
    const rows = embedding(indices, weight);
    if (indices.shape[1] === 0 || options.mode === "sum") return sum(rows, { dim: 1 }) as Tensor<"f32">;
    return options.mode === "max" ? runner.reduce("amax", rows, { dim: 1 }) as Tensor<"f32"> : mean(rows, { dim: 1 });
  });
}

/** 1 at the index and 0 elsewhere, along a new last dim of so many classes; in i32. */
export function oneHot(indices: Tensor, classes: number): Tensor<"i32"> {
  if (!Number.isInteger(classes) || classes < 1) refuse("E_VALUE", "one_hot", `${classes} classes are not possible`);
  checkIndices("one_hot", indices, classes);
  const shape = [...indices.shape, classes];
  return within(indices, (runner) => {
    const row = reshape(indices, [...indices.shape, 1]);
    return runner.kernel(
      "one_hot",
      shape,
      [row, coordinate(shape, shape.length - 1)],
      (one, place) => select(compare("eq", convert(one, "i32"), place), constant(1, "i32"), 0),
    ) as Tensor<"i32">;
  });
}

/** A value where a mask is set. */
export function maskedFill<D extends DType>(x: Tensor<D>, mask: Tensor, value: number | Tensor): Tensor<D> {
  if (mask.dtype !== "bool") refuse("E_DTYPE", "masked_fill", `the mask is ${mask.dtype}, not bool`);
  return within(x, (runner) => {
    const filled = where(mask, value, x);
    return (filled.dtype === x.dtype ? filled : runner.cast(filled, x.dtype)) as Tensor<D>;
  });
}

/** The bucket of each value between boundaries, which are sorted. */
export function bucketize(values: Tensor, boundaries: Tensor, options: SearchOptions = {}): Tensor<"i32"> {
  return searchsorted(boundaries, values, options);
}

/** What was read by several indices, summed where they lead: in a table whose rows are all places of those dims. */
function unindexed(
  g: Tensor,
  extents: readonly number[],
  lead: readonly number[],
  rows: readonly Tensor[],
): Tensor {
  return within(g, (runner) => {
    const place = rows.reduce(
      (sum: Tensor, row, dim) => runner.map("add", [runner.map("mul", [sum, extents[dim]]), runner.cast(row, "i32")]),
      runner.kernel("index_backward", rows[0].shape, [], () => constant(0, "i32")),
    );
    const [height, width] = [sizeOf(extents.slice(0, rows.length)), sizeOf(extents.slice(rows.length))];
    const index = expand(reshape(place, [sizeOf(lead), 1]), [sizeOf(lead), width]);
    const table = accumulated(reshape(g, [sizeOf(lead), width]), [height, width], 0, index);
    return reshape(table, extents);
  });
}
