/**
 * Rates from step to step, beside PyTorch's; states of schedules; gradients that are cut; means of what was learned (compute.md §13).
 *
 * @module
 */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import * as c from "@alknet/compute";
import * as o from "@alknet/compute/optim";
import { fixture, type ScheduleCase } from "./fixtures.ts";
import { SCHEDULES } from "./optimizers.ts";

const { torch, lines } = await fixture<ScheduleCase>("schedules");

/** An optimizer of one parameter. */
function bare(engine: c.Engine, lr = 0.5): o.SGD & Disposable {
  const x = engine.zeros([1]);
  x.requiresGrad = true;
  return new o.SGD([x], { lr });
}

Deno.test(`schedules: rates as PyTorch ${torch} has them`, async (t) => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  deepEqual(lines.map(({ name }) => name), [...Object.keys(SCHEDULES), "plateau"], "each case has both sides");
  for (const { name, rates } of lines) {
    await t.step(name, () => {
      const optimizer = bare(engine);
      const schedule = SCHEDULES[name]
        ? new o.Schedule(optimizer, SCHEDULES[name])
        : new o.Plateau(optimizer, { factor: 0.5, patience: 3, cooldown: 2, least: 0.05 });
      for (const [step, rate] of rates.entries()) {
        const got = optimizer.groups[0].options.lr;
        ok(Math.abs(got - rate) <= 1e-9 + 1e-7 * rate, `step ${step}: ${got}, not ${rate}`);
        if (schedule instanceof o.Plateau) schedule.step(Math.abs(step - 12) / 4);
        else schedule.step();
      }
    });
  }
});

Deno.test("Schedule: a state goes on where another was, group by group; that of other groups is refused", async () => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  const [a, b] = [1, 2].map(() => {
    const x = engine.zeros([1]);
    x.requiresGrad = true;
    return x;
  });
  const groups = (): o.SGD => new o.SGD([{ params: [a] }, { params: [b], lr: 3 }], { lr: 1 });
  const rules = [o.exponentialRule(0.5), o.linearRule(4, 0)];
  const schedule = new o.Schedule(groups(), rules);
  deepEqual(schedule.rates, [1, 0]);
  schedule.step();
  const again = new o.Schedule(groups(), rules);
  again.loadState(JSON.parse(JSON.stringify(schedule.values())));
  deepEqual(again.rates, [0.5, 0.75]);
  schedule.step();
  again.step();
  deepEqual(again.rates, schedule.rates);
  for (const bases of [[1], [1, -1], [1, Infinity]]) {
    throws(() => again.loadState({ step: 1, bases, numbers: {} }), { code: "E_STATE" });
  }
  throws(() => new o.Schedule(groups(), [rules[0]]), RangeError);
  const [one, other] = [bare(engine), bare(engine)];
  const [plateau, later] = [one, other].map((each) => new o.Plateau(each, { patience: 1 }));
  for (const value of [3, 3]) plateau.step(value);
  later.loadState(JSON.parse(JSON.stringify(plateau.values())));
  for (const each of [plateau, later]) each.step(3);
  deepEqual([one, other].map(({ groups }) => groups[0].options.lr), [0.05, 0.05]);
  throws(() => later.loadState({ step: 1, bases: [], numbers: {} }), { code: "E_STATE" });
});

Deno.test("clipGradNorm(), clipGradValue(): gradients of all parameters are cut, and the norm before is given", async () => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  using x = engine.tensor([3, 0]);
  using y = engine.tensor([[4]]);
  using idle = engine.tensor([1]);
  const params = [x, y, idle];
  for (const one of params) one.requiresGrad = true;
  throws(() => o.clipGradNorm(params, 1), RangeError);
  const back = (): void => {
    for (const one of params) one.clearGrad();
    engine.scope(() => c.mul(c.add(c.sum(c.square(x)), c.sum(c.square(y))), 0.5).backward());
  };
  const grads = async (): Promise<number[]> => [...await x.grad!.read(), ...await y.grad!.read()].map(Number);
  const cases: [number, number, number, number[]][] = [
    [2, 1, 5, [0.6, 0, 0.8]],
    [2, 10, 5, [3, 0, 4]],
    [1, 3.5, 7, [1.5, 0, 2]],
    [Infinity, 1, 4, [0.75, 0, 1]],
  ];
  for (const [p, most, before, after] of cases) {
    back();
    using norm = o.clipGradNorm(params, most, { p });
    ok(Math.abs(Number((await norm.read())[0]) - before) < 1e-5, `norm ${p}`);
    const got = await grads();
    ok(got.every((one, i) => Math.abs(one - after[i]) < 1e-5), `norm ${p}: ${got}`);
  }
  back();
  o.clipGradValue(params, 3.5);
  deepEqual(await grads(), [3, 0, 3.5]);
  equal(idle.grad, undefined);
  throws(() => o.clipGradValue(params, -1), RangeError);
});

Deno.test("MovingAverage: follows the parameters slowly, and its state goes on", async () => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  {
    using x = engine.tensor([1, 2]);
    using average = new o.MovingAverage(new Map([["x", x]]), 0.75);
    x.write([5, 6]);
    average.step();
    deepEqual([...await average.stateDict().get("x")!.read()], [2, 3]);
    average.loadState(new Map([["x", { shape: [2], data: new Float32Array([1, 2]) }]]));
    average.step();
    deepEqual([...await average.stateDict().get("x")!.read()], [2, 3]);
    throws(() => average.loadState(new Map()), { code: "E_STATE" });
  }
  deepEqual(engine.tensors(), []);
});

Deno.test("optimizers: what is no parameter and no option is refused; one without a gradient stays", async () => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  using x = engine.tensor([1]);
  throws(() => new o.SGD([x]), /no leaf/);
  x.requiresGrad = true;
  throws(() => new o.SGD([]), /there are none/);
  throws(() => new o.SGD([x, x]), /twice/);
  using made = c.mul(x, 2);
  throws(() => new o.SGD([made]), /no leaf/);
  for (const options of [{ lr: -1 }, { lr: NaN }, { beta1: 1 }, { eps: -1 }, { weightDecay: -0.1 }]) {
    throws(() => new o.Adam([x], options), RangeError);
  }
  throws(() => new o.SGD([x], { nesterov: true }), /nesterov/);
  using optimizer = new o.AdamW([x]);
  optimizer.step();
  deepEqual([[...await x.read()], optimizer.values().steps], [[1], [0]]);
  const { steps, groups } = optimizer.values();
  const tensors = optimizer.stateDict();
  throws(() => optimizer.loadState(new Map(), { steps, groups }), { code: "E_STATE" });
  throws(() => optimizer.loadState(tensors, { steps: [1, 2], groups }), { code: "E_STATE" });
  throws(() => optimizer.loadState(tensors, { steps: [-1], groups }), { code: "E_STATE" });
  const changes: Record<string, number>[] = [{ lr: -1 }, { lr: Infinity }, { beta1: 1 }];
  for (const wrong of [{ lr: 1 }, ...changes.map((one) => ({ ...groups[0], ...one }))]) {
    throws(() => optimizer.loadState(tensors, { steps, groups: [wrong] }), { code: "E_STATE" });
  }
  const other = { shape: [2], data: new Float32Array(2) };
  throws(() => optimizer.loadState(new Map([...tensors.keys()].map((key) => [key, other])), { steps, groups }), {
    code: "E_SHAPE",
  });
});

Deno.test("NAdam: it goes on from any step at once, with what its momenta have come to", async () => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  using x = engine.tensor([1]);
  x.requiresGrad = true;
  using optimizer = new o.NAdam([x], { lr: 1 });
  const { groups } = optimizer.values();
  optimizer.loadState(optimizer.stateDict(), { steps: [Number.MAX_SAFE_INTEGER - 2], groups });
  engine.scope(() => c.sum(x).backward());
  optimizer.step();
  // Its momentum is 0.9 by then: 0.1 of the gradient and 0.9 of a mean of 0.1, over √0.001.
  const [got] = await x.read();
  ok(Math.abs(got - (1 - 0.19 / Math.sqrt(0.001))) < 1e-4, `${got}`);
});

Deno.test("Optimizer.step(): between a forward and its backward it is refused, since a gradient needs the parameters", async () => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  using x = engine.tensor([2]);
  x.requiresGrad = true;
  using optimizer = new o.SGD([x], { lr: 1 });
  engine.scope(() => {
    c.sum(c.square(x)).backward();
    const loss = c.sum(c.square(x));
    throws(() => optimizer.step(), { code: "E_VERSION" });
    loss.backward();
  });
  optimizer.step();
  deepEqual([...await x.read()], [-6]);
});
