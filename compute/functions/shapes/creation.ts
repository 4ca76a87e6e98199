/**
 * Tensors of counted numbers and units (ops.md §13, rows 231 to 234). They take the engine to make them on.
 *
 * Each function throws a `ComputeError`: `E_VALUE`, `E_SHAPE`, `E_LIMIT`, `E_OOM`.
 *
 * @module
 */
import { binary, compare, constant, convert, select } from "../../table/expression.ts";
import { exp2 } from "../../table/maths.ts";
import type { KernelOperand, Runner, Tensor } from "../../tensors/tensor.ts";
import { bitsOf, type DType } from "../../values/dtype.ts";
import { coordinate, refuse } from "../tools/tools.ts";

/** The type of what is made. */
export interface CreationOptions<D extends DType> {
  /** Default f32. */
  readonly dtype?: D;
}

/** Numbers from a start, by a step, to before an end; by default in i32 where all three are whole, else in f32. */
export function arange(engine: Runner, start: number, end: number, step = 1): Tensor<"f32"> | Tensor<"i32"> {
  if (!(step !== 0 && (end - start) / step >= 0) || !Number.isFinite((end - start) / step)) {
    refuse("E_VALUE", "arange", `there is no way from ${start} to ${end} by ${step}`);
  }
  const shape = [Math.ceil((end - start) / step)];
  const place = coordinate(shape, 0);
  const fits = [start, end, step].every((one) => Number.isInteger(one) && Math.abs(one) < 2 ** 31);
  const dtype = fits ? "i32" : "f32";
  const words = [start, step].map((value): KernelOperand => ({ value, dtype }));
  return engine.kernel(
    "arange",
    shape,
    [place, ...words],
    (i, from, by) => binary("add", from, binary("mul", convert(i, dtype), by)),
  ) as Tensor<"f32"> | Tensor<"i32">;
}

/** So many numbers from a start to an end, both included; computed from the nearer end. */
export function linspace(engine: Runner, start: number, end: number, steps: number): Tensor<"f32"> {
  return spaced("linspace", engine, start, end, steps, false, 2);
}

/** Powers of a base whose exponents are those of {@linkcode linspace}. */
export function logspace(engine: Runner, start: number, end: number, steps: number, base = 10): Tensor<"f32"> {
  if (!(base > 0)) refuse("E_VALUE", "logspace", `a base of ${base} is not possible`);
  return spaced("logspace", engine, start, end, steps, true, base);
}

/** 1 on a diagonal and 0 elsewhere. */
export function eye<D extends DType = "f32">(
  engine: Runner,
  rows: number,
  columns = rows,
  options: CreationOptions<D> = {},
): Tensor<D> {
  const shape = [rows, columns];
  const dtype = options.dtype ?? "f32";
  return engine.kernel(
    "eye",
    shape,
    [coordinate(shape, 0), coordinate(shape, 1)],
    (i, j) => select(compare("eq", i, j), constant(1, dtype), constant(0, dtype)),
  ) as Tensor<D>;
}

/** Ones on and below a diagonal and zeros above it. */
export function tri(engine: Runner, rows: number, columns = rows, offset = 0): Tensor<"f32"> {
  const shape = [rows, columns];
  return engine.kernel(
    "tri",
    shape,
    [coordinate(shape, 0, 1, offset), coordinate(shape, 1)],
    (i, j) => select(compare("le", j, i), constant(1, "f32"), 0),
  ) as Tensor<"f32">;
}

/** One value throughout, in the shape and type of another tensor. */
export function fullLike<D extends DType>(x: Tensor<D>, value: number): Tensor<D> {
  bitsOf(value, x.dtype);
  return x.runner.kernel("full_like", x.shape, [{ value, dtype: x.dtype }], (one) => one) as Tensor<D>;
}

/** Zeros in the shape and type of another tensor. */
export function zerosLike<D extends DType>(x: Tensor<D>): Tensor<D> {
  return fullLike(x, 0);
}

/** Ones in the shape and type of another tensor. */
export function onesLike<D extends DType>(x: Tensor<D>): Tensor<D> {
  return fullLike(x, 1);
}

function spaced(
  op: string,
  engine: Runner,
  start: number,
  end: number,
  steps: number,
  powers: boolean,
  base: number,
): Tensor<"f32"> {
  const shape = [steps];
  const step = steps > 1 ? (end - start) / (steps - 1) : 0;
  const half = Math.ceil(steps / 2);
  const words: KernelOperand[] = [start, steps > 1 ? end : start, step, Math.log2(base)].map((value) => ({
    value,
    dtype: "f32",
  }));
  const ends: KernelOperand[] = [half, steps - 1].map((value) => ({ value, dtype: "i32" }));
  return engine.kernel(op, shape, [coordinate(shape, 0), ...words, ...ends], (i, from, to, by, scale, middle, last) => {
    const rising = binary("add", from, binary("mul", convert(i, "f32"), by));
    const falling = binary("sub", to, binary("mul", convert(binary("sub", last, i), "f32"), by));
    const value = select(compare("lt", i, middle), rising, falling);
    return powers ? exp2(binary("mul", value, scale)) : value;
  }) as Tensor<"f32">;
}
