/**
 * Losses, forward (ops.md §8, rows 171 to 183).
 *
 * A loss of each element is reduced to its mean, its sum, or not at all; the mean of nothing is NaN. Each function throws a
 * `ComputeError`: `E_SHAPE`, `E_DTYPE`, `E_INDEX`, `E_VALUE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import type { Operand, Tensor } from "../../tensors/tensor.ts";
import { add, div, maximum, mul, sub, where } from "../elements/broadcasting.ts";
import { xlogy } from "../elements/arithmetic.ts";
import { abs, exp, log, log1p, neg, square } from "../elements/unary.ts";
import { mean, sum } from "../folding/folds.ts";
import { norm } from "../folding/statistics.ts";
import { gather } from "../lookup/exchange.ts";
import { indexSelect } from "../indexing/gathering.ts";
import { flatten, reshape, squeeze, unsqueeze } from "../shapes/views.ts";
import { unbroadcast } from "../../tensors/autograd/inverse.ts";
import { checkDType, checkIndices, refuse, within } from "../tools/tools.ts";
import { logSoftmax } from "./norms.ts";
import { logsigmoid } from "../elements/activations.ts";

/** What is made of the losses of the elements. */
export interface LossOptions {
  /** Default `mean`. */
  readonly reduction?: "none" | "mean" | "sum";
}

/** How classes count. */
export interface ClassLossOptions extends LossOptions {
  /** A weight for each class. */
  readonly weight?: Tensor;
  /** A target that is left out. Default −100. */
  readonly ignoreIndex?: number;
  /** Share of the target that is spread over all classes. Default 0. */
  readonly labelSmoothing?: number;
}

/** (x − y)². */
export function mseLoss(x: Tensor, y: Tensor, options: LossOptions = {}): Tensor<"f32"> {
  return reduced(x, () => square(sub(x, y)), options);
}

/** |x − y|. */
export function l1Loss(x: Tensor, y: Tensor, options: LossOptions = {}): Tensor<"f32"> {
  return reduced(x, () => abs(sub(x, y)), options);
}

/** Square below `beta` (default 1) and linear above. */
export function smoothL1Loss(x: Tensor, y: Tensor, options: LossOptions & { beta?: number } = {}): Tensor<"f32"> {
  const { beta = 1 } = options;
  if (!(beta >= 0)) refuse("E_VALUE", "smooth_l1_loss", `beta ${beta} must be 0 or more`);
  return reduced(x, (runner) => {
    const far = abs(sub(x, y));
    if (beta === 0) return far;
    return where(runner.map("lt", [far, beta]), mul(square(far), 0.5 / beta), sub(far, beta / 2));
  }, options);
}

/** Square up to `delta` (default 1) and linear above. */
export function huberLoss(x: Tensor, y: Tensor, options: LossOptions & { delta?: number } = {}): Tensor<"f32"> {
  const { delta = 1 } = options;
  if (!(delta > 0)) refuse("E_VALUE", "huber_loss", `delta ${delta} must be above 0`);
  return reduced(x, (runner) => {
    const far = abs(sub(x, y));
    return where(runner.map("le", [far, delta]), mul(square(far), 0.5), mul(sub(far, delta / 2), delta));
  }, options);
}

/** −(y·ln x + (1 − y)·ln(1 − x)), with logarithms from −100. */
export function bceLoss(x: Tensor, y: Tensor, options: LossOptions & { weight?: Tensor } = {}): Tensor<"f32"> {
  if (x.runner.device.kind === "cpu" && x.size > 0) {
    const fine = x.runner.scope(() => {
      const inside = x.runner.map("logical_and", [x.runner.map("ge", [x, 0]), x.runner.map("le", [x, 1])]);
      return x.runner.peek(x.runner.reduce("all", x.runner.map("logical_or", [inside, x.runner.map("isnan", [x])])));
    });
    if (fine === 0) refuse("E_VALUE", "bce_loss", "an input is outside of 0 to 1");
  }
  return reduced(x, () => {
    const logs = (p: Tensor): [Tensor, Tensor] => [maximum(log(p), -100), maximum(log1p(neg(p)), -100)];
    const run = (): Tensor => {
      const [one, other] = logs(x);
      return neg(add(mul(y, one), mul(sub(1, y), other)));
    };
    const loss = x.runner.withGradient("bce_loss", [x, y], run, [0, 1], (g, [x, y]) => {
      const [one, other] = [log(x), log1p(neg(x))];
      const slope = div(sub(x, y), maximum(mul(x, sub(1, x)), 1e-12));
      return [unbroadcast(mul(g, slope), x.shape), unbroadcast(mul(g, sub(other, one)), y.shape)];
    });
    return options.weight ? mul(loss, options.weight) : loss;
  }, options);
}

/** {@linkcode bceLoss} of the sigmoid of x, without overflow. */
export function bceWithLogits(
  x: Tensor,
  y: Tensor,
  options: LossOptions & { weight?: Tensor; posWeight?: Tensor } = {},
): Tensor<"f32"> {
  return reduced(x, () => {
    const share = options.posWeight ? add(mul(sub(options.posWeight, 1), y), 1) : 1;
    const loss = sub(mul(sub(1, y), x), mul(logsigmoid(x), share));
    return options.weight ? mul(loss, options.weight) : loss;
  }, options);
}

/** y·(ln y − x), or with `logTarget` eʸ·(y − x); `batchmean` divides the sum by the first extent. */
export function klDiv(
  x: Tensor,
  y: Tensor,
  options: { reduction?: "none" | "mean" | "sum" | "batchmean"; logTarget?: boolean } = {},
): Tensor<"f32"> {
  const { reduction = "mean", logTarget = false } = options;
  return within(x, () => {
    const each = () => logTarget ? mul(exp(y), sub(y, x)) : sub(xlogy(y, y), mul(y, x));
    if (reduction !== "batchmean") return reduced(x, each, { reduction });
    return div(reduced(x, each, { reduction: "sum" }), x.shape[0] ?? 1);
  });
}

/** eˣ − y·x, or without `logInput` x − y·ln(x + eps). */
export function poissonNllLoss(
  x: Tensor,
  y: Tensor,
  options: LossOptions & { logInput?: boolean; eps?: number } = {},
): Tensor<"f32"> {
  const { logInput = true, eps = 1e-8 } = options;
  return reduced(x, () => logInput ? sub(exp(x), mul(y, x)) : sub(x, mul(y, log(add(x, eps)))), options);
}

/** ½(ln v + (x − y)²/v), with a variance v from `eps` (default 1e-6). */
export function gaussianNllLoss(
  x: Tensor,
  y: Tensor,
  variance: Tensor,
  options: LossOptions & { eps?: number } = {},
): Tensor<"f32"> {
  return reduced(x, () => {
    const v = maximum(variance, options.eps ?? 1e-6);
    return mul(add(log(v), div(square(sub(x, y)), v)), 0.5);
  }, options);
}

/** x for targets of 1, and max(0, margin − x) for targets of −1. */
export function hingeEmbeddingLoss(
  x: Tensor,
  y: Tensor,
  options: LossOptions & { margin?: number } = {},
): Tensor<"f32"> {
  return reduced(x, (runner) => {
    const apart = maximum(sub(options.margin ?? 1, x), 0);
    return where(runner.map("eq", [y, 1]), x, apart);
  }, options);
}

/** max(0, −y·(a − b) + margin). */
export function marginRankingLoss(
  a: Tensor,
  b: Tensor,
  y: Tensor,
  options: LossOptions & { margin?: number } = {},
): Tensor<"f32"> {
  return reduced(a, () => maximum(add(mul(neg(y), sub(a, b)), options.margin ?? 0), 0), options);
}

/** ln(1 + e^(−y·x)). */
export function softMarginLoss(x: Tensor, y: Tensor, options: LossOptions = {}): Tensor<"f32"> {
  return reduced(x, () => neg(logsigmoid(mul(y, x))), options);
}

/** The mean over the last dim, the classes, of {@linkcode bceWithLogits}: each class is there or not. */
export function multilabelSoftMarginLoss(
  x: Tensor,
  y: Tensor,
  options: LossOptions & { weight?: Tensor } = {},
): Tensor<"f32"> {
  return reduced(x, () => {
    const losses = neg(add(mul(y, logsigmoid(x)), mul(sub(1, y), logsigmoid(neg(x)))));
    return mean(options.weight ? mul(losses, options.weight) : losses, { dim: -1 });
  }, options);
}

/** x·y/(‖x‖·‖y‖) along a dim, with lengths from `eps` (default 1e-8). */
export function cosineSimilarity(x: Tensor, y: Tensor, options: { dim?: number; eps?: number } = {}): Tensor<"f32"> {
  const { dim = 1, eps = 1e-8 } = options;
  return within(x, () => {
    const [a, b] = [x, y].map((one) => div(one, maximum(norm(one, { dim, keepdim: true }), eps)));
    return sum(mul(a, b), { dim }) as Tensor<"f32">;
  });
}

/** 1 − cos for targets of 1, max(0, cos − margin) for targets of −1. */
export function cosineEmbeddingLoss(
  a: Tensor,
  b: Tensor,
  y: Tensor,
  options: LossOptions & { margin?: number } = {},
): Tensor<"f32"> {
  return reduced(a, (runner) => {
    const cosine = cosineSimilarity(a, b, { dim: a.shape.length - 1 });
    const apart = maximum(sub(cosine, options.margin ?? 0), 0);
    return where(runner.map("eq", [y, 1]), sub(1, cosine), apart);
  }, options);
}

/** max(0, ‖a − p‖ − ‖a − n‖ + margin) along the last dim. */
export function tripletMarginLoss(
  anchor: Tensor,
  positive: Tensor,
  negative: Tensor,
  options: LossOptions & { margin?: number; p?: number; eps?: number } = {},
): Tensor<"f32"> {
  const { margin = 1, p = 2, eps = 1e-6 } = options;
  return reduced(anchor, () => {
    const [near, far] = [positive, negative].map((one) => norm(add(sub(anchor, one), eps), { p, dim: -1 }));
    return maximum(add(sub(near, far), margin), 0);
  }, options);
}

/** −w·x at the target's class (dim 1); the mean divides by the weights of what counts. */
export function nllLoss(
  x: Tensor,
  target: Tensor,
  options: Omit<ClassLossOptions, "labelSmoothing"> = {},
): Tensor<"f32"> {
  return classLoss("nll_loss", x, target, options);
}

/** The cross entropy of classes (dim 1) and targets: indices, or probabilities in the shape of x. */
export function crossEntropy(x: Tensor, target: Tensor, options: ClassLossOptions = {}): Tensor<"f32"> {
  const dim = x.shape.length > 1 ? 1 : 0;
  return within(x, () => {
    const logs = logSoftmax(x, dim);
    if (target.dtype !== "f32") return classLoss("cross_entropy", logs, target, options);
    const { labelSmoothing = 0, reduction = "mean" } = options;
    if (`${target.shape}` !== `${x.shape}`) {
      refuse("E_SHAPE", "cross_entropy", `probabilities [${target.shape}] do not have the shape [${x.shape}]`);
    }
    const q = add(mul(target, 1 - labelSmoothing), labelSmoothing / x.shape[dim]);
    const each = neg(sum(mul(mul(q, logs), classwise(options.weight, x) ?? 1), { dim })) as Tensor<"f32">;
    if (reduction === "none") return each;
    return reduction === "sum" ? sum(each) as Tensor<"f32"> : mean(each);
  });
}

function classLoss(op: string, x: Tensor, target: Tensor, options: ClassLossOptions): Tensor<"f32"> {
  const { ignoreIndex = -100, labelSmoothing = 0, reduction = "mean", weight } = options;
  const dim = x.shape.length > 1 ? 1 : 0;
  checkDType(op, x, "f32");
  if (`${x.shape.toSpliced(dim, 1)}` !== `${target.shape}`) {
    refuse("E_SHAPE", op, `targets [${target.shape}] are not those of [${x.shape}] without its classes in dim ${dim}`);
  }
  return within(x, (runner) => {
    const counts = runner.map("ne", [target, ignoreIndex]);
    const safe = where(counts, target, 0);
    checkIndices(op, safe, x.shape[dim]);
    const at = (from: Tensor): Tensor => squeeze(gather(from, dim, unsqueeze(safe, dim)), dim);
    const own = weight ? reshape(indexSelect(weight, 0, flatten(safe)), target.shape) : 1;
    const share: Operand = where(counts, own, 0);
    let each = neg(mul(at(x), share));
    if (labelSmoothing > 0) {
      const spread = neg(sum(mul(x, classwise(weight, x) ?? 1), { dim }));
      const smooth = mul(where(counts, spread, 0), labelSmoothing / x.shape[dim]);
      each = add(mul(each, 1 - labelSmoothing), smooth);
    }
    if (reduction === "none") return each as Tensor<"f32">;
    const total = sum(each);
    if (reduction === "sum") return total as Tensor<"f32">;
    const count = sum(runner.cast(share as Tensor, "f32"));
    // The mean of nothing is NaN, and sends nothing back.
    const nothing = runner.map("eq", [count, 0]);
    return where(nothing, NaN, div(total, where(nothing, 1, count))) as Tensor<"f32">;
  });
}

function classwise(weight: Tensor | undefined, x: Tensor): Tensor | undefined {
  if (weight === undefined) return undefined;
  return x.shape.length > 1 ? reshape(weight, [1, weight.size, ...x.shape.slice(2).map(() => 1)]) : weight;
}

function reduced(
  x: Tensor,
  each: (runner: Tensor["runner"]) => Tensor,
  { reduction = "mean" }: LossOptions,
): Tensor<"f32"> {
  return within(x, (runner) => {
    const losses = each(runner) as Tensor<"f32">;
    if (reduction === "none") return losses;
    return reduction === "sum" ? sum(losses) as Tensor<"f32"> : mean(losses);
  });
}
