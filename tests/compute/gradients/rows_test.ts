/**
 * Every row of the table has a gradient that is checked in float64, once and again, or is declared to have none (ops.md §2 to §5,
 * the gradient columns; §16, items 5 and 6).
 *
 * @module
 */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import * as c from "@alknet/compute";
import * as l from "@alknet/compute/layers";
import { FOLD_GRADIENTS } from "../../../compute/tensors/autograd/folds.ts";
import { FOLDS, MAPS } from "../../../compute/table/table.ts";

const ANY = [-2.3, -1.4, -0.7, -0.2, 0.15, 0.6, 1.3, 2.2];
const POSITIVE = [0.2, 0.5, 0.9, 1.3, 2.6, 4.5, 0.7, 3.1];
const UNIT = [-0.9, -0.6, -0.3, -0.05, 0.1, 0.45, 0.7, 0.92];
const SHARE = [0.04, 0.2, 0.35, 0.5, 0.61, 0.77, 0.9, 0.97];
const OTHER = [0.8, -1.7, 0.4, 2.9, -0.5, 1.9, -2.1, 0.3];

/** Where rows are looked at, which are defined there and have no kink within ten steps; the others everywhere. */
const POINTS: Readonly<Record<string, readonly (readonly number[] | number)[]>> = {
  sqrt: [POSITIVE],
  rsqrt: [POSITIVE],
  log: [POSITIVE],
  log2: [POSITIVE],
  log10: [POSITIVE],
  log1p: [POSITIVE],
  acosh: [POSITIVE.map((one) => one + 1)],
  asin: [UNIT],
  acos: [UNIT],
  atanh: [UNIT],
  erfinv: [UNIT],
  logit: [SHARE],
  logit_within: [SHARE, 0.15],
  lgamma: [[-2.6, -1.4, -0.3, 0.4, 1.3, 2, 2.7, 6.1]],
  digamma: [[-2.6, -1.4, -0.3, 0.4, 1.3, 2, 2.7, 6.1]],
  nan_to_num: [ANY, 0, 1, -1],
  leaky_relu: [ANY, OTHER],
  elu: [ANY, 0.7],
  celu: [ANY, 0.7],
  hardtanh: [ANY, -1, 1],
  softplus: [ANY, 1.5, 20],
  softshrink: [ANY, 0.5],
  hardshrink: [ANY, 0.5],
  threshold: [ANY, 0.1, 20],
  pow: [POSITIVE, OTHER],
  float_power: [POSITIVE, OTHER],
  ldexp: [ANY, OTHER],
  xlogy: [ANY, POSITIVE],
  xlog1py: [ANY, POSITIVE],
  fmod: [[5.3, -4.7, 3.1, 2.5, -6.3, 7.2, 1.1, -2.2], [2.1, 1.7, -1.3, 0.9, 2.3, -3.3, 0.7, 1.5]],
  remainder: [[5.3, -4.7, 3.1, 2.5, -6.3, 7.2, 1.1, -2.2], [2.1, 1.7, -1.3, 0.9, 2.3, -3.3, 0.7, 1.5]],
  clamp: [ANY, [-1, -1, -1, -1, -1, -1, -1, -1], [1, 1, 1, 1, 1, 1, 1, 1]],
  addcdiv: [ANY, OTHER, POSITIVE],
  where: [1, ANY, OTHER],
  isclose: [ANY, OTHER, 0.1, 0.1],
};
/** Rows whose first operand is a bool. */
const TESTED = ["where"];

function pointsOf(name: string, arity: number): readonly (readonly number[] | number)[] {
  return POINTS[name] ?? [ANY, OTHER, POSITIVE].slice(0, arity);
}

async function withRow(
  name: string,
  run: (engine: c.Engine, tensors: c.Tensor[], row: (...of: c.Tensor[]) => c.Tensor) => Promise<void>,
): Promise<void> {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  using held = new DisposableStack();
  const points = pointsOf(name, MAPS.get(name)!.arity);
  const at: number[] = [];
  const tensors = points.flatMap((one, i) => {
    if (typeof one === "number" && !TESTED.includes(name)) return [];
    at.push(i);
    const list = typeof one === "number" ? ANY.map((_, place) => place % 3 === 0 ? 0 : 1) : one;
    return [held.use(engine.tensor([...list], { dtype: typeof one === "number" ? "bool" : "f32" }))];
  });
  await run(
    engine,
    tensors,
    (...of) => of[0].runner.map(name, points.map((one, i) => at.includes(i) ? of[at.indexOf(i)] : one as number)),
  );
}

Deno.test("each row that maps elements sends a checked gradient, zeros, or is declared to send none", async (t) => {
  for (const [name, { dtypes, gradients, lift }] of MAPS) {
    await t.step(name, async () => {
      ok(gradients !== undefined, "its gradients are declared");
      if (!dtypes.includes("f32") && !lift) return void equal(gradients, "none", "integers have no gradients");
      await withRow(name, async (_, tensors, row) => {
        using result = row(...tensors);
        if (gradients === "none") return void equal(result.dtype, "bool", "what has no gradient is no float");
        equal(result.dtype, "f32");
        if (gradients === "zero") {
          for (const one of tensors) one.requiresGrad = true;
          using again = row(...tensors);
          again.backward(again.detach());
          for (const one of tensors) deepEqual(new Set(await one.grad!.read()), new Set([0]));
          return;
        }
        const first = await c.gradcheck(row, tensors);
        ok(first.passed && first.compared >= 8, JSON.stringify(first));
        const second = await c.gradgradcheck(row, tensors);
        ok(second.passed, `of the gradient: ${JSON.stringify(second)}`);
      });
    });
  }
});

Deno.test("each row that folds elements sends a checked gradient, or its result is no float", async (t) => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  using x = engine.tensor([[0.5, -1.5, 2.25], [3.5, 0.25, -0.75]]);
  using zero = engine.tensor([[2, 0, 3], [0, 0, 3], [1, 2, 3]]);
  for (const [name, { dtypes }] of FOLDS) {
    await t.step(name, async () => {
      using whole = engine.reduce(name, x);
      if (whole.dtype !== "f32") return void equal(FOLD_GRADIENTS[name], undefined);
      ok(dtypes.includes("f32"));
      for (const options of [{}, { dim: 1 }, { dim: 0, keepdim: true }, { dim: [0, 1] }]) {
        const fold = (one: c.Tensor): c.Tensor => one.runner.reduce(name, one, options);
        for (const check of [c.gradcheck, c.gradgradcheck]) {
          const report = await check(fold, [x]);
          ok(report.passed, JSON.stringify({ options, report }));
        }
      }
      if (name !== "prod") return;
      // With no zero, one, or several (row 115).
      const report = await c.gradcheck((one) => one.runner.reduce(name, one, { dim: 1 }), [zero]);
      ok(report.passed, JSON.stringify(report));
    });
  }
});

Deno.test("gradcheck() finds a gradient that is wrong, or missing, and says where", async () => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  using x = engine.tensor([1, 2, 3]);
  const wrong = (slope: number) => (one: c.Tensor): c.Tensor =>
    one.runner.withGradient("own", [one], () => c.square(one), [0], (g, [x]) => [c.mul(g, c.mul(x, slope))]);
  equal((await c.gradcheck(wrong(2), [x])).passed, true);
  const report = await c.gradcheck(wrong(2.01), [x]);
  equal(report.passed, false);
  deepEqual(report.misses.map(({ input, element }) => [input, element]), [[0, 0], [0, 1], [0, 2]]);
  ok(report.worst > 1 && report.compared === 3);
  equal((await c.gradcheck((one) => c.square(one.detach()), [x])).passed, false, "no gradient at all");
  equal((await c.gradgradcheck(wrong(2), [x])).passed, true);
  const half = (one: c.Tensor): c.Tensor =>
    one.runner.withGradient("own", [one], () => c.square(one), [0], (g, [x]) => [c.mul(g, c.mul(x.detach(), 2))]);
  equal((await c.gradgradcheck(half, [x])).passed, false, "a gradient whose own is missing");
  using many = engine.tensor(Float32Array.from({ length: 200 }, (_, i) => Math.sin(i)));
  equal((await c.gradcheck(c.square, [many])).compared, 8, "large inputs go by directions");
  equal((await c.gradcheck((one) => c.mul(one, c.cast(c.gt(c.sum(one), 0), "f32")), [many])).passed, true);
});

Deno.test("kinks send what ops.md gives them", async () => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  const cases: readonly (readonly [string, (x: c.Tensor) => c.Tensor, number[], number[]])[] = [
    ["abs at 0", c.abs, [0], [0]],
    ["relu at 0 and NaN", c.relu, [0, NaN], [0, 1]],
    ["relu6 at its ends", c.relu6, [0, 6], [0, 0]],
    ["leaky_relu at 0", (x) => c.leakyRelu(x, 0.25), [0], [0.25]],
    ["elu at 0", c.elu, [0], [1]],
    ["hardsigmoid at its ends", c.hardsigmoid, [-3, 3], [0, 0]],
    ["hardtanh at its ends", (x) => c.hardtanh(x, -1, 1), [-1, 1], [0, 0]],
    ["hardswish at its ends", c.hardswish, [-3, 3], [0, 1]],
    ["clamp at its ends and NaN", (x) => c.clamp(x, -1, 1), [-1, 1, NaN], [1, 1, 0]],
    ["maximum of equals", (x) => c.maximum(x, 2), [1, 2, 3], [0, 0.5, 1]],
    ["hypot of 0", (x) => c.hypot(x, 0), [0], [0]],
    ["sqrt of 0", c.sqrt, [0], [Infinity]],
    ["amax of equals", (x) => c.amax(x), [3, 1, 3, 3], [1 / 3, 0, 1 / 3, 1 / 3]],
    ["max along a dim of equals", (x) => c.maxAlong(x, 0)[0], [3, 1, 3], [1, 0, 0]],
    ["norm of 0", (x) => c.norm(x), [0, 0], [0, 0]],
    ["std of equals", (x) => c.std(x), [2, 2, 2], [0, 0, 0]],
    ["lp_pool of 0", (x) => l.lpPool(x.reshape(1, 1, 4), 2, [2]), [0, 0, 3, 4], [0, 0, 0.6, 0.8]],
    ["cumprod with a 0", (x) => c.cumprod(x, 0), [2, 0, 3], [1, 8, 0]],
    ["logsumexp of −∞", (x) => c.logsumexp(x), [-Infinity, -Infinity], [0, 0]],
  ];
  for (const [title, run, at, wanted] of cases) {
    using x = engine.tensor(at);
    x.requiresGrad = true;
    engine.scope(() => c.sum(run(x)).backward());
    const got = [...await x.grad!.read()];
    ok(got.every((one, i) => one === wanted[i] || Math.abs(one - wanted[i]) < 1e-6), `${title}: ${got}, not ${wanted}`);
  }
  using whole = engine.tensor([1, 2], { dtype: "i32" });
  throws(() => whole.requiresGrad = true, { code: "E_DTYPE" });
});
