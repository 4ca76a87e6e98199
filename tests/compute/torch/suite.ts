/**
 * Cases of a family on a device, beside what PyTorch gave for them (make.py wrote it down).
 *
 * @module
 */
import { deepEqual, equal } from "node:assert/strict";
import { type DType, type Engine, type EngineOptions, openEngine, type Tensor } from "@alknet/compute";
import { type Need, needs } from "../../support/programs.ts";
import { near, type NumpyArray, type ToleranceClass } from "../numpy.ts";

/** By name: how near it has to be, and what runs. */
export type Cases = Readonly<
  Record<string, readonly [ToleranceClass, (operands: Tensor[], engine: Engine) => Tensor | readonly Tensor[]]>
>;

/** An array as the fixtures hold it. */
export interface Stored {
  readonly dtype: "f32" | "i32" | "bool";
  readonly shape: readonly number[];
  readonly data: string;
}
/** One case. */
export interface Case {
  readonly name: string;
  readonly operands: readonly Stored[];
  readonly results: readonly Stored[];
}

/** The cases of a family. */
export async function casesOf(family: string): Promise<readonly Case[]> {
  const text = await Deno.readTextFile(new URL(`fixtures/${family}.jsonl`, import.meta.url));
  return text.trim().split("\n").slice(1).map((line) => JSON.parse(line));
}

/** Registers the tests of a family. */
export async function torchSuite(
  family: string,
  cases: Cases,
  options: EngineOptions,
  ...wanted: Need[]
): Promise<void> {
  const text = await Deno.readTextFile(new URL(`fixtures/${family}.jsonl`, import.meta.url));
  const [head, ...lines] = text.trim().split("\n").map((line) => JSON.parse(line));
  Deno.test({
    name: `${family}: as PyTorch ${head.torch} has it, on ${options.device}`,
    ...needs(...wanted),
    async fn(t) {
      deepEqual(
        lines.map(({ name }: Case) => name).toSorted(),
        Object.keys(cases).toSorted(),
        "each case has both sides",
      );
      await using engine = await openEngine(options);
      for (const { name, operands, results } of lines as Case[]) {
        await t.step(name, async () => {
          const [tolerance, run] = cases[name];
          {
            using held = new DisposableStack();
            const given = operands.map((one) => held.use(onto(engine, one)));
            const got = engine.scope(({ keep }) => [run(given, engine)].flat().map((one) => keep(one as Tensor)));
            for (const one of got) held.use(one);
            equal(got.length, results.length, "as many results");
            for (const [i, one] of got.entries()) {
              equal(one.dtype, results[i].dtype, `result ${i} has its type`);
              await near(one, arrayOf(results[i]), tolerance, `result ${i}`);
            }
          }
          deepEqual(engine.tensors(), [], "every tensor was disposed of");
        });
      }
    },
  });
}

/** A tensor of an array. */
export function onto(engine: Engine, stored: Stored): Tensor {
  return engine.tensor(arrayOf(stored).data as Float32Array, { shape: stored.shape, dtype: stored.dtype as DType });
}

/** The elements of an array. */
export function arrayOf({ dtype, shape, data }: Stored): NumpyArray {
  const bytes = Uint8Array.fromBase64(data);
  const array = dtype === "f32"
    ? new Float32Array(bytes.buffer)
    : dtype === "i32"
    ? new Int32Array(bytes.buffer)
    : bytes;
  return { data: array, shape };
}
