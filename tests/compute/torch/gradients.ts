/**
 * Gradients of all cases beside those of PyTorch's autograd (make_gradients.py wrote them down), and in float64 beside differences.
 *
 * @module
 */
import { deepEqual, ok } from "node:assert/strict";
import * as c from "@alknet/compute";
import { type Need, needs } from "../../support/programs.ts";
import { near, type ToleranceClass } from "../numpy.ts";
import { ELEMENTS } from "./elements.ts";
import { FOLDING } from "./folding.ts";
import { INDEXING } from "./indexing.ts";
import { LAYERS } from "./layers.ts";
import { SHAPES } from "./shapes.ts";
import { arrayOf, type Case, type Cases, casesOf, onto, type Stored } from "./suite.ts";

/** The cases of each family. */
export const FAMILIES: Readonly<Record<string, Cases>> = {
  elements: ELEMENTS,
  shapes: SHAPES,
  folding: FOLDING,
  indexing: INDEXING,
  layers: LAYERS,
};

/** Elements of gradients that ops.md defines where PyTorch has NaN or another end, by their place. */
const OTHERWISE: Readonly<Record<string, Readonly<Record<number, number>>>> = {
  digamma: { 1: Infinity },
  cbrt: { 3: Infinity },
  "hypot large": { 2: 0 },
  logaddexp: { 0: 0 },
  logaddexp2: { 0: 0 },
  "logsumexp ends": { 0: 0, 1: 0 },
};
/** Exponents of a difference of large numbers, of which f32 keeps few digits. */
const WIDE: readonly string[] = ["logcumsumexp ends"];

interface Gradients {
  readonly family: string;
  readonly name: string;
  readonly gradients: readonly (Stored | null)[] | null;
}

/** What each result is weighed by: numbers that follow from its place. */
function weight(like: c.Tensor, number: number): c.Tensor {
  const values = Float32Array.from({ length: like.size }, (_, i) => ((i * 7 + number * 3) % 11 - 5) / 4 + 0.125);
  return like.runner.tensor(values, { shape: like.shape });
}

/** Registers the tests of a family. */
export async function gradientSuite(family: string, options: c.EngineOptions, ...wanted: Need[]): Promise<void> {
  const text = await Deno.readTextFile(new URL("fixtures/gradients.jsonl", import.meta.url));
  const [head, ...lines] = text.trim().split("\n").map((line) => JSON.parse(line));
  const stored = await casesOf(family);
  Deno.test({
    name: `${family}: gradients as PyTorch ${head.torch} has them, on ${options.device}`,
    ...needs(...wanted),
    async fn(t) {
      const known = (lines as Gradients[]).filter((one) => one.family === family);
      deepEqual(known.map(({ name }) => name), stored.map(({ name }) => name), "each case has gradients");
      await using engine = await c.openEngine(options);
      for (const [i, one] of stored.entries()) {
        const { gradients } = known[i];
        if (gradients === null || gradients.every((gradient) => gradient === null)) continue;
        await t.step(one.name, () => compared(engine, family, one, gradients));
      }
    },
  });
}

async function compared(
  engine: c.Engine,
  family: string,
  { name, operands }: Case,
  gradients: readonly (Stored | null)[],
): Promise<void> {
  const [tolerance, run] = FAMILIES[family][name];
  {
    using held = new DisposableStack();
    const given = operands.map((one) => held.use(onto(engine, one)));
    for (const one of given) if (one.dtype === "f32") one.requiresGrad = true;
    engine.scope(() => {
      const results = [run(given, engine)].flat() as c.Tensor[];
      const parts = results.flatMap((one, i) => one.requiresGrad ? [c.sum(c.mul(one, weight(one, i)))] : []);
      ok(parts.length > 0, "a result was recorded");
      parts.reduce((a, b) => c.add(a, b)).backward();
    });
    for (const [i, one] of gradients.entries()) {
      if (one === null) continue;
      const wanted = arrayOf(one);
      for (const [place, value] of Object.entries(OTHERWISE[name] ?? {})) wanted.data[Number(place)] = value;
      const { grad } = given[i];
      // What takes no part gets zeros there and nothing here.
      if (!grad) deepEqual(new Set(wanted.data), new Set([0]), `operand ${i} has a gradient`);
      else await near(grad, wanted, WIDE.includes(name) ? "P" : looser(tolerance), `gradient of operand ${i}`);
    }
  }
  deepEqual(engine.tensors(), [], "every tensor was disposed of");
}

/** Gradients are products of several functions: a class further than their row's. */
function looser(tolerance: ToleranceClass): ToleranceClass {
  return ["E", "R", "D", "A", "L", "S", "M"].includes(tolerance)
    ? "T"
    : tolerance === "T" || tolerance === "G"
    ? "P"
    : tolerance;
}
