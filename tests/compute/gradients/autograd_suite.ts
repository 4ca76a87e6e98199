/**
 * The tape on a device: leaves, graphs, modes, writing, hooks, what is refused, and that nothing stays behind (compute.md §7).
 *
 * @module
 */
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import * as c from "@alknet/compute";
import * as l from "@alknet/compute/layers";
import { type Need, needs } from "../../support/programs.ts";

/** Registers the tests for a device. */
export function autogradSuite(options: c.EngineOptions, ...wanted: Need[]): void {
  const test = (name: string, run: (engine: c.Engine) => Promise<void> | void): void =>
    Deno.test({
      name: `${name}, on ${options.device}`,
      ...needs(...wanted),
      async fn() {
        await using engine = await c.openEngine(options);
        await run(engine);
        deepEqual(engine.tensors(), [], "every tensor was disposed");
        equal(engine.stats().live, 0, "no buffer is held");
      },
    });
  const leaf = (engine: c.Engine, data: c.Nested): c.Tensor => {
    const made = engine.tensor(data);
    made.requiresGrad = true;
    return made;
  };
  const list = async (x: c.Tensor | undefined): Promise<number[]> => [...await x!.read()];

  test("backward() adds to the gradients of leaves, whose handle stays, and clearGrad() ends that", async (engine) => {
    using x = leaf(engine, [1, 2]);
    using w = leaf(engine, [3, 4]);
    equal(x.grad, undefined);
    const step = (): void => engine.scope(() => c.sum(c.mul(x, w)).backward());
    step();
    const grad = x.grad!;
    deepEqual([await list(x.grad), await list(w.grad)], [[3, 4], [1, 2]]);
    step();
    equal(x.grad, grad, "a gradient grows where it is");
    deepEqual([await list(x.grad), await list(w.grad)], [[6, 8], [2, 4]]);
    x.clearGrad();
    equal(x.grad, undefined);
    ok(grad.isDisposed);
    step();
    deepEqual([await list(x.grad), await list(w.grad)], [[3, 4], [3, 6]]);
  });

  test("a result that is used several times is gone back through once, and gradients are never shared", async (engine) => {
    using x = leaf(engine, [2]);
    using y = leaf(engine, [5]);
    let times = 0;
    engine.scope(() => {
      const square = c.square(x);
      square.onGradient(() => void times++);
      c.sum(c.add(c.mul(square, square), c.add(square, y))).backward();
    });
    equal(times, 1);
    deepEqual(await list(x.grad), [4 * 8 + 4]);
    engine.scope(() => c.sum(c.add(x, y)).backward());
    deepEqual([await list(x.grad), await list(y.grad)], [[37], [2]]);
    using one = leaf(engine, [1, 2]);
    using other = leaf(engine, [3, 4]);
    engine.scope(() => c.add(one, other).backward(engine.tensor([5, 6])));
    engine.scope(() => c.sum(one).backward());
    deepEqual([await list(one.grad), await list(other.grad)], [[6, 7], [5, 6]]);
  });

  test("gradients of broadcast operands are sums in their shape; numbers and integers have none", async (engine) => {
    using x = leaf(engine, [[1, 2, 3], [4, 5, 6]]);
    using row = leaf(engine, [1, 1, 1]);
    using scale = leaf(engine, 2);
    using index = engine.tensor([[0, 1, 0], [1, 0, 1]], { dtype: "i32" });
    engine.scope(() => c.sum(c.mul(c.mul(c.add(x, row), scale), index)).backward());
    deepEqual(await list(x.grad), [0, 2, 0, 2, 0, 2]);
    deepEqual([await list(row.grad), row.grad!.shape], [[2, 2, 2], [3]]);
    deepEqual([await list(scale.grad), scale.grad!.shape], [[3 + 5 + 7], []]);
    equal(index.grad, undefined);
    throws(() => index.requiresGrad = true, { code: "E_DTYPE" });
  });

  test("grad() gives gradients as values, of what was made on the way too, and undefined where there is no way", async (engine) => {
    using x = leaf(engine, [1, 2]);
    using other = leaf(engine, [1]);
    using middle = c.exp(x);
    using y = engine.scope(({ keep }) => keep(c.sum(c.mul(middle, middle))));
    const [ofX, ofMiddle, none] = c.grad(y, [x, middle, other]);
    using _x = ofX!;
    using _m = ofMiddle!;
    equal(none, undefined);
    const powers = (await list(middle)).map((one) => 2 * one);
    deepEqual(await list(ofMiddle), powers);
    ok((await list(ofX)).every((one, i) => Math.abs(one - powers[i] ** 2 / 2) < 1e-4));
    deepEqual([x.grad, middle.grad], [undefined, undefined]);
  });

  test("createGraph: gradients of gradients, to the third", async (engine) => {
    using x = leaf(engine, [0.5, -2]);
    const order = (count: number): c.Tensor =>
      engine.scope(({ keep }) => {
        let y: c.Tensor = c.mul(c.mul(x, x), c.mul(x, x));
        for (let i = 0; i < count; i++) [y] = c.grad(c.sum(y), [x], { createGraph: true }) as c.Tensor[];
        return keep(y.detach());
      });
    for (const [i, of] of [(v: number) => 4 * v ** 3, (v: number) => 12 * v * v, (v: number) => 24 * v].entries()) {
      using found = order(i + 1);
      deepEqual(await list(found), [of(0.5), of(-2)]);
    }
    // A penalty on a gradient.
    using w = leaf(engine, [3]);
    engine.scope(() => {
      const [slope] = c.grad(c.sum(c.mul(c.square(w), 2)), [w], { createGraph: true });
      c.sum(c.square(slope!)).backward();
    });
    deepEqual(await list(w.grad), [2 * 12 * 4]);
  });

  test("a graph is used up by backward(), unless it is retained", async (engine) => {
    using x = leaf(engine, [1, 2]);
    using y = engine.scope(({ keep }) => keep(c.sum(c.square(x))));
    y.backward(undefined, { retainGraph: true });
    y.backward();
    deepEqual(await list(x.grad), [4, 8]);
    throws(() => y.backward(), { code: "E_GRAPH", message: /retainGraph/ });
  });

  test("values that are saved are held by the graph, and gone with it or when they were used", (engine) => {
    using x = leaf(engine, [1, 2]);
    const held = (): number => engine.stats().live;
    equal(held(), 1);
    const y = engine.scope(({ keep }) => keep(c.sum(c.square(c.exp(x)))));
    equal(held(), 3, "the leaf, the powers, the sum");
    y.dispose();
    equal(held(), 1, "disposing of the result ends the graph");
    using z = engine.scope(({ keep }) => keep(c.sum(c.square(c.exp(x)))));
    z.backward();
    equal(held(), 3, "the leaf, its gradient, the sum");
  });

  test("writing to what a gradient needs is refused, or seen by it with force", async (engine) => {
    using x = leaf(engine, [1, 2]);
    using factor = engine.tensor([3, 4]);
    using y = engine.scope(({ keep }) => keep(c.sum(c.mul(x, factor))));
    throws(() => factor.write([5, 6]), { code: "E_VERSION" });
    factor.write([5, 6], { force: true });
    throws(() => y.backward(), { code: "E_VERSION", message: /mul: .*version 1, not 0/ });
    y.dispose();
    factor.write([7, 8]);
    engine.scope(() => c.sum(c.mul(x, factor)).backward());
    deepEqual(await list(x.grad), [7, 8]);
  });

  test("write() from a tensor and from the host: views see it, and it has to fit", async (engine) => {
    using x = engine.tensor([[1, 2], [3, 4]]);
    using view = x.transpose();
    using row = engine.tensor([5, 6]);
    x.write(row);
    deepEqual(await list(view), [5, 5, 6, 6]);
    x.write(view);
    deepEqual(await list(x), [5, 5, 6, 6], "what overlaps is copied first");
    x.write([[1, 2], [3, 4]]);
    deepEqual(await list(view), [1, 3, 2, 4]);
    throws(() => view.write([1, 2, 3, 4]), { code: "E_SHAPE" });
    throws(() => x.write([1, 2]), { code: "E_SHAPE" });
    using whole = engine.tensor([1, 2], { dtype: "i32" });
    throws(() => x.write(whole), { code: "E_DTYPE" });
    using wide = engine.ones([3]);
    throws(() => x.write(wide), { code: "E_SHAPE" });
    x.requiresGrad = true;
    throws(() => x.write(row), { code: "E_GRAPH" });
    c.noGrad(() => x.write(row));
    deepEqual(await list(x), [5, 6, 5, 6]);
  });

  test("noGrad, enableGrad and inferenceMode hold for what a function awaits, and for no one else", async (engine) => {
    using x = leaf(engine, [1]);
    const records = (): boolean => {
      using y = c.square(x);
      return y.requiresGrad;
    };
    const { promise: gate, resolve: open } = Promise.withResolvers<void>();
    const inside = c.noGrad(async () => {
      const before = records();
      await gate;
      return [before, records(), c.enableGrad(records), records()];
    });
    equal(records(), true, "while the other waits");
    open();
    deepEqual(await inside, [false, false, true, false]);
    equal(records(), true);
    using frozen = c.inferenceMode(() => c.square(x));
    equal(frozen.requiresGrad, false);
    throws(() => c.mul(x, frozen), { code: "E_GRAPH", message: /inference/ });
    throws(() => frozen.requiresGrad = true, { code: "E_GRAPH" });
    using thawed = frozen.clone();
    using product = c.mul(x, thawed);
    ok(product.requiresGrad);
  });

  test("detach() cuts, hooks see and change gradients, and end", async (engine) => {
    using x = leaf(engine, [1, 2]);
    engine.scope(() => c.sum(c.mul(x, c.square(x).detach())).backward());
    deepEqual(await list(x.grad), [1, 4]);
    x.clearGrad();
    const seen: c.Tensor[] = [];
    const run = (): void =>
      engine.scope(() => {
        const y = c.mul(x, 3);
        using _half = y.onGradient((g) => c.mul(g, 0.5));
        c.sum(y).backward();
      });
    const hook = x.onGradient((g) => void seen.push(g));
    run();
    hook[Symbol.dispose]();
    run();
    equal(seen.length, 1);
    deepEqual(await list(x.grad), [3, 3]);
    using plain = engine.tensor([1]);
    throws(() => plain.onGradient(() => {}), { code: "E_GRAPH" });
    using _bad = x.onGradient(() => plain);
    throws(() => run(), { code: "E_SHAPE", message: /hook/ });
  });

  test("a rule of one's own gives a gradient; what has none is refused by its name", async (engine) => {
    using x = leaf(engine, [1, 2, 3]);
    const through = (of: c.Tensor): c.Tensor =>
      engine.withGradient("straight_through", [of], () => c.round(c.mul(of, 0.4)), [], (g) => [c.mul(g, 0.4)]);
    engine.scope(() => c.sum(through(x)).backward());
    deepEqual(await list(x.grad), [0.4, 0.4, 0.4].map(Math.fround));
    const free = { tensor: x, layout: x.layout, free: true };
    throws(() => engine.kernel("own", [3], [free], (one) => one), {
      code: "E_GRAPH",
      message: /^own: has no gradient/,
    });
    throws(() => engine.view(x, "mine", x.layout), { code: "E_GRAPH", message: /^mine: / });
    throws(() => x.backward(), { code: "E_GRAPH", message: /one element/ });
    using other = engine.tensor([1]);
    throws(() => other.backward(), { code: "E_GRAPH" });
    using y = c.square(x);
    throws(() => y.backward(other), { code: "E_SHAPE" });
    throws(() => y.requiresGrad = false, { code: "E_GRAPH", message: /detach/ });
    engine.scope(() =>
      throws(
        () =>
          c.scatterReduce(x, 0, engine.tensor([0, 0, 1], { dtype: "i32" }), x, "prod").backward(x, {
            createGraph: true,
          }),
        { code: "E_GRAPH" },
      )
    );
  });

  test("checkpoint() forgets what it made, computes it again, and draws the same", async (engine) => {
    using x = leaf(engine, [0.5, -1, 2, 0.25]);
    using w = leaf(engine, [1, 2, 3, 4]);
    const from = new c.Generator(7);
    const run = (again: boolean): [number, c.Tensor] => {
      from.rewind(0);
      const layer = (one: c.Tensor): c.Tensor => c.tanh(c.mul(c.mul(c.exp(one), w), c.rand(engine, [4], from)));
      const y = engine.scope(({ keep }) =>
        keep(c.sum(again ? c.checkpoint(layer, [x], { generators: [from] }) : layer(x)))
      );
      return [engine.stats().live, y];
    };
    const [plain, first] = run(false);
    using _first = first;
    first.backward();
    const wanted = [await list(x.grad), await list(w.grad)];
    x.clearGrad();
    w.clearGrad();
    const offset = from.offset;
    const [less, second] = run(true);
    using _second = second;
    ok(less < plain, `${less} buffers, not ${plain}`);
    second.backward();
    equal(from.offset, offset, "the generator goes on where it was");
    deepEqual([await list(x.grad), await list(w.grad)], wanted);
    using fixed = engine.tensor([1]);
    throws(() => c.checkpoint((one) => c.mul(one, w), [fixed]), { code: "E_GRAPH" });
    using third = engine.scope(({ keep }) => keep(c.sum(c.checkpoint(c.square, [x]))));
    throws(() => c.grad(third, [x], { createGraph: true }), { code: "E_GRAPH" });
  });

  test("steps of training leave nothing behind: buffers and tensors are as many after each", async (engine) => {
    using x = engine.tensor([[0, 0], [0, 1], [1, 0], [1, 1]]);
    using y = engine.tensor([[0], [1], [1], [0]]);
    const from = new c.Generator(3);
    using held = new DisposableStack();
    const weights = [[2, 8], [8], [8, 1], [1]].map((shape) => {
      const made = held.use(c.randn(engine, shape, from));
      made.requiresGrad = true;
      return made;
    });
    const step = (): c.Tensor =>
      engine.scope(({ keep }) => {
        const [w, b, v, d] = weights;
        const hidden = c.tanh(c.add(c.matmul(x, w), b));
        const loss = l.mseLoss(c.sigmoid(c.add(c.matmul(hidden, v), d)), y);
        loss.backward();
        c.noGrad(() => {
          for (const one of weights) {
            one.write(c.sub(one, one.grad!, { alpha: 2 }));
            one.clearGrad();
          }
        });
        return keep(loss.detach());
      });
    using first = step();
    const [before] = await first.read();
    const counts = (): number[] => [engine.stats().live, engine.tensors().length];
    const after = counts();
    for (let i = 0; i < STEPS[options.device as "cpu"]; i++) {
      using _loss = step();
      if (i % 100 === 0) deepEqual(counts(), after.map((one) => one + 1));
    }
    deepEqual(counts(), after);
    using last = step();
    ok((await last.read())[0] < before / 10, "it learns");
  });
}

/** A GPU of software takes milliseconds a step. */
const STEPS: Readonly<Record<"cpu" | "gpu", number>> = { cpu: 10_000, gpu: 300 };
