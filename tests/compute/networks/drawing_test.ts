/**
 * What modules draw, and what is computed twice (compute.md §7, §12).
 *
 * @module
 */
import { deepEqual, equal, notDeepEqual, ok } from "node:assert/strict";
import * as c from "@alknet/compute";
import * as nn from "@alknet/compute/nn";
import { Transformer } from "../training/trainings.ts";

const numbers = async (x: c.Tensor): Promise<number[]> => [...await x.read()].map(Number);

Deno.test("Dropout: in training a share is 0 and the rest larger in return, another one each time; else it gives what it takes", async () => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  {
    const init = { engine, generator: new c.Generator(1) };
    using x = engine.ones([8, 16, 32]);
    for (const one of [new nn.Dropout(init, 0.25), new nn.Dropout2d(init, 0.25)]) {
      using first = one.call(x);
      using second = one.call(x);
      const values = await numbers(first);
      deepEqual(new Set(values), new Set([0, Math.fround(1 / 0.75)]));
      const share = values.filter((value) => value === 0).length / values.length;
      ok(share > 0.1 && share < 0.4, `${share}`);
      notDeepEqual(await numbers(second), values);
      const channels = Array.from({ length: 128 }, (_, i) => new Set(values.slice(i * 32, i * 32 + 32)).size);
      equal(Math.max(...channels) === 1, one instanceof nn.Dropout2d, "whole channels");
      using plain = one.eval().call(x);
      deepEqual(new Set(await numbers(plain)), new Set([1]));
    }
  }
  deepEqual(engine.tensors(), []);
});

Deno.test("attention: a share of the weights is left out in training, not else", async () => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  const init = { engine, generator: new c.Generator(2) };
  using attention = new nn.MultiheadAttention(init, 8, 2, { dropout: 0.5 });
  using x = c.randn(engine, [2, 6, 8], init.generator);
  using first = attention.call(x, x, x);
  using second = attention.call(x, x, x);
  notDeepEqual(await numbers(first), await numbers(second));
  attention.eval();
  using third = attention.call(x, x, x);
  using fourth = attention.call(x, x, x);
  deepEqual(await numbers(third), await numbers(fourth));
});

Deno.test("checkpointed(): the gradients are those of a plain call, draws included, and less is held", async () => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  const made = async (twice: boolean): Promise<{ grads: number[][]; held: number; buffers: number }> => {
    const init = { engine, generator: new c.Generator(4) };
    using model = new Transformer(init, 12, 16, 8, 0.2);
    using x = engine.tensor(Int32Array.from({ length: 64 }, (_, i) => i * 5 % 12), { shape: [8, 8] });
    const before = engine.stats();
    let during = before;
    engine.scope(() => {
      const y = twice ? nn.checkpointed(model, [x]) : model.call(x);
      during = engine.stats();
      c.sum(c.square(y)).backward();
    });
    const grads = await Promise.all(model.parameters().map((one) => numbers(one.grad!)));
    return { grads, held: during.liveBytes - before.liveBytes, buffers: during.live - before.live };
  };
  const [plain, twice] = [await made(false), await made(true)];
  deepEqual(twice.grads, plain.grads);
  ok(twice.held < plain.held / 10, `${twice.held} bytes, not far fewer than ${plain.held}`);
  equal(twice.buffers, 1, "the output alone");
  deepEqual(engine.tensors(), []);
});

Deno.test("checkpointed(): without gradients it is a plain call", async () => {
  await using engine = await c.openEngine({ device: "cpu", threads: 1 });
  const init = { engine, generator: new c.Generator(4) };
  using model = new nn.Linear(init, 2, 2).requireGrad(false);
  using x = engine.ones([1, 2]);
  using y = nn.checkpointed(model, [x]);
  using z = c.noGrad(() => nn.checkpointed(model.requireGrad(), [x]));
  deepEqual(await numbers(y), await numbers(z));
  ok(!y.requiresGrad && !z.requiresGrad);
});
