/**
 * Functions that fold, made of folds and maps: places of extremes, moments, norms (ops.md §5, rows 114 to 125).
 *
 * They take dims and `keepdim` as folds do, and throw what those throw.
 *
 * @module
 */
import { binary, compare, constant, type Expr, isNaNOf, select } from "../../table/expression.ts";
import { noGrad } from "../../tensors/autograd/modes.ts";
import type { FoldOptions, Tensor } from "../../tensors/tensor.ts";
import type { DType } from "../../values/dtype.ts";
import { dimOf } from "../../values/shape.ts";
import { add, div, eq, mul, sub, where } from "../elements/broadcasting.ts";
import { pow } from "../elements/arithmetic.ts";
import { abs, exp, isfinite, log, sign, sqrt, square } from "../elements/unary.ts";
import { accumulated } from "../lookup/exchange.ts";
import { checkDType, coordinate, countOf, refuse, within, withinAll } from "../tools/tools.ts";
import { amax, amin, countNonzero, mean, nansum, sum } from "./folds.ts";
import { squeeze, view } from "../shapes/views.ts";

/** How a spread is measured. */
export interface SpreadOptions extends FoldOptions {
  /** What is taken off the count that is divided by. Default 1. */
  readonly correction?: number;
}

/** How a norm is measured. */
export interface NormOptions extends FoldOptions {
  /** The order; `Infinity`, `-Infinity` and 0 as PyTorch has them. Default 2. */
  readonly p?: number;
}

/** The first place of the largest element along a dim, or of all as one row; the first NaN where there is one. */
export function argmax(x: Tensor, options: { dim?: number; keepdim?: boolean } = {}): Tensor<"i32"> {
  return place("argmax", x, options, "amax");
}

/** The first place of the smallest element along a dim, or of all as one row; the first NaN where there is one. */
export function argmin(x: Tensor, options: { dim?: number; keepdim?: boolean } = {}): Tensor<"i32"> {
  return place("argmin", x, options, "amin");
}

/** The largest elements along a dim and their first places. */
export function maxAlong<D extends DType>(x: Tensor<D>, dim: number, keepdim = false): [Tensor<D>, Tensor<"i32">] {
  return extreme(x, dim, keepdim, amax, argmax);
}

/** The smallest elements along a dim and their first places. */
export function minAlong<D extends DType>(x: Tensor<D>, dim: number, keepdim = false): [Tensor<D>, Tensor<"i32">] {
  return extreme(x, dim, keepdim, amin, argmin);
}

/** The smallest and the largest elements. */
export function aminmax<D extends DType>(x: Tensor<D>, options?: FoldOptions): [Tensor<D>, Tensor<D>] {
  return withinAll(x, () => [amin(x, options), amax(x, options)] as const) as [Tensor<D>, Tensor<D>];
}

/** The mean of what is not NaN; NaN of nothing. */
export function nanmean(x: Tensor, options?: FoldOptions): Tensor<"f32"> {
  return within(x, (runner) => {
    const valid = runner.map("logical_not", [runner.map("isnan", [x])]);
    return div(nansum(x, options), countNonzero(valid, options));
  });
}

/** The variance, in two passes; NaN where there are no more elements than the correction. */
export function variance(x: Tensor, options: SpreadOptions = {}): Tensor<"f32"> {
  return within(x, () => moments("var", x, options)[0]);
}

/** The standard deviation. */
export function std(x: Tensor, options: SpreadOptions = {}): Tensor<"f32"> {
  return within(x, () => spreadOf(moments("std", x, options)[0]));
}

/** The variance and the mean. */
export function varMean(x: Tensor, options: SpreadOptions = {}): readonly [Tensor<"f32">, Tensor<"f32">] {
  return withinAll(x, () => moments("var_mean", x, options));
}

/** The standard deviation and the mean. */
export function stdMean(x: Tensor, options: SpreadOptions = {}): readonly [Tensor<"f32">, Tensor<"f32">] {
  return withinAll(x, () => {
    const [spread, middle] = moments("std_mean", x, options);
    return [spreadOf(spread), middle] as const;
  });
}

/** ln Σ eˣ, without overflow; −∞ of nothing. */
export function logsumexp(x: Tensor, options: FoldOptions = {}): Tensor<"f32"> {
  checkDType("logsumexp", x, "f32");
  return within(x, () => {
    if (countOf(x.shape, dimsOf("logsumexp", x, options)) === 0) return log(sum(x, options));
    const run = (): Tensor<"f32"> => {
      const most = amax(x as Tensor<"f32">, { ...options, keepdim: true });
      const base = where(isfinite(most), most, 0);
      const total = log(sum(exp(sub(x, base)), { ...options, keepdim: true }));
      return dropped(add(total, base), x, options) as Tensor<"f32">;
    };
    return x.runner.withGradient("logsumexp", [x], run, [0], (g, [x]) => {
      const most = noGrad(() => amax(x as Tensor<"f32">, { ...options, keepdim: true }));
      const powers = exp(sub(x, where(eq(most, -Infinity), 0, most)));
      const total = sum(powers, { ...options, keepdim: true });
      // Where all are −∞ nothing is sent.
      return [mul(kept(g, x, options), div(powers, where(isfinite(most), total, 1)))];
    });
  });
}

/** The norm of order p of the elements as a vector (`torch.linalg.vector_norm`). */
export function norm(x: Tensor, options: NormOptions = {}): Tensor<"f32"> {
  const { p = 2 } = options;
  checkDType("norm", x, "f32");
  return within(x, (runner) => {
    const size = abs(x) as Tensor<"f32">;
    if (p === Infinity) return amax(size, options);
    if (p === -Infinity) return amin(size, options);
    if (p === 0) return runner.cast(countNonzero(x, options), "f32");
    if (p === 1) return sum(size, options) as Tensor<"f32">;
    if (countOf(x.shape, dimsOf("norm", x, options)) === 0) return sum(size, options) as Tensor<"f32">;
    const run = (): Tensor<"f32"> => {
      if (p !== 2) return pow(sum(pow(size, p), options), 1 / p) as Tensor<"f32">;
      // By the largest element, so that no square overflows or is lost.
      const most = amax(size, { ...options, keepdim: true });
      const scale = where(runner.map("logical_and", [isfinite(most), runner.map("gt", [most, 0])]), most, 1);
      const length = mul(scale, sqrt(sum(square(div(size, scale)), { ...options, keepdim: true })));
      return dropped(length, x, options) as Tensor<"f32">;
    };
    return runner.withGradient("norm", [x], run, [0, 1], (g, [x, o]) => {
      const [whole, length] = [kept(g, x, options), kept(o, x, options)];
      const nothing = eq(length, 0);
      const share = div(x, where(nothing, 1, length));
      // A norm of 0 sends 0.
      const slope = p === 2 ? share : mul(sign(x), pow(where(eq(x, 0), p > 1 ? 0 : 1, abs(share)), p - 1));
      return [where(nothing, 0, mul(whole, slope))];
    });
  });
}

/** The extremes along a dim and their first places, to which alone a gradient goes. */
function extreme<D extends DType>(
  x: Tensor<D>,
  dim: number,
  keepdim: boolean,
  value: (x: Tensor<D>, options: FoldOptions) => Tensor<D>,
  placeOf: (x: Tensor, options: { dim: number; keepdim: boolean }) => Tensor<"i32">,
): [Tensor<D>, Tensor<"i32">] {
  return withinAll(x, (runner) => {
    const [at, options] = [dimOf("max", dim, x.shape), { dim, keepdim }];
    const places = placeOf(x, options);
    const { shape } = x;
    const run = (): Tensor<D> => value(x, options);
    const values = runner.withGradient("max", [x, places], run, [1], (g, [index]) => {
      const wide = shape.length === 0 ? shape : shape.with(at, 1);
      return [accumulated(view(g.clone(), wide), shape, at, view(index, wide))];
    });
    return [values, places] as const;
  }) as [Tensor<D>, Tensor<"i32">];
}

/** The root of a variance; one of 0 sends nothing back. */
function spreadOf(variance: Tensor): Tensor<"f32"> {
  return variance.runner.withGradient("std", [variance], () => sqrt(variance), [1], (g, [o]) => {
    const nothing = eq(o, 0);
    return [where(nothing, 0, div(g, mul(where(nothing, 1, o), 2)))];
  });
}

/** With the folded dims at an extent of 1. */
function kept(y: Tensor, x: Tensor, options: FoldOptions): Tensor {
  const dims = dimsOf("fold", x, options);
  return y.reshape(...x.shape.map((extent, dim) => dims.includes(dim) ? 1 : extent));
}

function moments(op: string, x: Tensor, options: SpreadOptions): readonly [Tensor<"f32">, Tensor<"f32">] {
  checkDType(op, x, "f32");
  const { correction = 1, ...fold } = options;
  const middle = mean(x, { ...fold, keepdim: true });
  const squares = sum(square(sub(x, middle)), fold);
  const count = countOf(x.shape, dimsOf(op, x, options));
  return [div(squares, Math.max(0, count - correction)) as Tensor<"f32">, dropped(middle, x, options) as Tensor<"f32">];
}

function place(
  op: string,
  x: Tensor,
  { dim, keepdim = false }: { dim?: number; keepdim?: boolean },
  by: "amax" | "amin",
): Tensor<"i32"> {
  if (x.dtype === "bool") refuse("E_DTYPE", op, "takes f32, i32, u32, not bool; cast the operand");
  const at = dim === undefined ? undefined : dimOf(op, dim, x.shape);
  return within(x, (runner) => {
    const options = { dim: at, keepdim: true };
    const most = runner.reduce(by, x, options);
    const strides = x.shape.map((_, one) => at === undefined ? x.shape.slice(one + 1).reduce((a, b) => a * b, 1) : 0);
    const i = at === undefined ? { place: { shape: x.shape, strides, offset: 0 } } : coordinate(x.shape, at);
    const places = runner.kernel(op, x.shape, [x, most, i], (value, end, one) => {
      const same = compare("eq", value, end);
      const nan = (of: Expr): Expr => value.dtype === "f32" ? isNaNOf(of) : constant(0, "bool");
      return select(binary("or", same, binary("and", nan(value), nan(end))), one, 2 ** 31 - 1);
    });
    return runner.reduce("amin", places, { dim: at, keepdim }) as Tensor<"i32">;
  });
}

function dimsOf(op: string, x: Tensor, { dim }: FoldOptions): number[] {
  if (dim === undefined) return x.shape.map((_, one) => one);
  return ([dim].flat() as number[]).map((one) => dimOf(op, one, x.shape));
}

/** Without the folded dims, which were kept meanwhile. */
function dropped(y: Tensor, x: Tensor, options: FoldOptions): Tensor {
  if (options.keepdim || x.shape.length === 0) return y;
  return options.dim === undefined ? view(y, []) : squeeze(y, dimsOf(y.made, x, options));
}
