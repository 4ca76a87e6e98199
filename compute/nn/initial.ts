/**
 * First values of parameters, as PyTorch draws them.
 *
 * @module
 */
import { rand, randn } from "../functions/random/random.ts";
import type { Runner, Tensor } from "../tensors/tensor.ts";
import type { Init } from "./module.ts";

/** Numbers between −bound and bound. */
export function uniform({ engine, generator }: Init, shape: readonly number[], bound: number): Tensor<"f32"> {
  if (!(bound > 0) || !Number.isFinite(bound)) return filled(engine, shape, 0);
  return rand(engine, shape, generator, { low: -bound, high: bound });
}

/** Numbers whose bound is 1/√fan, as linear layers and convolutions begin. */
export function byFan(init: Init, shape: readonly number[], fan: number): Tensor<"f32"> {
  return uniform(init, shape, 1 / Math.sqrt(fan));
}

/** Glorot's: numbers whose bound is √(6/(rows + columns)). */
export function xavierUniform(init: Init, rows: number, columns: number): Tensor<"f32"> {
  return uniform(init, [rows, columns], Math.sqrt(6 / (rows + columns)));
}

/** Normal numbers. */
export function normal({ engine, generator }: Init, shape: readonly number[], std = 1): Tensor<"f32"> {
  return randn(engine, shape, generator, { std });
}

/** One value throughout. */
export function filled(engine: Runner, shape: readonly number[], value: number): Tensor<"f32"> {
  return engine.kernel("full", shape, [{ value, dtype: "f32" }], (one) => one) as Tensor<"f32">;
}
