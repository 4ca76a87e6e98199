/**
 * What PyTorch gave for modules, optimizers and trainings (make_training.py wrote it down).
 *
 * @module
 */
import type { Stored } from "../torch/suite.ts";

/** A module: what it held, took and gave. */
export interface ModuleCase {
  readonly name: string;
  readonly state: Readonly<Record<string, Stored>>;
  readonly inputs: readonly Stored[];
  readonly results: readonly Stored[];
  readonly gradients: Readonly<Record<string, Stored>>;
  readonly inputGradients: readonly (Stored | null)[];
  readonly buffersAfter: Readonly<Record<string, Stored>>;
}

/** Parameters after 1, 10 and 100 steps of an optimizer; of the problem, its operands. */
export interface OptimizerCase {
  readonly name: string;
  readonly operands?: readonly Stored[];
  readonly after: readonly (readonly Stored[])[];
}

/** The rates of a schedule, step by step. */
export interface ScheduleCase {
  readonly name: string;
  readonly rates: readonly number[];
}

/** The lines of a file and what PyTorch it is of. */
export async function fixture<T>(name: string): Promise<{ torch: string; lines: T[] }> {
  const text = await Deno.readTextFile(new URL(`fixtures/${name}.jsonl`, import.meta.url));
  const [{ torch }, ...lines] = text.trim().split("\n").map((line) => JSON.parse(line));
  return { torch, lines };
}

/** A training: weights, data and losses, as Python's safetensors wrote them. */
export function curveFile(name: "two_layers" | "transformer"): URL {
  return new URL(`fixtures/${name}.safetensors`, import.meta.url);
}
