/**
 * Functions that sort (ops.md §5, rows 128, 129, 136, 137): a bitonic network over places, stable, with NaN as the largest.
 *
 * Each function throws a `ComputeError`: `E_DIM`, `E_SHAPE`, `E_VALUE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import { binary, compare, constant, isNaNOf, load, select } from "../../table/expression.ts";
import type { Tensor } from "../../tensors/tensor.ts";
import type { DType } from "../../values/dtype.ts";
import { dimOf } from "../../values/shape.ts";
import { add, lerp, where } from "../elements/broadcasting.ts";
import { cumsum } from "../folding/scans.ts";
import { argmax } from "../folding/statistics.ts";
import { flatten, narrow, reshape, squeeze } from "../shapes/views.ts";
import { checkDType, coordinate, refuse, within, withinAll } from "../tools/tools.ts";
import { gather } from "../lookup/exchange.ts";
import { argsort, searchsorted, type SortOptions } from "../lookup/searching.ts";

/** Which of the elements, and how many dims are left. */
export interface OrderOptions {
  /** The dim; absent, all elements as one row. */
  readonly dim?: number;
  /** The dim stays, with an extent of 1. Default false. */
  readonly keepdim?: boolean;
}

/** Elements in order, and their places; equal ones stay in their order. */
export function sort<D extends DType>(x: Tensor<D>, options: SortOptions = {}): readonly [Tensor<D>, Tensor<"i32">] {
  return withinAll(x, () => {
    const places = argsort(x, options);
    return [gather(x, x.shape.length === 0 ? 0 : options.dim ?? -1, places), places] as const;
  });
}

/**
 * The k largest elements of a dim, or the smallest, in order, and their places.
 *
 * @throws {ComputeError} `E_VALUE` when there are fewer.
 */
export function topk<D extends DType>(
  x: Tensor<D>,
  k: number,
  options: { dim?: number; largest?: boolean } = {},
): readonly [Tensor<D>, Tensor<"i32">] {
  const { dim = -1, largest = true } = options;
  const extent = x.shape[dimOf("topk", dim, x.shape)] ?? 1;
  if (!Number.isInteger(k) || k < 0 || k > extent) {
    refuse("E_VALUE", "topk", `${k} elements are not in dim ${dim} of [${x.shape}]; 0 to ${extent} are`);
  }
  return withinAll(x, () => {
    const places = narrow(argsort(x, { dim, descending: largest }), dim, 0, k).clone();
    return [gather(x, dim, places), places] as const;
  });
}

/** The k-th smallest element of a dim, from 1, and its place. */
export function kthvalue<D extends DType>(x: Tensor<D>, k: number, dim = -1): readonly [Tensor<D>, Tensor<"i32">] {
  const extent = x.shape[dimOf("kthvalue", dim, x.shape)] ?? 1;
  if (!Number.isInteger(k) || k < 1 || k > extent) {
    refuse("E_VALUE", "kthvalue", `${k} is not a place in dim ${dim} of [${x.shape}]; 1 to ${extent} are`);
  }
  return withinAll(x, () => {
    const [values, places] = sort(x, { dim });
    return [values, places].map((one) =>
      squeeze(narrow(one as Tensor, dim, k - 1, 1), dim).clone()
    ) as unknown as readonly [
      Tensor<D>,
      Tensor<"i32">,
    ];
  });
}

/** The lower of the two middle elements of a dim, and its place; the first NaN where there is one. */
export function median<D extends DType>(x: Tensor<D>, options: OrderOptions = {}): readonly [Tensor<D>, Tensor<"i32">] {
  const { dim, keepdim = false } = options;
  return withinAll(x, (runner) => {
    const row = dim === undefined ? flatten(x) : x;
    const at = dimOf("median", dim ?? 0, row.shape);
    const extent = row.shape[at] ?? 1;
    if (extent === 0) refuse("E_SHAPE", "median", `shape [${x.shape}] has nothing in the middle`);
    const middle = narrow(argsort(row, { dim: at }), at, (extent - 1) >> 1, 1);
    let place: Tensor = middle;
    if (x.dtype === "f32") {
      const missing = runner.map("isnan", [row]);
      const first = argmax(runner.cast(missing, "i32"), { dim: at, keepdim: true });
      place = where(runner.reduce("any", missing, { dim: at, keepdim: true }), first, middle);
    }
    const results = [gather(row, at, place), place].map((one) => {
      if (dim === undefined) return reshape(one as Tensor, keepdim ? x.shape.map(() => 1) : []).clone();
      return (keepdim ? one : squeeze(one as Tensor, at)).clone();
    });
    return results as unknown as readonly [Tensor<D>, Tensor<"i32">];
  });
}

/** Between which elements a share q of a dim lies, by linear interpolation; NaN where there is one. */
export function quantile(x: Tensor, q: number, options: OrderOptions = {}): Tensor<"f32"> {
  checkDType("quantile", x, "f32");
  if (!(q >= 0 && q <= 1)) refuse("E_VALUE", "quantile", `${q} is not within 0 to 1`);
  const { dim, keepdim = false } = options;
  return within(x, (runner) => {
    const row = dim === undefined ? flatten(x) : x;
    const at = dimOf("quantile", dim ?? 0, row.shape);
    const extent = row.shape[at] ?? 1;
    if (extent === 0) refuse("E_SHAPE", "quantile", `shape [${x.shape}] has no elements in order`);
    const [values] = sort(row, { dim: at });
    const place = q * (extent - 1);
    const [low, high] = [Math.floor(place), Math.ceil(place)].map((one) => narrow(values, at, one, 1));
    const between = lerp(low, high, place - Math.floor(place));
    const last = narrow(values, at, extent - 1, 1);
    const result = where(runner.map("isnan", [last]), last, between);
    if (dim === undefined) return reshape(result, keepdim ? x.shape.map(() => 1) : []) as Tensor<"f32">;
    return (keepdim ? result : squeeze(result, at)) as Tensor<"f32">;
  });
}

/**
 * The distinct values in order, how often each occurs, and for each element the place of its value. Waits for the device.
 */
export async function unique<D extends DType>(
  x: Tensor<D>,
): Promise<{ readonly values: Tensor<D>; readonly counts: Tensor<"i32">; readonly inverse: Tensor<"i32"> }> {
  const { runner } = x;
  const [sorted, places, ranks] = runner.scope(({ keep }) => {
    const [values, order] = sort(flatten(x), { dim: 0 });
    const size = x.size;
    const free = { tensor: values as Tensor, layout: values.layout, free: true };
    const isNew = runner.kernel("unique", [size], [free, coordinate([size], 0)], (value, i) => {
      const before = load(value, select(compare("gt", i, 0), constant(-1, "i32"), 0));
      const here = load(value, constant(0, "i32"));
      const nan = here.dtype === "f32" ? isNaNOf(here) : constant(0, "bool");
      const differs = here.dtype === "bool" ? binary("xor", here, before) : compare("ne", here, before);
      return select(binary("or", binary("or", compare("eq", i, 0), differs), nan), constant(1, "i32"), 0);
    });
    return [keep(values), keep(order), keep(cumsum(isNew, 0))];
  });
  using _sorted = sorted;
  using _places = places;
  using _ranks = ranks;
  let total = 0;
  if (x.size > 0) {
    using last = narrow(ranks, 0, -1, 1);
    [total] = await last.read();
  }
  return runner.scope(({ keep }) => {
    const wanted = runner.kernel("unique", [total], [coordinate([total], 0, 1, 1)], (i) => i);
    const starts = searchsorted(ranks, wanted);
    const ends = searchsorted(ranks, add(wanted, 1));
    const values = gather(sorted, 0, starts) as Tensor<D>;
    const back = argsort(places, { dim: 0 });
    const inverse = reshape(add(gather(ranks, 0, back), -1), x.shape) as Tensor<"i32">;
    const counts = runner.map("sub", [ends, starts]) as Tensor<"i32">;
    return { values: keep(values), counts: keep(counts), inverse: keep(inverse.clone()) };
  });
}
