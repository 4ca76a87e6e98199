/**
 * States and checkpoints in files: beside Python's safetensors, what is shared, what is refused, what goes on (compute.md §12, §14, §15).
 *
 * @module
 */
import { deepEqual, equal, notDeepEqual, ok, rejects, throws } from "node:assert/strict";
import * as c from "@alknet/compute";
import { mseLoss } from "@alknet/compute/layers";
import * as nn from "@alknet/compute/nn";
import { Adam, cosineRule, MovingAverage, Schedule, SGD } from "@alknet/compute/optim";
import {
  heldState,
  loadCheckpoint,
  loadInto,
  loadState,
  saveCheckpoint,
  saveState,
  type Training,
} from "@alknet/compute/saving";
import { encode, encodeBf16, encodeF16, open, TensorError } from "@alknet/tensor";
import { needs } from "../../support/programs.ts";
import { startPeer } from "../../support/python.ts";
import { seeded } from "../../support/random.ts";
import { temporaryFolder } from "../../support/temp.ts";
import "../../tensor/mapping.ts";

const MUTATIONS = 400;

const numbers = async (x: c.Tensor): Promise<number[]> => [...await x.read()].map(Number);

/** A norm that counts its batches, behind a layer. */
const normed = (init: nn.Init): nn.Sequential =>
  new nn.Sequential(
    new nn.Linear(init, 3, 4),
    new nn.BatchNorm1d(init, 4),
    new nn.Dropout(init, 0.3),
    new nn.Linear(init, 4, 1),
  );

Deno.test({
  name: "saveState(), saveCheckpoint(): Python safetensors opens what they write, names, types and values",
  ...needs("python"),
  async fn() {
    await using folder = await temporaryFolder();
    await using peer = startPeer("safetensors_peer.py");
    await using engine = await c.openEngine({ device: "cpu", threads: 1 });
    const init = { engine, generator: new c.Generator(1) };
    using model = normed(init);
    using optimizer = new Adam(model.parameters());
    const [state, checkpoint] = ["state.safetensors", "checkpoint.safetensors"].map((name) => folder.join(name));
    await saveState(state, model.stateDict(), { metadata: { made: "ü" } });
    await saveCheckpoint(checkpoint, { model: model, optimizer });
    const theirs = await peer.ask<{ tensors: Record<string, unknown[]>; metadata: unknown }>({
      do: "read",
      path: state,
    });
    deepEqual(Object.keys(theirs.tensors).sort(), [
      "0.bias",
      "0.weight",
      "1.bias",
      "1.num_batches_tracked",
      "1.running_mean",
      "1.running_var",
      "1.weight",
      "3.bias",
      "3.weight",
    ]);
    using file = await open(state, { mode: "strict" });
    deepEqual([...file.array("0.weight") as Float32Array], await numbers(model.stateDict().get("0.weight")!));
    const whole = await peer.ask<{ tensors: Record<string, unknown[]> }>({ do: "read", path: checkpoint });
    ok("optimizer.0.exp_avg" in whole.tensors && "model.0.weight" in whole.tensors);
  },
});

Deno.test("saveState(), loadState(): a tensor with two names is written once, as save_model does, and has both again", async () => {
  await using folder = await temporaryFolder();
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  using x = engine.tensor([[1, 2]]);
  using flags = engine.tensor([true, false]);
  using none = engine.tensor([], { shape: [0, 3] });
  using count = engine.tensor([7], { dtype: "u32" });
  const state = new Map<string, c.Tensor>([["a.w", x], ["b.w", x], ["flags", flags], ["none", none], ["count", count]]);
  const path = folder.join("shared.safetensors");
  await saveState(path, state, { metadata: { note: "two names" } });
  {
    using file = await open(path);
    deepEqual(file.names().sort(), ["a.w", "count", "flags", "none"]);
    equal(file.metadata.get("b.w"), "a.w");
  }
  const { tensors, metadata } = await loadState(path);
  deepEqual([...tensors.keys()].sort(), ["a.w", "b.w", "count", "flags", "none"]);
  deepEqual([...tensors.get("b.w")!.data].map(Number), [1, 2]);
  deepEqual([...tensors.get("flags")!.data].map(Number), [1, 0]);
  equal(metadata.get("note"), "two names");
  const wrong: Record<string, string>[] = [{ "a.w": "x" }, { x: "a.w" }];
  for (const metadata of wrong) await rejects(saveState(path, state, { metadata }), RangeError);
});

Deno.test("loadState(), loadInto(): halves, doubles and 64-bit integers are taken up; what does not fit is refused", async () => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  const init = { engine, generator: new c.Generator(1) };
  using model = new nn.BatchNorm1d(init, 2);
  const values = new Float32Array([1.5, -2]);
  const file = (count: bigint): Uint8Array<ArrayBuffer> =>
    encode({
      weight: { dtype: "F16", shape: [2], data: encodeF16(values) },
      bias: { dtype: "BF16", shape: [2], data: encodeBf16(values) },
      running_mean: { dtype: "F64", shape: [2], data: Float64Array.from(values) },
      running_var: { dtype: "F32", shape: [2], data: values },
      num_batches_tracked: { dtype: "I64", shape: [], data: new BigInt64Array([count]) },
    });
  model.loadStateDict((await loadState(file(12n))).tensors);
  for (const [name, tensor] of model.stateDict()) {
    deepEqual(await numbers(tensor), name === "num_batches_tracked" ? [12] : [1.5, -2], name);
  }
  using other = new nn.BatchNorm1d(init, 2);
  deepEqual(await loadInto(other, file(12n)), { missing: [], unexpected: [] });
  for (const [name, tensor] of other.stateDict()) {
    deepEqual(await numbers(tensor), await numbers(model.stateDict().get(name)!));
  }
  const part = encode({ weight: { dtype: "F32", shape: [2], data: values } });
  await rejects(loadInto(other, part), { code: "E_STATE" });
  equal((await loadInto(other, part, { strict: false })).missing.length, 4);
  const large = await loadState(file(2n ** 40n));
  throws(() => model.loadStateDict(large.tensors), { code: "E_VALUE" });
  const odd = encode({ x: { dtype: "F8_E4M3", shape: [1], data: new Uint8Array(1) } });
  await rejects(loadState(odd), { code: "E_DTYPE" });
  await rejects(loadInto(other, odd), { code: "E_DTYPE" });
  await rejects(loadState(new Uint8Array([1, 2, 3])), TensorError);
});

Deno.test("heldState(): a module of another engine takes it over, and the best so far is taken back", async () => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  await using reference = await c.openEngine({ device: "reference" });
  const made = (engine: c.Engine): nn.Sequential => normed({ engine, generator: new c.Generator(1) });
  using model = made(engine);
  using other = made(reference);
  using optimizer = new SGD(model.parameters(), { lr: 0.5 });
  const results = async (model: nn.Module, engine: c.Engine): Promise<number[]> => {
    using x = engine.tensor([[1, 2, 3], [-1, 0, 1]]);
    using y = model.eval().call(x);
    return await numbers(y);
  };
  const best = await heldState(model.stateDict());
  other.loadStateDict(best);
  const before = await results(model, engine);
  const there = await results(other, reference);
  ok(before.every((one, i) => Math.abs(one - there[i]) < 1e-5), `${before}, ${there}`);
  using x = engine.ones([4, 3]);
  engine.scope(() => c.sum(model.train().call(x)).backward());
  optimizer.step();
  notDeepEqual(await results(model, engine), before);
  model.loadStateDict(best);
  deepEqual(await results(model, engine), before);
});

/** A training with all that a checkpoint can hold. */
function everything(engine: c.Engine): Training & Disposable & { step(): c.Tensor } {
  using made = new DisposableStack();
  const init = { engine, generator: new c.Generator(1) };
  const model = made.use(normed(init));
  const optimizer = made.use(new Adam(model.parameters(), { lr: 0.05 }));
  const schedule = new Schedule(optimizer, cosineRule(20));
  const average = made.use(new MovingAverage(model.namedParameters(), 0.9));
  const order = new c.Generator(9);
  const held = made.move();
  return {
    model: model,
    optimizer,
    schedule,
    average,
    generators: [order],
    step() {
      optimizer.zeroGrad();
      const loss = engine.scope(({ keep }) => {
        const x = c.randn(engine, [16, 3], order);
        const loss = mseLoss(model.call(x), c.sum(x, { dim: 1, keepdim: true }));
        loss.backward();
        return keep(loss);
      });
      optimizer.step();
      schedule.step();
      average.step();
      return loss;
    },
    [Symbol.dispose]: () => held.dispose(),
  };
}

async function losses(training: { step(): c.Tensor }, count: number): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < count; i++) {
    using loss = training.step();
    all.push(...await numbers(loss));
  }
  return all;
}

Deno.test("loadCheckpoint(): k steps, a checkpoint and k steps are 2k steps, bit for bit: weights, buffers, means, rates, draws", async () => {
  await using folder = await temporaryFolder();
  const path = folder.join("all.safetensors");
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  const state = async ({ model, optimizer, average }: Training): Promise<unknown> =>
    await Promise.all(
      [...model.stateDict(), ...optimizer!.stateDict(), ...average!.stateDict()]
        .map(async ([name, one]) => [name, await numbers(one)]),
    );
  {
    using whole = everything(engine);
    const all = await losses(whole, 12);
    using first = everything(engine);
    await losses(first, 6);
    await saveCheckpoint(path, first, { step: 6, epoch: "first", done: false });
    using second = everything(engine);
    await losses(second, 2);
    deepEqual(await loadCheckpoint(path, second), { step: 6, epoch: "first", done: false });
    deepEqual(await losses(second, 6), all.slice(6));
    deepEqual(await state(second), await state(whole));
  }
  deepEqual(engine.tensors(), []);
});

Deno.test("loadCheckpoint(): one of another training, and what is none, is refused", async () => {
  await using folder = await temporaryFolder();
  const path = folder.join("all.safetensors");
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  using training = everything(engine);
  await saveCheckpoint(path, training);
  const { model, optimizer, schedule, average, generators } = training;
  using others = new SGD(model.parameters());
  for (
    const other of [
      { model, schedule, average, generators },
      { model, optimizer, average, generators },
      { model, optimizer, schedule, generators },
      { model, optimizer, schedule, average },
      { model, optimizer, schedule, average, generators: [new c.Generator(8)] },
      { model, optimizer: others, schedule, average, generators },
    ]
  ) await rejects(loadCheckpoint(path, other), { code: "E_STATE" });
  const bare = await Deno.readFile(path);
  const text = new TextDecoder().decode(bare);
  for (const [from, to] of [['\\"version\\":1', '\\"version\\":2'], ["alknet.checkpoint", "alknet.checkpoinT"]]) {
    ok(text.includes(from));
    const at = text.indexOf(from);
    const changed = bare.slice();
    changed.set(new TextEncoder().encode(to), at);
    await rejects(loadCheckpoint(changed, training), { code: "E_STATE" });
  }
  await rejects(saveCheckpoint(path, training, { loss: NaN }), RangeError);
  deepEqual(await Deno.readFile(path), bare, "what was refused left the file as it was");
  deepEqual([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["all.safetensors"]);
});

Deno.test(`loadCheckpoint(): ${MUTATIONS} mutated files are refused with a code or taken up, and the training steps on`, async () => {
  await using folder = await temporaryFolder();
  const path = folder.join("all.safetensors");
  const random = seeded("checkpoints");
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  using training = everything(engine);
  await losses(training, 2);
  await saveCheckpoint(path, training, { step: 2 });
  const whole = await Deno.readFile(path);
  // One character of the numbers that a checkpoint says: a step, an option, a rate, a place of a generator.
  const text = new TextDecoder("latin1").decode(whole);
  const from = text.indexOf("alknet.checkpoint");
  const to = text.indexOf('}"', from);
  const digits = Array.from({ length: to - from }, (_, i) => from + i).filter((at) => /\d/.test(text[at]));
  ok(digits.length > 30, `${digits.length}`);
  let refused = 0;
  for (let i = 0; i < MUTATIONS; i++) {
    const bytes = whole.slice();
    bytes[digits[random.below(digits.length)]] = "0123456789-.e".charCodeAt(random.below(13));
    try {
      await loadCheckpoint(bytes, training);
    } catch (error) {
      ok(error instanceof c.ComputeError || error instanceof TensorError, `case ${i}: ${error}`);
      refused++;
    }
    training.step().dispose();
  }
  ok(refused > MUTATIONS / 10 && refused < MUTATIONS * 0.9, `${refused}`);
  equal(await loadCheckpoint(path, training).then(({ step }) => step), 2);
});
