/**
 * How fast an engine is: the figures of `alknet compute bench`.
 *
 * @module
 */
import { matmul, sum } from "./functions/folding/folds.ts";
import { exp } from "./functions/elements/unary.ts";
import { add } from "./functions/elements/broadcasting.ts";
import type { Engine } from "./tensors/engine.ts";
import type { Tensor } from "./tensors/tensor.ts";

/** One figure; more is better but for µs. */
export interface Measurement {
  /** What was measured. */
  readonly name: string;
  /** GFLOP/s, GB/s, G/s (elements) or µs. */
  readonly unit: "GFLOP/s" | "GB/s" | "G/s" | "µs";
  /** The median of all runs. */
  readonly value: number;
}

/** What is measured. */
export interface MeasureOptions {
  /** How long each figure takes at least, in seconds. Default 0.5. */
  readonly seconds?: number;
  /** Sides of the matrices that are multiplied. Default 256, 512, 1024. */
  readonly sides?: readonly number[];
  /** Elements of the tensors that are added and folded. Default 4 Mi. */
  readonly elements?: number;
}

/**
 * Measures an engine, a figure at a time.
 *
 * @throws {ComputeError} `E_LIMIT`, `E_OOM` where it has no room for the tensors.
 */
export async function* measure(engine: Engine, options: MeasureOptions = {}): AsyncGenerator<Measurement> {
  const { seconds = 0.5, sides = [256, 512, 1024], elements = 2 ** 22 } = options;
  for (const side of sides) {
    using a = engine.full([side, side], 0.5);
    const value = 2 * side ** 3 / await time(seconds, () => matmul(a, a)) / 1e9;
    yield { name: `matmul ${side}`, unit: "GFLOP/s", value };
  }
  using x = engine.full([elements], 0.5);
  const size = `${elements} elements`;
  yield { name: `add ${size}`, unit: "GB/s", value: 12 * elements / await time(seconds, () => add(x, x)) / 1e9 };
  yield { name: `exp ${size}`, unit: "G/s", value: elements / await time(seconds, () => exp(x)) / 1e9 };
  yield { name: `sum ${size}`, unit: "GB/s", value: 4 * elements / await time(seconds, () => sum(x)) / 1e9 };
  using one = engine.full([1], 0.5);
  yield { name: "one operation", unit: "µs", value: 1e6 * await time(seconds, () => add(one, one), 100) };
  yield { name: "one read", unit: "µs", value: 1e6 * await reading(seconds, one) };
}

/** Seconds that an operation takes, the median of many runs of several; each run ends when an element was read. */
async function time(seconds: number, operation: () => Tensor, least = 1): Promise<number> {
  const run = async (times: number): Promise<number> => {
    const begun = performance.now();
    for (let i = 1; i < times; i++) operation().dispose();
    using last = operation();
    using flat = last.reshape(-1);
    using first = flat.slice(0, { stop: 1 });
    await first.read();
    return (performance.now() - begun) / 1000;
  };
  await run(1);
  // What a read costs is spread over as many operations as take a fifth of the time.
  const times = Math.max(least, Math.min(1000, Math.ceil(seconds / 5 / await run(1))));
  const runs: number[] = [];
  for (const begun = performance.now(); runs.length < 3 || performance.now() - begun < seconds * 1000;) {
    runs.push(await run(times) / times);
  }
  return runs.sort((a, b) => a - b)[runs.length >> 1];
}

/** Seconds from asking for an element to having it. */
async function reading(seconds: number, one: Tensor): Promise<number> {
  const runs: number[] = [];
  for (const begun = performance.now(); runs.length < 3 || performance.now() - begun < seconds * 1000;) {
    const asked = performance.now();
    await one.read();
    runs.push((performance.now() - asked) / 1000);
  }
  return runs.sort((a, b) => a - b)[runs.length >> 1];
}
