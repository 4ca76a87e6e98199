/**
 * Modules: names, states, first values, training and not, what is shared, frozen, seen, computed twice (compute.md §12).
 *
 * @module
 */
import { deepEqual, equal, notEqual, ok, throws } from "node:assert/strict";
import * as c from "@alknet/compute";
import * as nn from "@alknet/compute/nn";
import { SGD } from "@alknet/compute/optim";

/** Registers a test that leaves nothing behind. */
function test(name: string, run: (engine: c.Engine, init: nn.Init) => Promise<void> | void): void {
  Deno.test(name, async () => {
    await using engine = await c.openEngine({ device: "cpu", threads: 1 });
    await run(engine, { engine, generator: new c.Generator(5) });
    deepEqual(engine.tensors(), [], "every tensor was disposed of");
    equal(engine.stats().live, 0);
  });
}

const numbers = async (x: c.Tensor): Promise<number[]> => [...await x.read()].map(Number);

/** Two layers that share one weight, and a scale that is not learned. */
class Tied extends nn.Module {
  readonly first: nn.Linear;
  readonly scale: c.Tensor;

  constructor(init: nn.Init) {
    super();
    this.first = this.child("first", new nn.Linear(init, 2, 2));
    this.parameter("last", this.first.weight);
    this.scale = this.buffer("scale", nn.filled(init.engine, [1], 2));
    this.buffer("cache", nn.filled(init.engine, [1], 0), { persistent: false });
  }

  override forward(x: c.Tensor): c.Tensor {
    return c.mul(c.matmul(this.first.call(x), this.first.weight), this.scale);
  }
}

test("Module.stateDict(), loadStateDict(): all names or none, and of the right shape", async (_, init) => {
  using model = new Tied(init);
  using other = new Tied(init);
  deepEqual([...model.stateDict().keys()], ["last", "scale", "first.weight", "first.bias"]);
  deepEqual([...model.namedParameters().keys()], ["last", "first.bias"]);
  deepEqual(model.loadStateDict(other.stateDict()), { missing: [], unexpected: [] });
  deepEqual(await numbers(model.first.weight), await numbers(other.first.weight));
  const before = await numbers(model.first.weight);
  const zero = { shape: [2, 2], data: new Float32Array(4) };
  throws(
    () => model.loadStateDict({ "first.weight": zero }),
    (error: c.ComputeError) =>
      error.code === "E_STATE" && /3 names are missing \("last", "scale", "first.bias"\)/.test(error.message),
  );
  throws(
    () => model.loadStateDict({ ...Object.fromEntries(other.stateDict()), more: zero }),
    /1 are not known \("more"\)/,
  );
  throws(
    () =>
      model.loadStateDict({ "first.weight": zero, scale: { shape: [2], data: new Float32Array(2) } }, {
        strict: false,
      }),
    { code: "E_SHAPE" },
  );
  deepEqual(await numbers(model.first.weight), before, "nothing was written");
  deepEqual(model.loadStateDict({ "first.weight": zero, more: zero }, { strict: false }), {
    missing: ["last", "scale", "first.bias"],
    unexpected: ["more"],
  });
  deepEqual(await numbers(model.first.weight), [0, 0, 0, 0]);
});

test("Module: a tensor that is shared is one parameter, with the gradient of both uses", (engine, init) => {
  using model = new Tied(init);
  using x = engine.ones([1, 2]);
  engine.scope(() => c.sum(model.call(x)).backward());
  const grad = model.first.weight.grad!;
  ok(grad);
  equal(model.parameters().length, 2);
  model.zeroGrad();
  equal(model.first.weight.grad, undefined);
});

test("Module: names are words, once each; what would hold itself is refused", (_, init) => {
  class Bad extends nn.Module {
    constructor(name: string, child?: nn.AnyModule) {
      super();
      if (child) this.child("same", child);
      this.child(name, new nn.Identity());
    }
    override forward(x: c.Tensor): c.Tensor {
      return x;
    }
    hold(other: nn.AnyModule): void {
      this.child("round", other);
    }
  }
  for (const name of ["", "a.b"]) throws(() => new Bad(name), /no name/);
  throws(() => new Bad("same", new nn.Identity()), /taken/);
  const one = new Bad("one");
  throws(() => one.hold(one), /hold itself/);
  throws(() => one.hold(new nn.Sequential(one)), /hold itself/);
  throws(() => new nn.ModuleList([]).call(), TypeError);
  using list = new nn.ModuleDict({ a: new nn.Linear(init, 1, 1) });
  deepEqual([[...list.stateDict().keys()], list.get("b")], [["a.weight", "a.bias"], undefined]);
  throws(() => list.call(), TypeError);
});

test(
  "Module.call(): hooks see it and may change it; Module.train(), eval() and apply() reach all below",
  async (engine, init) => {
    using model = new nn.Sequential(new nn.Linear(init, 2, 2), new nn.Sequential(new nn.Dropout(init, 0.5), c.relu));
    const visited: string[] = [];
    model.apply((one) => void visited.push(one.constructor.name));
    deepEqual(visited, ["Apply", "Dropout", "Sequential", "Linear", "Sequential"]);
    ok(model.training && model.modules().every((one) => one.training));
    model.eval();
    ok(model.modules().every((one) => !one.training));
    model.children.get("1")!.train();
    ok(!model.training && model.modules().some((one) => one.training));
    using x = engine.ones([1, 2]);
    let seen = 0;
    {
      using _hook = model.onCall(([input], output) => {
        equal(input, x);
        seen++;
        return c.mul(output as c.Tensor, 0);
      });
      using y = model.call(x);
      deepEqual(await numbers(y), [0, 0]);
    }
    model.call(x).dispose();
    equal(seen, 1);
  },
);

test("Module: a frozen part stays as it is, and is learned again", async (engine, init) => {
  using model = new nn.Sequential(new nn.Linear(init, 2, 2), new nn.Linear(init, 2, 1));
  const [frozen, free] = [...model.children.values()] as nn.Linear[];
  using optimizer = new SGD(model.parameters(), { lr: 0.1 });
  using x = engine.ones([4, 2]);
  const step = (): void => {
    optimizer.zeroGrad();
    engine.scope(() => c.sum(c.square(model.call(x))).backward());
    optimizer.step();
  };
  const states = async (): Promise<number[][]> => [await numbers(frozen.weight), await numbers(free.weight)];
  frozen.requireGrad(false);
  const before = await states();
  step();
  const after = await states();
  deepEqual(after[0], before[0]);
  notEqual(`${after[1]}`, `${before[1]}`);
  frozen.requireGrad();
  step();
  notEqual(`${(await states())[0]}`, `${before[0]}`);
});

test("Optimizer.step(): gradients of parts of a batch add up to those of the whole", async (engine, init) => {
  using x = c.randn(engine, [8, 3], init.generator);
  const trained = async (parts: number): Promise<number[]> => {
    using model = new nn.Linear({ engine, generator: new c.Generator(2) }, 3, 2);
    using optimizer = new SGD(model.parameters(), { lr: 0.1, momentum: 0.5 });
    for (let step = 0; step < 3; step++) {
      for (let part = 0; part < parts; part++) {
        engine.scope(() => c.sum(c.square(model.call(c.chunk(x, parts, 0)[part]))).backward());
      }
      optimizer.step();
      optimizer.zeroGrad();
    }
    return await numbers(model.weight);
  };
  const [whole, parts] = [await trained(1), await trained(4)];
  ok(whole.every((one, i) => Math.abs(one - parts[i]) < 1e-5), `${whole}, ${parts}`);
});

test("first values: bounds and spreads are PyTorch's, and follow from the generator", async (engine) => {
  using held = new DisposableStack();
  const made = (seed: number): Record<string, c.Tensor> => {
    const init = { engine, generator: new c.Generator(seed) };
    const attention = held.use(new nn.MultiheadAttention(init, 32, 4));
    return {
      linear: held.use(new nn.Linear(init, 100, 50)).weight,
      convolution: held.use(new nn.Conv2d(init, 8, 16, 5, { groups: 2 })).weight,
      transposed: held.use(new nn.ConvTranspose2d(init, 8, 16, 5)).weight,
      attention: attention.inProjWeight,
      attentionOut: attention.outProj.weight,
      recurrent: held.use(new nn.GRU(init, 20, 64)).namedParameters().get("weight_ih_l0")!,
    };
  };
  const bounds: Record<string, number> = {
    linear: 1 / Math.sqrt(100),
    convolution: 1 / Math.sqrt(4 * 25),
    transposed: 1 / Math.sqrt(16 * 25),
    attention: Math.sqrt(6 / 128),
    attentionOut: 1 / Math.sqrt(32),
    recurrent: 1 / Math.sqrt(64),
  };
  const [one, same, other] = [1, 1, 2].map(made);
  for (const [name, bound] of Object.entries(bounds)) {
    const values = await numbers(one[name]);
    const most = Math.max(...values.map(Math.abs));
    ok(most <= bound && most > 0.98 * bound, `${name}: ${most}, not nearly ${bound}`);
    const spread = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
    ok(Math.abs(spread / (bound / Math.sqrt(3)) - 1) < 0.05, `${name}: spread ${spread}`);
    deepEqual(await numbers(same[name]), values);
    notEqual(`${await numbers(other[name])}`, `${values}`);
  }
  const init = { engine, generator: new c.Generator(1) };
  const table = await numbers(held.use(new nn.Embedding(init, 200, 20, { paddingIndex: -1 })).weight);
  const learned = table.slice(0, -20);
  ok(Math.abs(Math.sqrt(learned.reduce((sum, value) => sum + value * value, 0) / learned.length) - 1) < 0.05);
  deepEqual(table.slice(-20), new Array(20).fill(0));
  throws(() => new nn.Embedding(init, 4, 2, { paddingIndex: 4 }), { code: "E_INDEX" });
  throws(() => new nn.Conv2d(init, 3, 4, 3, { groups: 2 }), { code: "E_SHAPE" });
  throws(() => new nn.MultiheadAttention(init, 6, 4), { code: "E_SHAPE" });
});
