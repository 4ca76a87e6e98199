/**
 * Trainings on a device: their losses beside PyTorch's, what they leave behind, and that they go on from checkpoints.
 *
 * @module
 */
import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { type EngineOptions, openEngine, type Tensor } from "@alknet/compute";
import { loadCheckpoint, saveCheckpoint } from "@alknet/compute/saving";
import { type Need, needs } from "../../support/programs.ts";
import { temporaryFolder } from "../../support/temp.ts";
import "../../tensor/mapping.ts";
import { near } from "../numpy.ts";
import { type Prepare, run, transformer, twoLayers, withDropout } from "./trainings.ts";

/** How far a loss may be from PyTorch's, relative to it. */
const BOUND = 1e-4;
const TRAININGS: Readonly<Record<string, Prepare>> = { "a net of two layers": twoLayers, "a transformer": transformer };

/** How many steps are made; a GPU that is made of software is slow. */
export interface Counts {
  /** Of those that PyTorch made, 100. */
  readonly curve: number;
  /** For what is left behind. */
  readonly leak: number;
}

/** Registers the tests for a device. */
export function curvesSuite(options: EngineOptions, counts: Counts, ...wanted: Need[]): void {
  const { curve, leak } = counts;
  for (const [name, prepare] of Object.entries(TRAININGS)) {
    Deno.test({
      name:
        `training: ${name} has the losses of PyTorch over ${curve} steps from the same weights, on ${options.device}`,
      ...needs(...wanted),
      async fn() {
        await using engine = await openEngine(options);
        {
          using prepared = await prepare(engine);
          const losses = await run(prepared, curve);
          const far = losses.map((one, i) => Math.abs(one / prepared.losses[i] - 1));
          ok(Math.max(...far) < BOUND, `step ${far.indexOf(Math.max(...far))} is ${Math.max(...far)} away`);
          ok(losses.at(-1)! < losses[0], "it learned");
          const state = prepared.training.model.stateDict();
          for (const [key, { shape, data }] of curve < 100 ? [] : prepared.after) {
            await near(state.get(key)!, { shape, data: data as Float32Array }, () => 2e-3, key);
          }
        }
        deepEqual(engine.tensors(), []);
        equal(engine.stats().live, 0);
      },
    });
  }

  Deno.test({
    name: `training: ${leak} steps hold as many buffers and bytes as one, on ${options.device}`,
    ...needs(...wanted),
    async fn() {
      await using engine = await openEngine(options);
      {
        using prepared = await twoLayers(engine);
        const steps = (count: number): void => {
          for (let i = 0; i < count; i++) prepared.step().dispose();
        };
        const used = (): unknown => {
          const { live, liveBytes, peakBytes, pooledBytes, allocations } = engine.stats();
          return { live, liveBytes, peakBytes, pooledBytes, allocations, tensors: engine.tensors().length };
        };
        steps(20);
        const before = used();
        steps(leak);
        deepEqual(used(), before);
      }
      equal(engine.stats().live, 0);
    },
  });

  Deno.test({
    name:
      `saveCheckpoint(): after a failure a training goes on from it with the losses it would have had, on ${options.device}`,
    ...needs(...wanted),
    async fn() {
      await using folder = await temporaryFolder();
      const path = folder.join("training.safetensors");
      const prepare = withDropout;
      const whole: number[] = [];
      {
        await using engine = await openEngine(options);
        using prepared = await prepare(engine, 0.2);
        whole.push(...await run(prepared, 14));
      }
      const first: number[] = [];
      {
        const engine = await openEngine(options);
        const prepared = await prepare(engine, 0.2);
        first.push(...await run(prepared, 6));
        await saveCheckpoint(path, prepared.training, { step: 6 });
        first.push(...await run(prepared, 2));
        // The engine goes in the middle of a step, as a device that is lost does, and all that was on it.
        const lost = (prepared.training.model.parameters()[0] as Tensor).onGradient(() => {
          void engine[Symbol.asyncDispose]();
        });
        throws(() => prepared.step(), { code: "E_BUFFER" });
        throws(() => prepared.step(), { code: "E_BUFFER" });
        await rejects(saveCheckpoint(path, prepared.training, { step: 8 }));
        lost[Symbol.dispose]();
        prepared[Symbol.dispose]();
        await engine[Symbol.asyncDispose]();
      }
      deepEqual(first, whole.slice(0, 8), "the same draws give the same losses");
      await using engine = await openEngine(options);
      {
        using prepared = await prepare(engine, 0.2);
        deepEqual(await loadCheckpoint(path, prepared.training), { step: 6 });
        deepEqual(await run(prepared, 8), whole.slice(6));
      }
      deepEqual(engine.tensors(), []);
    },
  });

  Deno.test({
    name:
      `training: an error anywhere in a step leaves nothing behind, and the same objects go on from a checkpoint, on ${options.device}`,
    ...needs(...wanted),
    async fn() {
      await using folder = await temporaryFolder();
      const path = folder.join("training.safetensors");
      await using engine = await openEngine(options);
      {
        using prepared = await twoLayers(engine);
        const { model, optimizer } = prepared.training;
        await run(prepared, 3);
        await saveCheckpoint(path, prepared.training);
        const wanted = await run(prepared, 3);
        optimizer.zeroGrad();
        const [count, live] = [engine.tensors().length, engine.stats().live];
        const failing = (): never => {
          throw new Error("on the way back");
        };
        for (const [i, param] of model.parameters().entries()) {
          {
            using _hook = param.onGradient(failing);
            throws(() => prepared.step(), /on the way back/, `parameter ${i}`);
          }
          optimizer.zeroGrad();
          deepEqual([engine.tensors().length, engine.stats().live], [count, live], `parameter ${i}`);
        }
        // A gradient that no longer is: the step of the optimizer ends midway.
        prepared.step().dispose();
        model.parameters()[2].grad!.dispose();
        throws(() => optimizer.step(), { code: "E_BUFFER" });
        optimizer.zeroGrad();
        deepEqual([engine.tensors().length, engine.stats().live], [count, live], "in the optimizer");
        await loadCheckpoint(path, prepared.training);
        deepEqual(await run(prepared, 3), wanted);
      }
      deepEqual(engine.tensors(), []);
    },
  });
}
