/**
 * Modules and optimizers on a device, beside PyTorch's (compute.md §12, §13).
 *
 * @module
 */
import { deepEqual, ok } from "node:assert/strict";
import * as c from "@alknet/compute";
import { type Need, needs } from "../../support/programs.ts";
import { near } from "../numpy.ts";
import { arrayOf, onto, type Stored } from "../torch/suite.ts";
import { fixture, type ModuleCase, type OptimizerCase } from "./fixtures.ts";
import { MODULES } from "./modules.ts";
import { OPTIMIZERS } from "./optimizers.ts";

/** Steps after which parameters were written down. */
const SEEN = [0, 9, 99];

/** Where gradients hardly change, their variance is a difference of nearly equal numbers: f32 has few digits of it. */
const BOUNDS: Readonly<Record<string, number>> = { "RMSprop centered": 5e-3 };

/** Registers the tests for a device; an optimizer makes up to 100 steps. */
export async function paritySuite(options: c.EngineOptions, steps: number, ...wanted: Need[]): Promise<void> {
  const modules = await fixture<ModuleCase>("modules");
  const optimizers = await fixture<OptimizerCase>("optimizers");
  Deno.test({
    name: `modules: outputs, gradients and buffers as PyTorch ${modules.torch} has them, on ${options.device}`,
    ...needs(...wanted),
    async fn(t) {
      deepEqual(modules.lines.map(({ name }) => name), Object.keys(MODULES), "each case has both sides");
      await using engine = await c.openEngine(options);
      for (const one of modules.lines) {
        await t.step(one.name, async () => {
          await moduleCase(engine, one);
          deepEqual(engine.tensors(), [], "every tensor was disposed of");
        });
      }
    },
  });
  Deno.test({
    name:
      `optimizers: parameters after up to ${steps} steps as PyTorch ${optimizers.torch} has them, on ${options.device}`,
    ...needs(...wanted),
    async fn(t) {
      const [{ operands }, ...cases] = optimizers.lines;
      deepEqual(cases.map(({ name }) => name), Object.keys(OPTIMIZERS), "each case has both sides");
      await using engine = await c.openEngine(options);
      for (const one of cases) {
        await t.step(one.name, async () => {
          await optimizerCase(engine, operands!, one, steps);
          deepEqual(engine.tensors(), [], "every tensor was disposed of");
        });
      }
    },
  });
}

async function moduleCase(engine: c.Engine, one: ModuleCase): Promise<void> {
  using held = new DisposableStack();
  const [module, run] = MODULES[one.name]({ engine, generator: new c.Generator(1) });
  held.use(module);
  deepEqual([...module.stateDict().keys()].toSorted(), Object.keys(one.state).toSorted(), "names of the state");
  module.loadStateDict(Object.fromEntries(Object.entries(one.state).map(([name, stored]) => [name, arrayOf(stored)])));
  const inputs = one.inputs.map((stored) => held.use(onto(engine, stored)));
  for (const [i, input] of inputs.entries()) if (one.inputGradients[i]) input.requiresGrad = true;
  const results = engine.scope(({ keep }) => {
    const all = leaves(run(inputs));
    const parts = all.map((result, i) => c.sum(c.mul(result, weight(result, i))));
    parts.reduce((a, b) => c.add(a, b)).backward();
    return all.map((result) => keep(result));
  });
  for (const result of results) held.use(result);
  deepEqual(results.length, one.results.length, "as many results");
  for (const [i, result] of results.entries()) await near(result, arrayOf(one.results[i]), "T", `result ${i}`);
  const params = module.namedParameters();
  deepEqual([...params.keys()].toSorted(), Object.keys(one.gradients).toSorted(), "names of the parameters");
  for (const [name, param] of params) await nearWhole(param.grad!, one.gradients[name], `gradient of ${name}`);
  for (const [i, input] of inputs.entries()) {
    const wanted = one.inputGradients[i];
    if (wanted) await nearWhole(input.grad!, wanted, `gradient of input ${i}`);
  }
  const state = module.stateDict();
  for (const [name, wanted] of Object.entries(one.buffersAfter)) {
    await near(state.get(name)!, arrayOf(wanted), "T", name);
  }
}

async function optimizerCase(
  engine: c.Engine,
  operands: readonly Stored[],
  one: OptimizerCase,
  steps: number,
): Promise<void> {
  using held = new DisposableStack();
  const [x, y, ...params] = operands.map((stored) => held.use(onto(engine, stored)));
  for (const param of params) param.requiresGrad = true;
  const optimizer = held.use(OPTIMIZERS[one.name](params));
  let seen = 0;
  for (let step = 0; step < steps; step++) {
    optimizer.zeroGrad();
    engine.scope(() => {
      const far = c.sub(c.sigmoid(c.add(c.matmul(x, params[0]), params[1])), y);
      c.sum(c.square(far)).backward();
    });
    optimizer.step();
    if (step !== SEEN[seen]) continue;
    const bound = step > 9 ? BOUNDS[one.name] : undefined;
    for (const [i, wanted] of one.after[seen].entries()) {
      await nearWhole(params[i], wanted, `step ${step}, ${i}`, bound);
    }
    seen++;
  }
  deepEqual(seen, SEEN.filter((one) => one < steps).length);
}

/** Within a part of the largest element. */
async function nearWhole(got: c.Tensor, wanted: Stored, title: string, bound = 1e-5): Promise<void> {
  const array = arrayOf(wanted);
  const most = [...array.data].reduce((most, one) => Math.max(most, Math.abs(Number(one))), 0);
  await near(got, array, () => bound * Math.max(most, 1e-3), title);
}

function weight(like: c.Tensor, number: number): c.Tensor {
  const values = Float32Array.from({ length: like.size }, (_, i) => ((i * 7 + number * 3) % 11 - 5) / 4 + 0.125);
  return like.runner.tensor(values, { shape: like.shape });
}

function leaves(result: unknown): c.Tensor[] {
  if (result instanceof c.Tensor) return [result];
  ok(Array.isArray(result), "a result is a tensor or a list");
  return result.flatMap(leaves);
}
