/**
 * Softmax and normalization (ops.md §8 and §9: rows 74, 167 to 169, 185 to 193). Statistics are those of f32.
 *
 * Each function throws a `ComputeError`: `E_DIM`, `E_SHAPE`, `E_DTYPE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import type { Tensor } from "../../tensors/tensor.ts";
import { unbroadcast } from "../../tensors/autograd/inverse.ts";
import { noGrad } from "../../tensors/autograd/modes.ts";
import { dimOf } from "../../values/shape.ts";
import { add, addcmul, div, maximum, mul, sub, where } from "../elements/broadcasting.ts";
import { pow } from "../elements/arithmetic.ts";
import { exp, log, neg, rsqrt, square } from "../elements/unary.ts";
import { amax, mean, sum } from "../folding/folds.ts";
import { norm, varMean } from "../folding/statistics.ts";
import { maskedFill } from "../indexing/gathering.ts";
import { pad } from "../shapes/joining.ts";
import { reshape, unfold } from "../shapes/views.ts";
import { checkDType, countOf, refuse, within } from "../tools/tools.ts";

/** What a normalized tensor is multiplied by and moved to. */
export interface AffineOptions {
  /** What it is multiplied by. */
  readonly weight?: Tensor;
  /** What is added. */
  readonly bias?: Tensor;
  /** What is added to the variance. Default 1e-5. */
  readonly eps?: number;
}

/** What a batch is normalized by. */
export interface BatchNormOptions extends AffineOptions {
  /** Mean of each channel; with the variance, in place of the batch's own. */
  readonly runningMean?: Tensor;
  /** Variance of each channel. */
  readonly runningVar?: Tensor;
  /** Normalize by the batch's own mean and variance. Default false. */
  readonly training?: boolean;
  /** How much the batch's statistics count in the running ones that are given back. Default 0.1. */
  readonly momentum?: number;
}

/** A normalized batch and, in training, the running statistics afterwards. */
export interface BatchNormResult {
  /** The batch. */
  readonly output: Tensor<"f32">;
  /** The mean of each channel, where running ones were given. */
  readonly runningMean?: Tensor<"f32">;
  /** The variance of each channel, where running ones were given. */
  readonly runningVar?: Tensor<"f32">;
}

/** eˣ as a share of its sum along a dim; NaN where all are −∞ or one is ∞. */
export function softmax(x: Tensor, dim: number): Tensor<"f32"> {
  checkDType("softmax", x, "f32");
  const at = dimOf("softmax", dim, x.shape);
  if (x.size === 0) return x.clone() as Tensor<"f32">;
  return within(x, () => {
    const run = (): Tensor<"f32"> => {
      const powers = exp(sub(x, amax(x, { dim: at, keepdim: true })));
      return div(powers, sum(powers, { dim: at, keepdim: true }));
    };
    return x.runner.withGradient("softmax", [x], run, [1], (g, [o]) => [shares(g, o, at)]);
  });
}

/** {@linkcode softmax} of −x. */
export function softmin(x: Tensor, dim: number): Tensor<"f32"> {
  return within(x, () => softmax(neg(x), dim));
}

/** ln of {@linkcode softmax}, without cancellation. */
export function logSoftmax(x: Tensor, dim: number): Tensor<"f32"> {
  checkDType("log_softmax", x, "f32");
  const at = dimOf("log_softmax", dim, x.shape);
  if (x.size === 0) return x.clone() as Tensor<"f32">;
  return within(x, () => {
    const run = (): Tensor<"f32"> => {
      const centred = sub(x, amax(x, { dim: at, keepdim: true }));
      return sub(centred, log(sum(exp(centred), { dim: at, keepdim: true }))) as Tensor<"f32">;
    };
    return x.runner.withGradient("log_softmax", [x], run, [1], (g, [o]) => [
      sub(g, mul(exp(o), sum(g, { dim: at, keepdim: true }))),
    ]);
  });
}

/** {@linkcode softmax} over what a mask keeps; where it keeps nothing, 0. */
export function maskedSoftmax(x: Tensor, mask: Tensor, dim: number): Tensor<"f32"> {
  checkDType("masked_softmax", x, "f32");
  const at = dimOf("masked_softmax", dim, x.shape);
  if (x.size === 0) return x.clone() as Tensor<"f32">;
  return within(x, (runner) => {
    const run = (): Tensor<"f32"> => {
      const kept = maskedFill(x as Tensor<"f32">, runner.map("logical_not", [mask]) as Tensor, -Infinity);
      const most = amax(kept, { dim: at, keepdim: true });
      const powers = exp(sub(kept, where(runner.map("eq", [most, -Infinity]), 0, most)));
      const total = sum(powers, { dim: at, keepdim: true });
      return div(powers, where(runner.map("eq", [total, 0]), 1, total));
    };
    const { shape } = x;
    return runner.withGradient("masked_softmax", [x], run, [1], (g, [o]) => [unbroadcast(shares(g, o, at), shape)]);
  });
}

/** Mean 0 and variance 1 over the last dims, which are given by their shape. */
export function layerNorm(x: Tensor, shape: readonly number[], options: AffineOptions = {}): Tensor<"f32"> {
  checkTail("layer_norm", x, shape);
  if (x.size === 0) return x.clone() as Tensor<"f32">;
  return within(x, () => scaled(normalized(x, tail(x, shape), options.eps), options.weight, options.bias));
}

/** Mean square 1 over the last dims, which are given by their shape; the default `eps` is the machine's. */
export function rmsNorm(x: Tensor, shape: readonly number[], options: Omit<AffineOptions, "bias"> = {}): Tensor<"f32"> {
  const { weight, eps = 2 ** -23 } = options;
  checkTail("rms_norm", x, shape);
  if (x.size === 0) return x.clone() as Tensor<"f32">;
  return within(x, () => {
    const squares = mean(square(x), { dim: tail(x, shape), keepdim: true });
    return scaled(mul(x, rsqrt(add(squares, eps))) as Tensor<"f32">, weight, undefined);
  });
}

/** Mean 0 and variance 1 over groups of channels (dim 1); weight and bias are one a channel. */
export function groupNorm(x: Tensor, groups: number, options: AffineOptions = {}): Tensor<"f32"> {
  const channels = x.shape[1] ?? 0;
  if (x.shape.length < 2 || !Number.isInteger(groups) || groups < 1 || channels % groups !== 0) {
    refuse("E_SHAPE", "group_norm", `${groups} groups of equal size are not in dim 1 of [${x.shape}]`);
  }
  checkDType("group_norm", x, "f32");
  if (x.size === 0) return x.clone() as Tensor<"f32">;
  return within(x, () => {
    const parts = reshape(x, [x.shape[0], groups, x.size / (x.shape[0] * groups)]);
    const y = reshape(normalized(parts, [2], options.eps), x.shape);
    return scaled(y, channelwise(options.weight, x), channelwise(options.bias, x));
  });
}

/** {@linkcode groupNorm} with a group for each channel. */
export function instanceNorm(x: Tensor, options: AffineOptions = {}): Tensor<"f32"> {
  if (x.shape.length < 3) {
    refuse("E_SHAPE", "instance_norm", `shape [${x.shape}] has no dims beside batch and channels`);
  }
  return groupNorm(x, x.shape[1], options);
}

/**
 * Mean 0 and variance 1 for each channel (dim 1), by running statistics or, in training, the batch's own.
 *
 * @throws {ComputeError} `E_SHAPE` for one value a channel in training, or without statistics.
 */
export function batchNorm(x: Tensor, options: BatchNormOptions = {}): BatchNormResult {
  const { weight, bias, eps = 1e-5, runningMean, runningVar, training = false, momentum = 0.1 } = options;
  checkDType("batch_norm", x, "f32");
  if (x.shape.length < 2) refuse("E_SHAPE", "batch_norm", `shape [${x.shape}] has no channels`);
  const dims = x.shape.map((_, dim) => dim).filter((dim) => dim !== 1);
  const count = countOf(x.shape, dims);
  if (training && count <= 1) {
    refuse("E_SHAPE", "batch_norm", `shape [${x.shape}] has ${count} values a channel; training takes more than one`);
  }
  if (!training && !(runningMean && runningVar)) {
    throw new TypeError("batch_norm takes runningMean and runningVar, or training");
  }
  return x.runner.scope(({ keep }) => {
    const [spread, middle] = training ? varMean(x, { dim: dims, correction: 0 }) : [runningVar!, runningMean!];
    const by = rsqrt(add(spread, eps));
    const centred = sub(x, channelwise(middle, x)!);
    const y = mul(centred, channelwise(by, x)!) as Tensor<"f32">;
    const output = keep(scaled(y, channelwise(weight, x), channelwise(bias, x)));
    if (!training || !runningMean || !runningVar) return { output };
    const moved = (old: Tensor, now: Tensor): Tensor<"f32"> =>
      keep(noGrad(() => add(mul(old, 1 - momentum), mul(now, momentum))) as Tensor<"f32">);
    const unbiased = mul(spread, count / (count - 1));
    return { output, runningMean: moved(runningMean, middle), runningVar: moved(runningVar, unbiased) };
  });
}

/** Each channel (dim 1) by the squares of its neighbours. */
export function localResponseNorm(
  x: Tensor,
  size: number,
  options: { alpha?: number; beta?: number; k?: number } = {},
): Tensor<"f32"> {
  const { alpha = 1e-4, beta = 0.75, k = 1 } = options;
  checkDType("local_response_norm", x, "f32");
  if (x.shape.length < 3 || !(size >= 1)) {
    refuse("E_SHAPE", "local_response_norm", `${size} neighbours are not possible in [${x.shape}]`);
  }
  return within(x, () => {
    const beside = x.shape.length - 2;
    const wide = pad(square(x), [...new Array(2 * beside).fill(0), Math.floor(size / 2), Math.floor((size - 1) / 2)]);
    const squares = mean(unfold(wide, 1, size, 1), { dim: -1 });
    return div(x, pow(add(mul(squares, alpha), k), beta));
  });
}

/** Length 1 along a dim, by a norm of order p; what is shorter than `eps` is divided by it. */
export function normalize(x: Tensor, options: { p?: number; dim?: number; eps?: number } = {}): Tensor<"f32"> {
  const { p = 2, dim = 1, eps = 1e-12 } = options;
  return within(x, () => div(x, maximum(norm(x, { p, dim, keepdim: true }), eps)));
}

/** v with a length of g for each place of a dim. */
export function weightNorm(v: Tensor, g: Tensor, dim = 0): Tensor<"f32"> {
  const at = dimOf("weight_norm", dim, v.shape);
  const others = v.shape.map((_, one) => one).filter((one) => one !== at);
  return within(v, () => mul(v, div(g, norm(v, { dim: others, keepdim: true }))) as Tensor<"f32">);
}

/** What shares of a sum send back. */
function shares(g: Tensor, o: Tensor, dim: number): Tensor {
  return mul(o, sub(g, sum(mul(g, o), { dim, keepdim: true })));
}

function normalized(x: Tensor, dims: readonly number[], eps = 1e-5): Tensor<"f32"> {
  const [spread, middle] = varMean(x, { dim: dims, correction: 0, keepdim: true });
  return mul(sub(x, middle), rsqrt(add(spread, eps))) as Tensor<"f32">;
}

function scaled(x: Tensor<"f32">, weight: Tensor | undefined, bias: Tensor | undefined): Tensor<"f32"> {
  if (weight && bias) return addcmul(bias, x, weight) as Tensor<"f32">;
  return (weight ? mul(x, weight) : bias ? add(x, bias) : x) as Tensor<"f32">;
}

/** One value a channel, seen in the dims of x. */
function channelwise(one: Tensor | undefined, x: Tensor): Tensor | undefined {
  return one && reshape(one, [1, one.size, ...x.shape.slice(2).map(() => 1)]);
}

function tail(x: Tensor, shape: readonly number[]): number[] {
  return shape.map((_, i) => x.shape.length - shape.length + i);
}

function checkTail(op: string, x: Tensor, shape: readonly number[]): void {
  checkDType(op, x, "f32");
  if (shape.length === 0 || `${x.shape.slice(-shape.length)}` !== `${shape}`) {
    refuse("E_SHAPE", op, `[${shape}] is not the end of shape [${x.shape}]`);
  }
}
