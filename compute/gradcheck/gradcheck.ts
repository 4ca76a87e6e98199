/**
 * Gradients beside differences of what the function gives nearby, in float64 (compute.md §11).
 *
 * @module
 */
import { grad } from "../functions/gradients/gradients.ts";
import { add, mul, sub } from "../functions/elements/broadcasting.ts";
import { sum } from "../functions/folding/folds.ts";
import type { Engine } from "../tensors/engine.ts";
import { noGrad } from "../tensors/autograd/modes.ts";
import { openEngine } from "../tensors/open.ts";
import type { Tensor } from "../tensors/tensor.ts";

/** What is checked: a function of tensors, which computes with the engine of those that it gets. */
export type Checked = (...inputs: Tensor[]) => Tensor | readonly Tensor[];

/** How gradients are checked. */
export interface GradcheckOptions {
  /** How far the function is looked at to both sides. Default 1e-6. */
  readonly eps?: number;
  /** Default 1e-5. */
  readonly atol?: number;
  /** Default 1e-3. */
  readonly rtol?: number;
  /** Inputs of more elements are checked in some directions only. Default 64. */
  readonly most?: number;
  /** Inputs, by index, that no gradient is asked of; those of other types than f32 never are. */
  readonly constant?: readonly number[];
}

/** A derivative that is not what it should be. */
export interface GradcheckMiss {
  /** The input. */
  readonly input: number;
  /** The element, or the number of the direction. */
  readonly element: number;
  /** What the gradient says. */
  readonly analytic: number;
  /** What the differences say. */
  readonly numeric: number;
}

/** What was found. */
export interface GradcheckReport {
  /** Whether all gradients are right, and the same when computed twice. */
  readonly passed: boolean;
  /** Derivatives that were compared. */
  readonly compared: number;
  /** The largest difference as a share of what is allowed. */
  readonly worst: number;
  /** The first that are wrong, 16 at most. */
  readonly misses: readonly GradcheckMiss[];
  /** Whether two runs gave the same bits. */
  readonly deterministic: boolean;
}

const DIRECTIONS = 8;
const MOST_MISSES = 16;

/**
 * Checks the gradients of a function: on copies of the inputs in float64, against central differences, for each element or, of
 * large inputs, in directions; results are weighed by random numbers, none of which is 0.
 *
 * @param check The function. What it makes besides its results is disposed of.
 * @param inputs Of any engine.
 */
export async function gradcheck(
  check: Checked,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): Promise<GradcheckReport> {
  await using engine = await openEngine({ device: "reference" });
  const given = await copied(engine, inputs);
  const { eps = 1e-6, atol = 1e-5, rtol = 1e-3, most = 64, constant = [] } = options;
  const asked = given.map((one, i) => one.dtype === "f32" && !constant.includes(i));
  const weights = cotangents(engine, check, given, asked);
  if (!weights.some((one) => one)) return { passed: true, compared: 0, worst: 0, misses: [], deterministic: true };
  const value = (...of: Tensor[]): Tensor => {
    const results = [check(...of)].flat() as Tensor[];
    return results.flatMap((one, i) => weights[i] ? [sum(mul(one, weights[i]))] : []).reduce((a, b) => add(a, b));
  };
  const [first, second] = [0, 1].map(() => analytic(engine, value, given, asked));
  const misses: GradcheckMiss[] = [];
  let [compared, worst, deterministic] = [0, 0, true];
  for (const [i, input] of given.entries()) {
    if (!asked[i] || input.size === 0) continue;
    const [gradient, again] = [await valuesOf(first[i], input.size), await valuesOf(second[i], input.size)];
    if (gradient.some((one, at) => !Object.is(one, again[at]))) deterministic = false;
    for (const [element, direction] of [...directions(input.size, most)].entries()) {
      using held = engine.tensor(direction, { shape: input.shape });
      const numeric = await difference(engine, value, given, i, held, eps);
      const own = direction.reduce((total, part, at) => total + (part === 0 ? 0 : part * gradient[at]), 0);
      const share = Math.abs(own - numeric) / (atol + rtol * Math.abs(numeric));
      compared++;
      // What is not a number is never near another.
      worst = Math.max(worst, Number.isNaN(share) ? Infinity : share);
      if (!(share <= 1) && misses.length < MOST_MISSES) misses.push({ input: i, element, analytic: own, numeric });
    }
  }
  return { passed: misses.length === 0 && deterministic, compared, worst, misses, deterministic };
}

/** Checks the gradients of the gradients of a function, as {@linkcode gradcheck} does. */
export async function gradgradcheck(
  check: Checked,
  inputs: readonly Tensor[],
  options: GradcheckOptions = {},
): Promise<GradcheckReport> {
  const { constant = [] } = options;
  const asked = inputs.flatMap((one, i) => one.dtype === "f32" && !constant.includes(i) ? [i] : []);
  return await gradcheck(
    (...of) => {
      const leaves = of.map((one, i) => {
        if (!asked.includes(i) || one.requiresGrad) return one;
        const leaf = one.detach();
        leaf.requiresGrad = true;
        return leaf;
      });
      const results = ([check(...leaves)].flat() as Tensor[]).filter((one) => one.requiresGrad);
      if (results.length === 0) return [];
      const weights = results.map((one, i) => weight(one, i));
      const sent = grad(results, asked.map((i) => leaves[i]), { gradients: weights, createGraph: true });
      return sent.filter((one) => one !== undefined);
    },
    inputs,
    options,
  );
}

function analytic(
  engine: Engine,
  value: Checked,
  given: readonly Tensor[],
  asked: readonly boolean[],
): (Tensor | undefined)[] {
  return engine.scope(({ keep }) => {
    const leaves = leavesOf(given, asked);
    const result = value(...leaves) as Tensor;
    if (!result.requiresGrad) return leaves.map(() => undefined);
    return grad(result, leaves).map((one) => one && keep(one));
  });
}

async function difference(
  engine: Engine,
  value: Checked,
  given: readonly Tensor[],
  input: number,
  direction: Tensor,
  eps: number,
): Promise<number> {
  const step = Math.fround(eps);
  using slope = engine.scope(({ keep }) =>
    keep(
      differenceOf(
        ...[step, -step].map((by) =>
          value(...given.with(input, add(given[input], direction, { alpha: by }))) as Tensor
        ) as [Tensor, Tensor],
        step,
      ),
    )
  );
  return (await slope.read())[0];
}

/** By a division that the device does, which has the digits. */
function differenceOf(after: Tensor, before: Tensor, step: number): Tensor {
  return noGrad(() => mul(sub(after, before), 0.5 / step));
}

async function copied(engine: Engine, inputs: readonly Tensor[]): Promise<Tensor[]> {
  const copies: Tensor[] = [];
  for (const one of inputs) {
    copies.push(engine.tensor(await one.read(), { shape: one.shape, dtype: one.dtype }));
  }
  return copies;
}

/** Weights of the results that were recorded, or of all floats where none was. */
function cotangents(
  engine: Engine,
  check: Checked,
  given: readonly Tensor[],
  asked: readonly boolean[],
): (Tensor | undefined)[] {
  return engine.scope(({ keep }) => {
    const results = [check(...leavesOf(given, asked))].flat() as Tensor[];
    const recorded = results.some((one) => one.requiresGrad);
    const counts = (one: Tensor): boolean => recorded ? one.requiresGrad : one.dtype === "f32";
    return results.map((one, i) => counts(one) ? keep(weight(one, i)) : undefined);
  });
}

function leavesOf(given: readonly Tensor[], asked: readonly boolean[]): Tensor[] {
  return given.map((one, i) => {
    const leaf = one.detach();
    if (asked[i]) leaf.requiresGrad = true;
    return leaf;
  });
}

/** Numbers from ±0.5 to ±1.5, the same each time. */
function weight(like: Tensor, seed: number): Tensor {
  const values = Float32Array.from({ length: like.size }, (_, i) => {
    const part = noise(i + 1 + 7919 * seed);
    return part < 0 ? part - 0.5 : part + 0.5;
  });
  return like.runner.tensor(values, { shape: like.shape });
}

function* directions(size: number, most: number): Iterable<Float32Array> {
  const count = size <= most ? size : DIRECTIONS;
  for (let at = 0; at < count; at++) {
    yield Float32Array.from({ length: size }, (_, i) => size <= most ? Number(i === at) : noise(i + 1 + 104729 * at));
  }
}

/** From −1 to 1. */
function noise(seed: number): number {
  const mixed = Math.imul(seed ^ (seed >>> 15), 0x2c1b3c6d);
  const more = Math.imul(mixed ^ (mixed >>> 12), 0x297a2d39);
  return ((more ^ (more >>> 15)) >>> 0) / 2 ** 31 - 1;
}

async function valuesOf(gradient: Tensor | undefined, size: number): Promise<Float32Array> {
  return gradient ? await gradient.read() as Float32Array : new Float32Array(size);
}
