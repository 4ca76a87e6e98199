/**
 * Checkpoints: all that a training needs to go on as if it had never stopped, in one file.
 *
 * Its tensors are `model.…` under the names of the module, `optimizer.N.…` and `average.…`; steps, options, rates and places of
 * generators are JSON in the metadata, under `alknet.checkpoint`. The file is one of safetensors.
 *
 * @module
 */
import Type, { type Static } from "typebox";
import { Check } from "typebox/value";
import { open, type Openable } from "@alknet/tensor";
import type { Generator } from "../functions/random/random.ts";
import type { AnyModule } from "../nn/module.ts";
import type { MovingAverage } from "../optim/average.ts";
import type { Optimizer } from "../optim/optimizer.ts";
import type { ScheduleValues } from "../optim/schedules.ts";
import { ComputeError } from "../values/errors.ts";
import { type HeldTensor, type SaveOptions, saveState, stateOf } from "./state.ts";

/** What a checkpoint holds. */
export interface Training {
  /** The model; what its dropouts draw from is kept too. */
  readonly model: AnyModule;
  /** Its optimizer. */
  readonly optimizer?: Pick<Optimizer, "stateDict" | "values" | "loadState">;
  /** The schedule of the rates. */
  readonly schedule?: { values(): ScheduleValues; loadState(values: ScheduleValues): void };
  /** The mean of what was learned. */
  readonly average?: MovingAverage;
  /** Other generators, of the order of the data for example. */
  readonly generators?: readonly Generator[];
}

/** Numbers and words of the program's own: how many steps were made, where in the data it is. */
export type CheckpointValues = Readonly<Record<string, string | number | boolean>>;

/** Where the JSON is. */
const KEY = "alknet.checkpoint";
const VERSION = 1;

const Numbers = Type.Record(Type.String(), Type.Number());
const SCHEMA = Type.Object({
  version: Type.Literal(VERSION),
  optimizer: Type.Optional(Type.Object({
    steps: Type.Array(Type.Integer({ minimum: 0 })),
    groups: Type.Array(Type.Record(Type.String(), Type.Union([Type.Number(), Type.Boolean()]))),
  })),
  schedule: Type.Optional(Type.Object({
    step: Type.Integer({ minimum: 0 }),
    numbers: Numbers,
    bases: Type.Array(Type.Number()),
  })),
  generators: Type.Array(Type.Object({
    seed: Type.Integer(),
    stream: Type.Integer(),
    offset: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  })),
  values: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
});
type Head = Static<typeof SCHEMA>;

/**
 * Writes a checkpoint. The one that was there is replaced when the new one is whole; nothing of the training may go on meanwhile.
 *
 * @param values What the program wants back from {@linkcode loadCheckpoint}; numbers are finite.
 * @throws {ComputeError} `E_BUFFER`, `E_DEVICE`, `E_DEVICE_LOST`: the checkpoint before is there then.
 */
export async function saveCheckpoint(
  path: string | URL,
  training: Training,
  values: CheckpointValues = {},
  options: Omit<SaveOptions, "metadata"> = {},
): Promise<void> {
  const { model, optimizer, schedule, average } = training;
  const head: Head = {
    version: VERSION,
    generators: generatorsOf(training).map(({ seed, stream, offset }) => ({ seed, stream, offset })),
    values: { ...values },
    ...optimizer && { optimizer: optimizer.values() as Head["optimizer"] },
    ...schedule && { schedule: schedule.values() as Head["schedule"] },
  };
  if (!Check(SCHEMA, head)) throw new RangeError("a checkpoint takes numbers that are finite, words and booleans");
  const state = new Map([
    ...under("model", model.stateDict()),
    ...under("optimizer", optimizer?.stateDict()),
    ...under("average", average?.stateDict()),
  ]);
  await saveState(path, state, { ...options, metadata: { [KEY]: JSON.stringify(head) } });
}

/**
 * Takes a training up where a checkpoint left it. The parts are made as they were: the same modules, groups, schedule and generators.
 * What follows is what would have followed, bit for bit on the same device. Where it refuses, some parts may have been taken over.
 *
 * @returns The values of the program.
 * @throws {ComputeError} `E_STATE` for a file that is no checkpoint or one of another training, `E_SHAPE`.
 * @throws {TensorError} For what is no file of tensors.
 */
export async function loadCheckpoint(from: Openable, training: Training): Promise<CheckpointValues> {
  using file = await open(from);
  const { tensors, metadata } = stateOf(file);
  const head = headOf(metadata.get(KEY));
  const { model, optimizer, schedule, average } = training;
  for (const part of ["optimizer", "schedule"] as const) {
    if ((head[part] === undefined) !== (training[part] === undefined)) {
      refuse(head[part] ? `it has the state of one more, the ${part}` : `it has no state of the ${part}`);
    }
  }
  const generators = generatorsOf(training);
  if (
    generators.length !== head.generators.length ||
    generators.some(({ seed, stream }, i) => seed !== head.generators[i].seed || stream !== head.generators[i].stream)
  ) refuse(`its ${head.generators.length} generators are not the ${generators.length} of the training`);
  const means = part(tensors, "average");
  if ((means.size > 0) !== (average !== undefined)) refuse("one of the two has a moving average");
  optimizer?.loadState(part(tensors, "optimizer"), head.optimizer!);
  schedule?.loadState(head.schedule!);
  model.loadStateDict(part(tensors, "model"));
  average?.loadState(means);
  generators.forEach((one, i) => one.rewind(head.generators[i].offset));
  return head.values;
}

function headOf(text: string | undefined): Head {
  let head: unknown;
  try {
    head = JSON.parse(text ?? "null");
  } catch {
    // It is refused below.
  }
  if (Check(SCHEMA, head)) return head;
  return refuse(text === undefined ? `its metadata has no ${KEY}` : `its ${KEY} is not of version ${VERSION}`);
}

/** Those of the model, then those of the program, each once. */
function generatorsOf({ model, generators = [] }: Training): Generator[] {
  return [...new Set([...model.generators(), ...generators])];
}

function under<T>(prefix: string, state: ReadonlyMap<string, T> = new Map()): [string, T][] {
  return [...state].map(([name, one]) => [`${prefix}.${name}`, one]);
}

function part(state: ReadonlyMap<string, HeldTensor>, prefix: string): Map<string, HeldTensor> {
  const own = [...state].filter(([name]) => name.startsWith(`${prefix}.`));
  return new Map(own.map(([name, one]) => [name.slice(prefix.length + 1), one]));
}

function refuse(message: string): never {
  throw new ComputeError("E_STATE", "load_checkpoint", `the file is no checkpoint of this training: ${message}`);
}
