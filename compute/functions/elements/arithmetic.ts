/**
 * Functions of two operands that divide, raise, measure and shift.
 *
 * Operands broadcast (ops.md §1.4) and are promoted (§1.3). Each function throws a `ComputeError`: `E_SHAPE`, `E_DTYPE`,
 * `E_BUFFER` for operands that are gone or of different engines, `E_LIMIT`, `E_OOM`.
 * An integer divided by 0 is `E_DIV_ZERO` on the CPU and 0 on a GPU (§4.1).
 *
 * @module
 */
import type { Operand, Tensor } from "../../tensors/tensor.ts";
import { checkDivisor } from "../tools/tools.ts";
import { runnerOf } from "./broadcasting.ts";

/** How near two values have to be. */
export interface CloseOptions {
  /** Relative to |y|. Default 1e-5. */
  readonly rtol?: number;
  /** Absolute. Default 1e-8. */
  readonly atol?: number;
}

/** x / y rounded towards 0. */
export function divTrunc(x: Operand, y: Operand): Tensor {
  checkDivisor("div_trunc", x, y);
  return runnerOf("div_trunc", x, y).map("div_trunc", [x, y]);
}

/** x / y rounded down. */
export function floorDivide(x: Operand, y: Operand): Tensor {
  checkDivisor("floor_divide", x, y);
  return runnerOf("floor_divide", x, y).map("floor_divide", [x, y]);
}

/** What is left of x / y rounded down: it has the sign of y. */
export function remainder(x: Operand, y: Operand): Tensor {
  checkDivisor("remainder", x, y);
  return runnerOf("remainder", x, y).map("remainder", [x, y]);
}

/** What is left of x / y rounded towards 0: it has the sign of x. */
export function fmod(x: Operand, y: Operand): Tensor {
  checkDivisor("fmod", x, y);
  return runnerOf("fmod", x, y).map("fmod", [x, y]);
}

/** x to the power of y, in the cases of ops.md §4.2; integers wrap. */
export function pow(x: Operand, y: Operand): Tensor {
  return runnerOf("pow", x, y).map("pow", [x, y]);
}

/** x to the power of y, in f32. */
export function floatPower(x: Operand, y: Operand): Tensor {
  return runnerOf("float_power", x, y).map("float_power", [x, y]);
}

/** The angle of the point (y, x): its height first. */
export function atan2(x: Operand, y: Operand): Tensor {
  return runnerOf("atan2", x, y).map("atan2", [x, y]);
}

/** √(x² + y²), without overflow. */
export function hypot(x: Operand, y: Operand): Tensor {
  return runnerOf("hypot", x, y).map("hypot", [x, y]);
}

/** x · 2ʸ. */
export function ldexp(x: Operand, y: Operand): Tensor {
  return runnerOf("ldexp", x, y).map("ldexp", [x, y]);
}

/** ln(eˣ + eʸ), without overflow. */
export function logaddexp(x: Operand, y: Operand): Tensor {
  return runnerOf("logaddexp", x, y).map("logaddexp", [x, y]);
}

/** log₂(2ˣ + 2ʸ), without overflow. */
export function logaddexp2(x: Operand, y: Operand): Tensor {
  return runnerOf("logaddexp2", x, y).map("logaddexp2", [x, y]);
}

/** x · ln y, and 0 where x is 0. */
export function xlogy(x: Operand, y: Operand): Tensor {
  return runnerOf("xlogy", x, y).map("xlogy", [x, y]);
}

/** x · ln(1 + y), and 0 where x is 0. */
export function xlog1py(x: Operand, y: Operand): Tensor {
  return runnerOf("xlog1py", x, y).map("xlog1py", [x, y]);
}

/** 0 below 0, 1 above, y at 0. */
export function heaviside(x: Operand, y: Operand): Tensor {
  return runnerOf("heaviside", x, y).map("heaviside", [x, y]);
}

/** The greatest common divisor. */
export function gcd(x: Operand, y: Operand): Tensor {
  return runnerOf("gcd", x, y).map("gcd", [x, y]);
}

/** The least common multiple; it wraps. */
export function lcm(x: Operand, y: Operand): Tensor {
  return runnerOf("lcm", x, y).map("lcm", [x, y]);
}

/** x · 2ʸ by its bits; 0 for counts outside of 0 to 31. */
export function bitwiseLeftShift(x: Operand, y: Operand): Tensor {
  return runnerOf("bitwise_left_shift", x, y).map("bitwise_left_shift", [x, y]);
}

/** x / 2ʸ by its bits, with the sign of an i32; all sign for counts outside of 0 to 31. */
export function bitwiseRightShift(x: Operand, y: Operand): Tensor {
  return runnerOf("bitwise_right_shift", x, y).map("bitwise_right_shift", [x, y]);
}

/** y − x. */
export function rsub(x: Operand, y: Operand): Tensor {
  return runnerOf("sub", x, y).map("sub", [y, x]);
}

/** Whether two values are equal but for rounding; equal infinities are, NaN is not. */
export function isclose(x: Tensor, y: Operand, options: CloseOptions = {}): Tensor<"bool"> {
  const { rtol = 1e-5, atol = 1e-8 } = options;
  return x.runner.map("isclose", [x, y, rtol, atol]) as Tensor<"bool">;
}
