/**
 * Every function of the entries has gradients that are checked: as a row, as a case beside PyTorch, or here; or it has none, and is
 * named.
 *
 * @module
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import * as c from "@alknet/compute";
import * as l from "@alknet/compute/layers";
import { FOLDS, MAPS } from "../../../compute/table/table.ts";

type Check = readonly [shapes: readonly (readonly number[])[], run: (...of: c.Tensor[]) => c.Tensor | c.Tensor[]];

const drawing = (): c.Generator => new c.Generator(11);
const mask = (like: c.Tensor): c.Tensor => c.cast(c.gt(like.detach(), 0), "bool");

/** Those that PyTorch has not, that draw, or that are rows by another name. */
const HERE: Readonly<Record<string, Check>> = {
  broadcastTensors: [[[2, 1], [3]], (x, y) => c.broadcastTensors(x, y)],
  cast: [[[5]], (x) => c.cast(x, "f32")],
  contiguousOf: [[[3, 2]], (x) => c.mul(c.contiguousOf(x.transpose()), c.contiguousOf(x).reshape(2, 3))],
  dropout: [[[20]], (x) => c.dropout(x, 0.4, drawing())],
  dropout2d: [[[2, 3, 2, 2]], (x) => c.dropout2d(x, 0.4, drawing())],
  gumbelSoftmax: [[[2, 4]], (x) => c.gumbelSoftmax(x, drawing(), { tau: 0.7 })],
  matmul: [[[2, 3, 4], [4, 5]], (a, b) => c.matmul(a, b)],
  rsub: [[[4], [4]], (x, y) => c.rsub(x, y)],
  maskedSoftmax: [[[2, 4]], (x) => l.maskedSoftmax(x, mask(x), 1)],
  rotaryEmbedding: [[[2, 3, 4]], (x) => l.rotaryEmbedding(x, { offset: 2 })],
  vdot: [[[4], [4]], (x, y) => l.vdot(x, y)],
  weightNorm: [[[3, 4], [3, 1]], (v, g) => l.weightNorm(v, g)],
  nansum: [[[5]], (x) => c.nansum(x)],
  multiHeadWeights: [
    [[1, 2, 4], [1, 3, 4], [12, 4], [12]],
    (q, k, input, inputBias) => l.multiHeadWeights(q, k, 2, { input, inputBias }),
  ],
  multilabelSoftMarginLoss: [[[2, 3], [2, 3], [3]], (x, y, weight) => l.multilabelSoftMarginLoss(x, y, { weight })],
};

/** Results that are no floats, or tensors that were made from none. */
const NONE: readonly string[] = [
  ..."argsort bernoulli bitcast bincount countNonzero all any eq ge gt le lt ne isclose nonzero unique multinomial"
    .split(" "),
  ..."randint randn rand randperm randomBits cauchy exponential geometric logNormal fullLike onesLike zerosLike".split(
    " ",
  ),
  ..."alibiBias causalMask sinusoidalPositions".split(" "),
];
/** What is no function of tensors. */
const TOOLS: readonly string[] = [
  ..."AlknetError ComputeError Engine Generator Tensor openEngine measure".split(" "),
  ..."checkpoint enableGrad grad gradcheck gradgradcheck inferenceMode noGrad maskedSelect".split(" "),
];

function row(name: string): boolean {
  const snake = name.replace(/[A-Z]/g, (one) => `_${one.toLowerCase()}`);
  return MAPS.has(snake) || FOLDS.has(snake);
}

Deno.test("each function is a row, a case beside PyTorch, checked here, or has no gradient", async () => {
  let text = "";
  for (const family of ["elements", "shapes", "folding", "indexing", "layers"]) {
    text += await Deno.readTextFile(new URL(`../torch/${family}.ts`, import.meta.url));
  }
  const known = (name: string): boolean =>
    row(name) || name in HERE || NONE.includes(name) || TOOLS.includes(name) ||
    new RegExp(`\\b[cl]\\.${name}\\b`).test(text);
  const names = [...Object.entries(c), ...Object.entries(l)].flatMap(([name, one]) =>
    typeof one === "function" ? [name] : []
  );
  ok(names.length > 200);
  deepEqual(names.filter((name) => !known(name)), []);
});

Deno.test("functions beside the rows and cases send checked gradients, once and again", async (t) => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  for (const [name, [shapes, run]] of Object.entries(HERE)) {
    await t.step(name, async () => {
      using held = new DisposableStack();
      const given = shapes.map((shape, i) => held.use(c.randn(engine, shape, new c.Generator(5 + i))));
      for (const check of [c.gradcheck, c.gradgradcheck]) {
        const report = await check(run, given);
        ok(report.passed, JSON.stringify(report));
      }
    });
  }
});

Deno.test("maskedSelect() waits and still sends; a hard gumbelSoftmax() sends what the soft one does", async () => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  using x = engine.tensor([[1, -2], [3, 4]]);
  x.requiresGrad = true;
  using chosen = c.gt(x, 0);
  {
    using picked = await c.maskedSelect(x, chosen);
    using total = engine.scope(({ keep }) => keep(c.sum(c.square(picked))));
    total.backward();
  }
  deepEqual([...await x.grad!.read()], [2, 0, 6, 8]);
  const sent: number[][] = [];
  for (const hard of [false, true]) {
    x.clearGrad();
    engine.scope(() => c.sum(c.mul(c.gumbelSoftmax(x, drawing(), { hard }), engine.tensor([1, 2]))).backward());
    sent.push([...await x.grad!.read()]);
  }
  deepEqual(sent[0], sent[1]);
  ok(sent[0].some((one) => one !== 0));
  using none = c.dropout(x, 1, drawing());
  equal(none.dtype, "f32");
  deepEqual([...await none.read()], [0, 0, 0, 0]);
});
