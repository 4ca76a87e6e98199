/**
 * Activations of the elements of one tensor of f32 (ops.md §3).
 *
 * Each function throws a `ComputeError`: `E_DTYPE`, `E_SHAPE`, `E_BUFFER`, `E_LIMIT`, `E_OOM`, `E_VALUE` for constants out of range.
 *
 * @module
 */
import { type Operand, Tensor } from "../../tensors/tensor.ts";
import { dimOf } from "../../values/shape.ts";
import { refuse, within } from "../tools/tools.ts";

/** x within 0 to 6. */
export function relu6(x: Tensor): Tensor<"f32"> {
  return x.runner.map("relu6", [x]) as Tensor<"f32">;
}

/** The self-normalizing unit. */
export function selu(x: Tensor): Tensor<"f32"> {
  return x.runner.map("selu", [x]) as Tensor<"f32">;
}

/** ln(1/(1+e⁻ˣ)). */
export function logsigmoid(x: Tensor): Tensor<"f32"> {
  return x.runner.map("logsigmoid", [x]) as Tensor<"f32">;
}

/** x/6 + ½ within 0 to 1. */
export function hardsigmoid(x: Tensor): Tensor<"f32"> {
  return x.runner.map("hardsigmoid", [x]) as Tensor<"f32">;
}

/** x · hardsigmoid(x). */
export function hardswish(x: Tensor): Tensor<"f32"> {
  return x.runner.map("hardswish", [x]) as Tensor<"f32">;
}

/** x · sigmoid(1.702x). */
export function quickGelu(x: Tensor): Tensor<"f32"> {
  return x.runner.map("quick_gelu", [x]) as Tensor<"f32">;
}

/** x · tanh(softplus x). */
export function mish(x: Tensor): Tensor<"f32"> {
  return x.runner.map("mish", [x]) as Tensor<"f32">;
}

/** x/(1+|x|); ±1 at the infinities. */
export function softsign(x: Tensor): Tensor<"f32"> {
  return x.runner.map("softsign", [x]) as Tensor<"f32">;
}

/** x − tanh x. */
export function tanhshrink(x: Tensor): Tensor<"f32"> {
  return x.runner.map("tanhshrink", [x]) as Tensor<"f32">;
}

/** x, and below 0 its part. */
export function leakyRelu(x: Tensor, slope = 0.01): Tensor<"f32"> {
  return x.runner.map("leaky_relu", [x, slope]) as Tensor<"f32">;
}

/** x, and below 0 alpha · (eˣ − 1). */
export function elu(x: Tensor, alpha = 1): Tensor<"f32"> {
  return x.runner.map("elu", [x, alpha]) as Tensor<"f32">;
}

/** x, and below 0 alpha · (e^(x/alpha) − 1). */
export function celu(x: Tensor, alpha = 1): Tensor<"f32"> {
  return x.runner.map("celu", [x, alpha]) as Tensor<"f32">;
}

/** x within bounds. */
export function hardtanh(x: Tensor, low = -1, high = 1): Tensor<"f32"> {
  return x.runner.map("hardtanh", [x, low, high]) as Tensor<"f32">;
}

/** ln(1 + e^(beta·x))/beta, and x where beta·x is above the threshold. */
export function softplus(x: Tensor, beta = 1, threshold = 20): Tensor<"f32"> {
  return x.runner.map("softplus", [x, beta, threshold]) as Tensor<"f32">;
}

/** x, and 0 within ±lambda. */
export function hardshrink(x: Tensor, lambda = 0.5): Tensor<"f32"> {
  return x.runner.map("hardshrink", [x, lambda]) as Tensor<"f32">;
}

/** x less by lambda in size, and 0 within ±lambda. */
export function softshrink(x: Tensor, lambda = 0.5): Tensor<"f32"> {
  if (!(lambda >= 0)) refuse("E_VALUE", "softshrink", `lambda ${lambda} must be 0 or more`);
  return x.runner.map("softshrink", [x, lambda]) as Tensor<"f32">;
}

/** x above a bound, else a value. */
export function threshold(x: Tensor, least: number, value: number): Tensor<"f32"> {
  return x.runner.map("threshold", [x, least, value]) as Tensor<"f32">;
}

/** x·Φ(x), exactly or by tanh. */
export function gelu(x: Tensor, options: { approximate?: "none" | "tanh" } = {}): Tensor<"f32"> {
  return x.runner.map(options.approximate === "tanh" ? "gelu_tanh" : "gelu", [x]) as Tensor<"f32">;
}

/** x, and below 0 the weight's part of it; one weight, or one for each channel in dim 1. */
export function prelu(x: Tensor, weight: Tensor): Tensor<"f32"> {
  const channels = x.shape[x.shape.length > 1 ? 1 : 0] ?? 1;
  if (weight.size !== 1 && weight.size !== channels) {
    refuse("E_SHAPE", "prelu", `${weight.size} weights are neither one nor the ${channels} channels of [${x.shape}]`);
  }
  return within(x, () => {
    const shape = weight.size === 1 || x.shape.length < 2 ? [weight.size] : [weight.size, ...x.shape.slice(2).fill(1)];
    return x.runner.map("leaky_relu", [x, weight.reshape(...shape)]) as Tensor<"f32">;
  });
}

/** As {@linkcode leakyRelu}, with the slope in the middle between two, as in evaluation. */
export function rrelu(x: Tensor, lower = 1 / 8, upper = 1 / 3): Tensor<"f32"> {
  return leakyRelu(x, (lower + upper) / 2);
}

/** The first half of a dim by the sigmoid of the second. */
export function glu(x: Tensor, dim = -1): Tensor<"f32"> {
  return gated("glu", x, dim);
}

/** silu of the first half of a dim, or of x, by the second half, or by y. */
export function swiglu(x: Tensor, other: Operand | { dim: number } = { dim: -1 }): Tensor<"f32"> {
  return other instanceof Tensor || typeof other !== "object"
    ? x.runner.map("swiglu", [x, other]) as Tensor<"f32">
    : gated("swiglu", x, other.dim);
}

/** gelu of the first half of a dim, or of x, by the second half, or by y. */
export function geglu(x: Tensor, other: Operand | { dim: number } = { dim: -1 }): Tensor<"f32"> {
  return other instanceof Tensor || typeof other !== "object"
    ? x.runner.map("geglu", [x, other]) as Tensor<"f32">
    : gated("geglu", x, other.dim);
}

function gated(op: string, x: Tensor, dim: number): Tensor<"f32"> {
  const extent = x.shape[dimOf(op, dim, x.shape)] ?? 1;
  if (extent % 2 !== 0) refuse("E_SHAPE", op, `dim ${dim} of [${x.shape}] has no halves`);
  return within(x, () => {
    const parts = [x.slice(dim, { stop: extent / 2 }), x.slice(dim, { start: extent / 2 })];
    return x.runner.map(op, parts) as Tensor<"f32">;
  });
}
