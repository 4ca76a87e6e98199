/**
 * Functions of analysis of the elements of one tensor, and predicates of infinities.
 *
 * Operands broadcast (ops.md §1.4) and are promoted (§1.3). Each function throws a `ComputeError`: `E_SHAPE`, `E_DTYPE`,
 * `E_BUFFER` for operands that are gone or of different engines, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import type { Tensor } from "../../tensors/tensor.ts";

/** What takes the place of what is not finite. */
export interface FiniteOptions {
  /** In place of NaN. Default 0. */
  readonly nan?: number;
  /** In place of ∞. Default the largest f32. */
  readonly posinf?: number;
  /** In place of −∞. Default the least f32. */
  readonly neginf?: number;
}

const LARGEST = 3.4028234663852886e38;

/** 2ˣ. */
export function exp2(x: Tensor): Tensor<"f32"> {
  return x.runner.map("exp2", [x]) as Tensor<"f32">;
}

/** sin x, within 2·10⁻⁵ to about 10⁴; NaN of an infinity. */
export function sin(x: Tensor): Tensor<"f32"> {
  return x.runner.map("sin", [x]) as Tensor<"f32">;
}

/** cos x, within 2·10⁻⁵ to about 10⁴; NaN of an infinity. */
export function cos(x: Tensor): Tensor<"f32"> {
  return x.runner.map("cos", [x]) as Tensor<"f32">;
}

/** tan x. */
export function tan(x: Tensor): Tensor<"f32"> {
  return x.runner.map("tan", [x]) as Tensor<"f32">;
}

/** arcsin x; NaN beyond ±1. */
export function asin(x: Tensor): Tensor<"f32"> {
  return x.runner.map("asin", [x]) as Tensor<"f32">;
}

/** arccos x; NaN beyond ±1. */
export function acos(x: Tensor): Tensor<"f32"> {
  return x.runner.map("acos", [x]) as Tensor<"f32">;
}

/** arctan x. */
export function atan(x: Tensor): Tensor<"f32"> {
  return x.runner.map("atan", [x]) as Tensor<"f32">;
}

/** sinh x. */
export function sinh(x: Tensor): Tensor<"f32"> {
  return x.runner.map("sinh", [x]) as Tensor<"f32">;
}

/** cosh x. */
export function cosh(x: Tensor): Tensor<"f32"> {
  return x.runner.map("cosh", [x]) as Tensor<"f32">;
}

/** arsinh x. */
export function asinh(x: Tensor): Tensor<"f32"> {
  return x.runner.map("asinh", [x]) as Tensor<"f32">;
}

/** arcosh x; NaN below 1. */
export function acosh(x: Tensor): Tensor<"f32"> {
  return x.runner.map("acosh", [x]) as Tensor<"f32">;
}

/** artanh x; ±∞ at ±1, NaN beyond. */
export function atanh(x: Tensor): Tensor<"f32"> {
  return x.runner.map("atanh", [x]) as Tensor<"f32">;
}

/** The error function. */
export function erf(x: Tensor): Tensor<"f32"> {
  return x.runner.map("erf", [x]) as Tensor<"f32">;
}

/** 1 − erf x, accurate for large x. */
export function erfc(x: Tensor): Tensor<"f32"> {
  return x.runner.map("erfc", [x]) as Tensor<"f32">;
}

/** The inverse of erf. */
export function erfinv(x: Tensor): Tensor<"f32"> {
  return x.runner.map("erfinv", [x]) as Tensor<"f32">;
}

/** ln|Γ(x)|; ∞ at 0, −1, … */
export function lgamma(x: Tensor): Tensor<"f32"> {
  return x.runner.map("lgamma", [x]) as Tensor<"f32">;
}

/** The derivative of ln Γ; −∞ at 0, NaN at −1, −2, … */
export function digamma(x: Tensor): Tensor<"f32"> {
  return x.runner.map("digamma", [x]) as Tensor<"f32">;
}

/** sin(πx)/(πx), and 1 at 0. */
export function sinc(x: Tensor): Tensor<"f32"> {
  return x.runner.map("sinc", [x]) as Tensor<"f32">;
}

/** ∛x. */
export function cbrt(x: Tensor): Tensor<"f32"> {
  return x.runner.map("cbrt", [x]) as Tensor<"f32">;
}

/** ln(x/(1−x)); with `eps`, of x within eps to 1 − eps. */
export function logit(x: Tensor, eps?: number): Tensor<"f32"> {
  const y = eps === undefined ? x.runner.map("logit", [x]) : x.runner.map("logit_within", [x, eps]);
  return y as Tensor<"f32">;
}

/** Numbers in place of NaN and the infinities. */
export function nanToNum(x: Tensor, options: FiniteOptions = {}): Tensor<"f32"> {
  const { nan = 0, posinf = LARGEST, neginf = -LARGEST } = options;
  return x.runner.map("nan_to_num", [x, nan, posinf, neginf]) as Tensor<"f32">;
}

/** Whether x is ∞. */
export function isposinf(x: Tensor): Tensor<"bool"> {
  return x.runner.map("isposinf", [x]) as Tensor<"bool">;
}

/** Whether x is −∞. */
export function isneginf(x: Tensor): Tensor<"bool"> {
  return x.runner.map("isneginf", [x]) as Tensor<"bool">;
}
