/**
 * Reading by an index and collecting by it, which are each other's gradient (ops.md §10, rows 194 to 196).
 *
 * @module
 */
import { binary, compare, constant, convert, type Expr, load, select } from "../../table/expression.ts";
import { scannedRuns, searched } from "../../table/movement.ts";
import { type KernelOperand, Tensor } from "../../tensors/tensor.ts";
import type { DType } from "../../values/dtype.ts";
import { dimOf, expand as expanded, type Layout, sizeOf } from "../../values/shape.ts";
import { pad } from "../shapes/joining.ts";
import { movedim, reshape, view } from "../shapes/views.ts";
import { checkIndices, coordinate, elementAt, refuse, staying, whole, within } from "../tools/tools.ts";
import { argsort } from "./searching.ts";

/** Elements of a dim by an index each; the index has the result's shape, within that of x but for the dim. */
export function gather<D extends DType>(x: Tensor<D>, dim: number, index: Tensor): Tensor<D> {
  const at = dimOf("gather", dim, x.shape);
  const fits = index.shape.length === x.shape.length &&
    index.shape.every((extent, one) => one === at || extent <= x.shape[one]);
  if (!fits) refuse("E_SHAPE", "gather", `index [${index.shape}] must have the dims of [${x.shape}], none larger`);
  const strides = x.shape.length === 0 ? [] : x.layout.strides.with(at, 0);
  const layout = { shape: index.shape, strides, offset: x.layout.offset };
  const indices = [[index, x.shape[at] ?? 1, x.layout.strides[at] ?? 0]] as const;
  const { shape } = x;
  const run = () => taken("gather", x, index.shape, layout, indices);
  return x.runner.withGradient("gather", [x, index], run, [1], (g, [index]) => [accumulated(g, shape, at, index)]);
}

/** The sum at each place of a dim of what an index leads there; the gradient of {@linkcode gather}. */
export function accumulated(g: Tensor, shape: readonly number[], dim: number, index: Tensor): Tensor {
  const { runner } = g;
  const run = (): Tensor =>
    within(g, () => {
      const none = runner.kernel("scatter_add", shape, [], () => constant(0, "f32"));
      if (runner.collect(none, dimOf("scatter_add", dim, shape), index, g)) return none;
      return collected("scatter_add", none, dim, index, g, (a, b) => binary("add", a, b)).value;
    });
  return runner.withGradient("scatter_add", [g, index], run, [1], (back, [index]) => [gather(back, dim, index)]);
}

/** What indices make of each element. */
export interface Collected {
  /** Whether an index names the element. */
  readonly found: Tensor;
  /** What those that do make together. */
  readonly value: Tensor;
  /** How many do. */
  readonly count: Tensor;
}

/** Checks an index and a source, and gives the dim. */
export function checkCollected(op: string, x: Tensor, dim: number, index: Tensor, source: Tensor | number): number {
  const at = dimOf(op, dim, x.shape);
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
  return at;
}

/** For each element of x, what the elements of the source whose index names it make. */
export function collected(
  op: string,
  x: Tensor,
  dim: number,
  index: Tensor,
  source: Tensor | number,
  combine: (a: Expr, b: Expr) => Expr,
): Collected {
  const at = checkCollected(op, x, dim, index, source);
  const rank = Math.max(1, x.shape.length);
  const { runner } = x;
  const none = (dtype: DType): Tensor => runner.kernel(op, x.shape, [], () => constant(0, dtype));
  if (index.size === 0 || x.size === 0) return { found: none("bool"), value: none(x.dtype), count: none("i32") };
  const cut = source instanceof Tensor
    ? index.shape.reduce((part: Tensor, extent, one) => part.slice(one, { stop: extent }), view(source, source.shape))
    : runner.kernel(op, index.shape, [{ value: source, dtype: x.dtype }], (value) => value);
  const last = rank - 1;
  const order = argsort(index, { dim: at });
  const sorted = (of: Tensor): Tensor => {
    const moved = gathered(of, at, order);
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

/** Elements along an index, which is known to be good. */
function gathered(x: Tensor, at: number, index: Tensor): Tensor {
  const strides = x.shape.length === 0 ? [] : x.layout.strides.with(at, 0);
  const layout = { shape: index.shape, strides, offset: x.layout.offset };
  return taken("gather", x, index.shape, layout, [[index, x.shape[at] ?? 1, x.layout.strides[at] ?? 0]]);
}

function free(tensor: Tensor): KernelOperand {
  return { tensor, layout: tensor.layout, free: true };
}

/** Elements of x, whose layout stays where indices lead, by one index or several. */
export function taken<D extends DType>(
  op: string,
  x: Tensor<D>,
  shape: readonly number[],
  layout: Layout,
  indices: readonly (readonly [index: Tensor, extent: number, stride: number])[],
): Tensor<D> {
  for (const [one, extent] of indices) checkIndices(op, one, extent);
  const { runner } = x;
  if (x.size === 0 || sizeOf(shape) === 0) {
    if (sizeOf(shape) > 0) refuse("E_INDEX", op, `[${x.shape}] has no elements to read`);
    return runner.kernel(op, shape, [], () => constant(0, x.dtype)) as Tensor<D>;
  }
  const operands: KernelOperand[] = [{ tensor: x, layout, free: true }];
  for (const [one, extent, stride] of indices) {
    operands.push({ tensor: one, layout: expanded(one.layout, shape) }, whole(extent), whole(stride));
  }
  return runner.kernel(op, shape, operands, (source, ...rest) => {
    if (indices.length === 1) return elementAt(source, rest[0], rest[1], rest[2]);
    let [inside, place]: [Expr, Expr] = [constant(1, "bool"), constant(0, "i32")];
    for (let i = 0; i < rest.length; i += 3) {
      const one = convert(rest[i], "i32");
      inside = binary("and", inside, binary("and", compare("ge", one, 0), compare("lt", one, rest[i + 1])));
      place = binary("add", place, binary("mul", one, rest[i + 2]));
    }
    return select(inside, load(source, select(inside, place, 0)), constant(0, source.dtype));
  }) as Tensor<D>;
}
