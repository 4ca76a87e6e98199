/**
 * Functions of the elements of one tensor, by their names.
 *
 * Operands broadcast (ops.md §1.4) and are promoted (§1.3). Each function throws a `ComputeError`: `E_SHAPE`, `E_DTYPE`,
 * `E_BUFFER` for operands that are gone or of different engines, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import type { DType } from "../../values/dtype.ts";
import type { Tensor } from "../../tensors/tensor.ts";
import { within } from "../tools/tools.ts";

/** |x|. */
export function abs<D extends DType>(x: Tensor<D>): Tensor<D> {
  return x.runner.map("abs", [x]) as Tensor<D>;
}

/** −x. */
export function neg<D extends DType>(x: Tensor<D>): Tensor<D> {
  return x.runner.map("neg", [x]) as Tensor<D>;
}

/** x itself, as a tensor of its own. */
export function positive<D extends DType>(x: Tensor<D>): Tensor<D> {
  return x.runner.map("positive", [x]) as Tensor<D>;
}

/** −1, 0 or 1; 0 for NaN. */
export function sign<D extends DType>(x: Tensor<D>): Tensor<D> {
  return x.runner.map("sign", [x]) as Tensor<D>;
}

/** Whether the sign bit is set. */
export function signbit(x: Tensor): Tensor<"bool"> {
  return x.runner.map("signbit", [x]) as Tensor<"bool">;
}

/** The next whole number upwards. */
export function ceil<D extends DType>(x: Tensor<D>): Tensor<D> {
  return x.runner.map("ceil", [x]) as Tensor<D>;
}

/** The next whole number downwards. */
export function floor<D extends DType>(x: Tensor<D>): Tensor<D> {
  return x.runner.map("floor", [x]) as Tensor<D>;
}

/** The next whole number towards 0. */
export function trunc<D extends DType>(x: Tensor<D>): Tensor<D> {
  return x.runner.map("trunc", [x]) as Tensor<D>;
}

/** The nearest whole number, or one of so many decimals; ties to even. */
export function round<D extends DType>(x: Tensor<D>, decimals = 0): Tensor<D> {
  if (decimals === 0 || x.dtype !== "f32") return x.runner.map("round", [x]) as Tensor<D>;
  return within(x, (runner) => {
    const scale = 10 ** Math.abs(decimals);
    const [to, from] = decimals > 0 ? ["mul", "div"] : ["div", "mul"];
    return runner.map(from, [runner.map("round", [runner.map(to, [x, scale])]), scale]) as Tensor<D>;
  });
}

/** x − trunc(x). */
export function frac(x: Tensor): Tensor<"f32"> {
  return x.runner.map("frac", [x]) as Tensor<"f32">;
}

/** x². */
export function square<D extends DType>(x: Tensor<D>): Tensor<D> {
  return x.runner.map("square", [x]) as Tensor<D>;
}

/** √x; NaN below 0. */
export function sqrt(x: Tensor): Tensor<"f32"> {
  return x.runner.map("sqrt", [x]) as Tensor<"f32">;
}

/** 1/√x. */
export function rsqrt(x: Tensor): Tensor<"f32"> {
  return x.runner.map("rsqrt", [x]) as Tensor<"f32">;
}

/** 1/x. */
export function reciprocal(x: Tensor): Tensor<"f32"> {
  return x.runner.map("reciprocal", [x]) as Tensor<"f32">;
}

/** eˣ. */
export function exp(x: Tensor): Tensor<"f32"> {
  return x.runner.map("exp", [x]) as Tensor<"f32">;
}

/** eˣ−1, accurate near 0. */
export function expm1(x: Tensor): Tensor<"f32"> {
  return x.runner.map("expm1", [x]) as Tensor<"f32">;
}

/** ln x; −∞ for 0, NaN below. */
export function log(x: Tensor): Tensor<"f32"> {
  return x.runner.map("log", [x]) as Tensor<"f32">;
}

/** log₂ x. */
export function log2(x: Tensor): Tensor<"f32"> {
  return x.runner.map("log2", [x]) as Tensor<"f32">;
}

/** log₁₀ x. */
export function log10(x: Tensor): Tensor<"f32"> {
  return x.runner.map("log10", [x]) as Tensor<"f32">;
}

/** ln(1+x), accurate near 0. */
export function log1p(x: Tensor): Tensor<"f32"> {
  return x.runner.map("log1p", [x]) as Tensor<"f32">;
}

/** tanh x. */
export function tanh(x: Tensor): Tensor<"f32"> {
  return x.runner.map("tanh", [x]) as Tensor<"f32">;
}

/** Degrees as radians. */
export function deg2rad(x: Tensor): Tensor<"f32"> {
  return x.runner.map("deg2rad", [x]) as Tensor<"f32">;
}

/** Radians as degrees. */
export function rad2deg(x: Tensor): Tensor<"f32"> {
  return x.runner.map("rad2deg", [x]) as Tensor<"f32">;
}

/** max(x, 0), and NaN for NaN. */
export function relu<D extends DType>(x: Tensor<D>): Tensor<D> {
  return x.runner.map("relu", [x]) as Tensor<D>;
}

/** 1/(1+e⁻ˣ). */
export function sigmoid(x: Tensor): Tensor<"f32"> {
  return x.runner.map("sigmoid", [x]) as Tensor<"f32">;
}

/** x·sigmoid(x). */
export function silu(x: Tensor): Tensor<"f32"> {
  return x.runner.map("silu", [x]) as Tensor<"f32">;
}

/** Whether x is NaN. */
export function isnan(x: Tensor): Tensor<"bool"> {
  return x.runner.map("isnan", [x]) as Tensor<"bool">;
}

/** Whether x is infinite. */
export function isinf(x: Tensor): Tensor<"bool"> {
  return x.runner.map("isinf", [x]) as Tensor<"bool">;
}

/** Whether x is neither NaN nor infinite. */
export function isfinite(x: Tensor): Tensor<"bool"> {
  return x.runner.map("isfinite", [x]) as Tensor<"bool">;
}

/** Whether x is 0. */
export function logicalNot(x: Tensor): Tensor<"bool"> {
  return x.runner.map("logical_not", [x]) as Tensor<"bool">;
}

/** The bits of an integer inverted, or the opposite of a bool. */
export function bitwiseNot<D extends DType>(x: Tensor<D>): Tensor<D> {
  return x.runner.map("bitwise_not", [x]) as Tensor<D>;
}
