/**
 * Functions of the elements of two or three operands, of which one at least is a tensor.
 *
 * Operands broadcast (ops.md §1.4) and are promoted (§1.3). Each function throws a `ComputeError`: `E_SHAPE`, `E_DTYPE`,
 * `E_BUFFER` for operands that are gone or of different engines, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import { type Operand, type Runner, Tensor } from "../../tensors/tensor.ts";

/** What the second operand is multiplied by. */
export interface ScaledOptions {
  /** Default 1; 0 is 0. */
  readonly alpha?: number;
}

/** x + alpha·y; for bool, or. */
export function add(x: Operand, y: Operand, { alpha = 1 }: ScaledOptions = {}): Tensor {
  const runner = runnerOf("add", x, y);
  return alpha === 1 ? runner.map("add", [x, y]) : runner.map("add_scaled", [x, y, alpha]);
}

/** x − alpha·y. */
export function sub(x: Operand, y: Operand, { alpha = 1 }: ScaledOptions = {}): Tensor {
  const runner = runnerOf("sub", x, y);
  return alpha === 1 ? runner.map("sub", [x, y]) : runner.map("sub_scaled", [x, y, alpha]);
}

/** x · y; for bool, and. */
export function mul(x: Operand, y: Operand): Tensor {
  return runnerOf("mul", x, y).map("mul", [x, y]);
}

/** x / y in floating point, whatever the operands are. */
export function div(x: Operand, y: Operand): Tensor<"f32"> {
  return runnerOf("div", x, y).map("div", [x, y]) as Tensor<"f32">;
}

/** The larger; NaN when either is NaN. */
export function maximum(x: Operand, y: Operand): Tensor {
  return runnerOf("maximum", x, y).map("maximum", [x, y]);
}

/** The smaller; NaN when either is NaN. */
export function minimum(x: Operand, y: Operand): Tensor {
  return runnerOf("minimum", x, y).map("minimum", [x, y]);
}

/** The larger; NaN only when both are NaN. */
export function fmax(x: Operand, y: Operand): Tensor {
  return runnerOf("fmax", x, y).map("fmax", [x, y]);
}

/** The smaller; NaN only when both are NaN. */
export function fmin(x: Operand, y: Operand): Tensor {
  return runnerOf("fmin", x, y).map("fmin", [x, y]);
}

/** |x| with the sign of y. */
export function copysign(x: Operand, y: Operand): Tensor<"f32"> {
  return runnerOf("copysign", x, y).map("copysign", [x, y]) as Tensor<"f32">;
}

/** Whether x = y. */
export function eq(x: Operand, y: Operand): Tensor<"bool"> {
  return runnerOf("eq", x, y).map("eq", [x, y]) as Tensor<"bool">;
}

/** Whether x ≠ y. */
export function ne(x: Operand, y: Operand): Tensor<"bool"> {
  return runnerOf("ne", x, y).map("ne", [x, y]) as Tensor<"bool">;
}

/** Whether x < y. */
export function lt(x: Operand, y: Operand): Tensor<"bool"> {
  return runnerOf("lt", x, y).map("lt", [x, y]) as Tensor<"bool">;
}

/** Whether x ≤ y. */
export function le(x: Operand, y: Operand): Tensor<"bool"> {
  return runnerOf("le", x, y).map("le", [x, y]) as Tensor<"bool">;
}

/** Whether x > y. */
export function gt(x: Operand, y: Operand): Tensor<"bool"> {
  return runnerOf("gt", x, y).map("gt", [x, y]) as Tensor<"bool">;
}

/** Whether x ≥ y. */
export function ge(x: Operand, y: Operand): Tensor<"bool"> {
  return runnerOf("ge", x, y).map("ge", [x, y]) as Tensor<"bool">;
}

/** Whether both are other than 0. */
export function logicalAnd(x: Operand, y: Operand): Tensor<"bool"> {
  return runnerOf("logical_and", x, y).map("logical_and", [x, y]) as Tensor<"bool">;
}

/** Whether either is other than 0. */
export function logicalOr(x: Operand, y: Operand): Tensor<"bool"> {
  return runnerOf("logical_or", x, y).map("logical_or", [x, y]) as Tensor<"bool">;
}

/** Whether just one is other than 0. */
export function logicalXor(x: Operand, y: Operand): Tensor<"bool"> {
  return runnerOf("logical_xor", x, y).map("logical_xor", [x, y]) as Tensor<"bool">;
}

/** And, bit by bit; for integers and bool. */
export function bitwiseAnd(x: Operand, y: Operand): Tensor {
  return runnerOf("bitwise_and", x, y).map("bitwise_and", [x, y]);
}

/** Or, bit by bit; for integers and bool. */
export function bitwiseOr(x: Operand, y: Operand): Tensor {
  return runnerOf("bitwise_or", x, y).map("bitwise_or", [x, y]);
}

/** Exclusive or, bit by bit; for integers and bool. */
export function bitwiseXor(x: Operand, y: Operand): Tensor {
  return runnerOf("bitwise_xor", x, y).map("bitwise_xor", [x, y]);
}

/** x where the test is other than 0, else y. */
export function where(test: Operand, x: Operand, y: Operand): Tensor {
  return runnerOf("where", test, x, y).map("where", [test, x, y]);
}

/** x within bounds; the upper bound where they cross, NaN for NaN. */
export function clamp(x: Operand, low: Operand, high: Operand): Tensor {
  return runnerOf("clamp", x, low, high).map("clamp", [x, low, high]);
}

/** x + y·z. */
export function addcmul(x: Operand, y: Operand, z: Operand): Tensor {
  return runnerOf("addcmul", x, y, z).map("addcmul", [x, y, z]);
}

/** x + y/z. */
export function addcdiv(x: Operand, y: Operand, z: Operand): Tensor<"f32"> {
  return runnerOf("addcdiv", x, y, z).map("addcdiv", [x, y, z]) as Tensor<"f32">;
}

/** x + weight·(y − x). */
export function lerp(x: Operand, y: Operand, weight: Operand): Tensor<"f32"> {
  return runnerOf("lerp", x, y, weight).map("lerp", [x, y, weight]) as Tensor<"f32">;
}

/**
 * The engine of the first tensor among operands.
 *
 * @throws {TypeError} When there is none.
 */
export function runnerOf(name: string, ...operands: readonly Operand[]): Runner {
  const tensor = operands.find((operand) => operand instanceof Tensor);
  if (tensor === undefined) throw new TypeError(`${name} needs a tensor among its operands`);
  return tensor.runner;
}
