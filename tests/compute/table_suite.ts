/**
 * What every device does beyond the cases that PyTorch gave: long dims, random numbers, what waits for the device, and what is
 * refused.
 *
 * @module
 */
import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import * as c from "@alknet/compute";
import * as e from "@alknet/compute/expression";
import * as l from "@alknet/compute/layers";
import { type Need, needs } from "../support/programs.ts";

const LONG = 70_001;

/** Registers the tests for a device. */
export function tableSuite(options: c.EngineOptions, ...wanted: Need[]): void {
  const test = (name: string, run: (engine: c.Engine) => Promise<void>): void =>
    Deno.test({
      name: `${name}, on ${options.device}`,
      ...needs(...wanted),
      async fn() {
        await using engine = await c.openEngine(options);
        await run(engine);
        deepEqual(engine.tensors(), [], "every tensor was disposed");
        engine.trim();
        equal(engine.stats().liveBytes, 0);
      },
    });

  test("dims longer than 65,535: running sums, places of extremes, sorting, scattering, moving", async (engine) => {
    const data = Int32Array.from({ length: LONG }, (_, i) => (i * 7919) % 10_007 - 5000);
    using x = engine.tensor(data);
    using sums = c.cumsum(x, 0);
    let total = 0;
    deepEqual(await sums.read(), data.map((one) => total += one));
    using best = c.argmax(x);
    deepEqual([...await best.read()], [data.indexOf(Math.max(...data))]);
    const places = Int32Array.from({ length: LONG }, (_, i) => i);
    const [values, order] = c.sort(x);
    deepEqual(await order.read(), places.slice().sort((a, b) => data[a] - data[b] || a - b));
    deepEqual(await values.read(), data.slice().sort());
    using bins = engine.tensor(data.map((one) => (one + 5000) % 3));
    using counts = c.bincount(bins, 3);
    deepEqual([...await counts.read()], [0, 1, 2].map((bin) => data.filter((one) => (one + 5000) % 3 === bin).length));
    using turned = engine.scope(({ keep }) => keep(c.roll(c.cat([x, c.flip(x, 0)]), 5, 0)));
    const both = [...data, ...data.toReversed()];
    deepEqual([...await turned.read()], [...both.slice(-5), ...both.slice(0, -5)]);
    for (const one of [values, order]) one.dispose();
  });

  test("scattering from views, by a repeated index, into few places and many", async (engine) => {
    using source = engine.tensor([[1, 2, 3], [4, 5, 6]]);
    using row = engine.tensor([[1], [0], [1]], { dtype: "i32" });
    for (const extent of [2, 700_000]) {
      using x = engine.zeros([extent, 2]);
      using y = engine.scope(({ keep }) => {
        const added = c.scatterAdd(x, 0, c.expand(row, [3, 2]), source.transpose());
        return keep(c.narrow(added, 0, 0, 2).clone());
      });
      deepEqual([...await y.read()], [2, 5, 4, 10]);
    }
    using x = engine.ones([2, 3]);
    using column = engine.tensor([[2, 0], [1, 1]], { dtype: "i32" });
    using y = c.scatterAdd(x, 1, column, source);
    deepEqual([...await y.read()], [3, 1, 2, 1, 10, 1]);
  });

  test("kernel(): a tree of one's own over places, free operands and numbers; bitcast()", async (engine) => {
    using x = engine.tensor([[1, 2, 3], [4, 5, 6]]);
    const [shape, strides] = [[2, 3], [0, 1]];
    const free = { tensor: x, layout: x.layout, free: true };
    const operands: c.KernelOperand[] = [free, { place: { shape, strides, offset: 0 } }, { value: 10, dtype: "f32" }];
    using y = engine.kernel("own", shape, operands, (source, column, scale) => {
      const back = e.select(e.compare("gt", column, 0), e.constant(-1, "i32"), 0);
      return e.binary("add", e.binary("mul", e.load(source, back), scale), e.convert(column, "f32"));
    });
    deepEqual([...await y.read()], [10, 11, 22, 40, 41, 52]);
    throws(() => engine.kernel("own", shape, new Array(8).fill(x), (one) => one), { code: "E_LIMIT" });
    throws(() => engine.kernel("own", shape, [x], (one) => e.load(e.unary("neg", one), one)), TypeError);
    using bits = c.bitcast(x, "i32");
    deepEqual([...await bits.read()].slice(0, 2), [0x3f800000, 0x40000000]);
    using bools = c.cast(x, "bool");
    throws(() => c.bitcast(bools, "i32"), { code: "E_DTYPE" });
  });

  test("elements far apart at the end of the memory: nothing beyond it is read", async (engine) => {
    const x = engine.full([3, 2_000_000], 4);
    using column = x.slice(1, { start: -1 });
    using index = engine.zeros([3, 1], { dtype: "i32" });
    using read = c.gather(column, 1, index);
    deepEqual([...await read.read()], [4, 4, 4]);
    x.dispose();
  });

  test("Philox: its authors' vectors, and streams that are counted on", async (engine) => {
    // Random123 1.14, kat_vectors: philox4x32 10, of zeros.
    using words = c.randomBits(engine, [4], new c.Generator(0));
    deepEqual([...await words.read()], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    const from = new c.Generator(42, 7);
    using first = c.randomBits(engine, [6], from);
    using second = c.randomBits(engine, [3], from);
    equal(from.offset, 3);
    using whole = c.randomBits(engine, [12], new c.Generator(42, 7));
    const all = [...await whole.read()];
    deepEqual([[...await first.read()], [...await second.read()]], [all.slice(0, 6), all.slice(8, 11)]);
    using later = c.randomBits(engine, [4], new c.Generator(42, 7, 2 ** 32 + 1));
    using other = c.randomBits(engine, [4], new c.Generator(42, 7, 1));
    ok(`${[...await later.read()]}` !== `${[...await other.read()]}`, "the upper half of the counter counts");
  });

  test("random numbers have the moments and the range of their distributions", async (engine) => {
    const n = 20_000;
    const from = new c.Generator(1);
    const drawn: [string, c.Tensor, number, number, (x: number) => boolean][] = [
      ["rand", c.rand(engine, [n], from, { low: -1, high: 3 }), 1, 16 / 12, (x) => x >= -1 && x < 3],
      ["randn", c.randn(engine, [n], from, { mean: 2, std: 3 }), 2, 9, Number.isFinite],
      ["randint", c.randint(engine, -3, 7, [n], from), 1.5, 99 / 12, (x) => x >= -3 && x < 7],
      ["exponential", c.exponential(engine, [n], from, 2), 0.5, 0.25, (x) => x >= 0],
      ["geometric", c.geometric(engine, [n], from, 0.5), 2, 2, (x) => x >= 1 && Number.isInteger(x)],
      [
        "bernoulli",
        engine.scope(({ keep }) => keep(c.bernoulli(engine.full([n], 0.3), from))),
        0.3,
        0.21,
        (x) => x === 0 || x === 1,
      ],
      [
        "dropout",
        engine.scope(({ keep }) => keep(c.dropout(engine.ones([n]), 0.25, from))),
        1,
        1 / 3,
        (x) => x === 0 || Math.abs(x - 4 / 3) < 1e-6,
      ],
    ];
    for (const [name, tensor, mean, variance, inside] of drawn) {
      const data = Array.from(await tensor.read(), Number);
      ok(data.every(inside), `${name}: range`);
      const got = data.reduce((a, b) => a + b) / n;
      // The seed is fixed: five deviations of a mean of so many.
      ok(Math.abs(got - mean) < 5 * Math.sqrt(variance / n), `${name}: mean ${got}`);
      const spread = data.reduce((a, b) => a + (b - mean) ** 2, 0) / n;
      ok(Math.abs(spread / variance - 1) < 0.15, `${name}: variance ${spread}`);
      tensor.dispose();
    }
    using order = c.randperm(engine, 1000, from);
    const places = [...await order.read()];
    deepEqual(places.toSorted((a, b) => a - b), [...Array(1000).keys()]);
    ok(places.filter((one, i) => one === i).length < 12, "it is shuffled");
    using weights = engine.tensor([[0, 1, 0, 3], [1, 0, 0, 0]]);
    using often = c.multinomial(weights, 4000, from, { replacement: true });
    const picks = [...await often.read()];
    ok(picks.slice(4000).every((one) => one === 0) && picks.slice(0, 4000).every((one) => one === 1 || one === 3));
    ok(Math.abs(picks.slice(0, 4000).filter((one) => one === 3).length / 4000 - 0.75) < 0.04);
    using once = engine.scope(({ keep }) => keep(c.multinomial(engine.tensor([1, 2, 3, 4]), 4, from)));
    deepEqual([...await once.read()].toSorted(), [0, 1, 2, 3]);
    using logits = engine.zeros([2, 3]);
    using chosen = c.gumbelSoftmax(logits, from, { hard: true });
    deepEqual((await chosen.read()).toSorted(), Float32Array.of(0, 0, 0, 0, 1, 1));
  });

  test("nonzero, maskedSelect, unique: as many results as there are", async (engine) => {
    using x = engine.tensor([[0, 3, 0], [NaN, -0, 5]]);
    using at = await c.nonzero(x);
    deepEqual([[...at.shape], [...await at.read()]], [[3, 2], [0, 1, 1, 0, 1, 2]]);
    using mask = c.gt(x, 1);
    using found = await c.maskedSelect(x, mask);
    deepEqual([...await found.read()], [3, 5]);
    using none = c.gt(x, 9);
    using nothing = await c.maskedSelect(x, none);
    deepEqual(nothing.shape, [0]);
    using list = engine.tensor([3, 1, 3, -2, 1, 3]);
    const { values, counts, inverse } = await c.unique(list);
    deepEqual([...await values.read()], [-2, 1, 3]);
    deepEqual([...await counts.read()], [1, 2, 3]);
    deepEqual([...await inverse.read()], [2, 1, 2, 0, 1, 2]);
    for (const one of [values, counts, inverse]) one.dispose();
  });

  test("functions of nothing give what has its shape", async (engine) => {
    using x = engine.zeros([2, 0, 3]);
    const shapes = engine.scope(() =>
      [
        l.softmax(x, 1),
        c.cumsum(x, 1),
        c.sort(x, { dim: 1 })[0],
        c.cat([x, x], 1),
        c.pad(x, [0, 0, 1, 0]),
        c.repeat(x, [1, 1, 2]),
        c.sin(x),
        l.layerNorm(x, [3]),
        c.logsumexp(x, { dim: 1 }),
        c.tril(x),
        c.flip(x, 0),
        c.gather(x, 1, engine.zeros([1, 0, 2], { dtype: "i32" })),
      ].map(({ shape }) => [...shape])
    );
    deepEqual(shapes, [
      [2, 0, 3],
      [2, 0, 3],
      [2, 0, 3],
      [2, 0, 3],
      [2, 1, 3],
      [2, 0, 6],
      [2, 0, 3],
      [2, 0, 3],
      [2, 3],
      [2, 0, 3],
      [2, 0, 3],
      [1, 0, 2],
    ]);
    await Promise.resolve();
  });

  test("an index that is outside: E_INDEX on the CPU, 0 read and nothing written on a GPU (ops.md §10)", async (engine) => {
    using x = engine.tensor([10, 20, 30]);
    for (const wrong of [[0, 3], [-1, 1]]) {
      using index = engine.tensor(Int32Array.from(wrong));
      using source = engine.tensor([5, 6]);
      if (engine.device.kind === "cpu") {
        const told = {
          code: "E_INDEX",
          message: new RegExp(`^gather: index ${wrong[0] || wrong[1]} is outside of 0 to 2$`),
        };
        throws(() => c.gather(x, 0, index), told);
        throws(() => c.scatterAdd(x, 0, index, source), { code: "E_INDEX" });
        throws(() => c.oneHot(index, 3), { code: "E_INDEX" });
        continue;
      }
      using read = c.gather(x, 0, index);
      deepEqual([...await read.read()], wrong[0] === 0 ? [10, 0] : [0, 20]);
      using written = c.scatterAdd(x, 0, index, source);
      deepEqual([...await written.read()], wrong[0] === 0 ? [15, 20, 30] : [10, 26, 30]);
    }
    using whole = engine.tensor(Int32Array.of(7, -7));
    using divisor = engine.tensor(Int32Array.of(0, 2));
    if (engine.device.kind === "cpu") throws(() => c.remainder(whole, divisor), { code: "E_DIV_ZERO" });
    else {
      using rest = c.remainder(whole, divisor);
      deepEqual([...await rest.read()], [0, 1]);
    }
  });

  test("errors of shapes, dims, types and values name the function and what would do", async (engine) => {
    using x = engine.zeros([2, 3]);
    using i = engine.zeros([2, 3], { dtype: "i32" });
    using w = engine.zeros([4, 2, 3]);
    const cases: [() => unknown, string, RegExp][] = [
      [
        () => c.view(x.transpose(), [6]),
        "E_SHAPE",
        /^view: strides \[1,3\] of \[3,2\] do not allow \[6\]; use reshape/,
      ],
      [() => c.reshape(x, [0, -1]), "E_SHAPE", /^reshape: -1 in \[0,-1\] could be any extent/],
      [() => c.expand(x, [3, 3]), "E_SHAPE", /^expand: shape \[2,3\] does not expand to \[3,3\]/],
      [() => c.narrow(x, 1, 2, 2), "E_INDEX", /^narrow: 2 elements from 2 are not in dim 1 of \[2,3\]/],
      [() => c.select(x, 0, 2), "E_INDEX", /^select: 2 is not in dim 0/],
      [() => c.cat([x, w]), "E_SHAPE", /^cat: shapes \[2,3\] and \[4,2,3\] differ/],
      [() => c.pad(x, [3, 0], { mode: "reflect" }), "E_SHAPE", /^pad: 3 and 0 do not fit dim 1 of \[2,3\] by reflect/],
      [() => c.gather(x, 0, x), "E_DTYPE", /^gather: indices are f32; i32 and u32 can be/],
      [() => c.gather(w, 0, i), "E_SHAPE", /^gather: index \[2,3\] must have the dims of \[4,2,3\]/],
      [() => c.maskedFill(x, x, 1), "E_DTYPE", /^masked_fill: the mask is f32, not bool/],
      [() => c.topk(x, 4), "E_VALUE", /^topk: 4 elements are not in dim -1 of \[2,3\]; 0 to 3 are/],
      [() => c.quantile(x, 2), "E_VALUE", /^quantile: 2 is not within 0 to 1/],
      [() => l.softmax(i, 0), "E_DTYPE", /^softmax: takes f32, not i32; cast/],
      [() => l.softmax(x, 2), "E_DIM", /^softmax: dim 2 does not exist/],
      [() => l.groupNorm(x, 2), "E_SHAPE", /^group_norm: 2 groups of equal size are not in dim 1/],
      [() => l.layerNorm(x, [2]), "E_SHAPE", /^layer_norm: \[2\] is not the end of shape \[2,3\]/],
      [() => l.mm(x, w), "E_SHAPE", /^mm: shape \[4,2,3\] has 3 dims, not 2/],
      [() => l.einsum("ij,jk->ijk", x), "E_SHAPE", /^einsum: .* is not for 1 operands/],
      [() => l.conv1d(w, w, { groups: 2 }), "E_SHAPE", /^conv1d: weights \[4,2,3\] in 2 groups do not fit/],
      [() => l.conv1d(x, engine.zeros([1, 2, 5])), "E_SHAPE", /^conv1d: windows of \[5\] by \[1\] do not lie in \[3\]/],
      [() => l.maxPool(w, [2], { padding: 2 }), "E_SHAPE", /^max_pool: padding \[2\] must be at most half/],
      [() => c.glu(x), "E_SHAPE", /^glu: dim -1 of \[2,3\] has no halves/],
      [() => c.softshrink(x, -1), "E_VALUE", /^softshrink: lambda -1 must be 0 or more/],
      [() => l.crossEntropy(x, w), "E_SHAPE", /^cross_entropy: .*\[4,2,3\]/],
      [() => c.arange(engine, 1, 0), "E_VALUE", /^arange: there is no way from 1 to 0 by 1/],
      [
        () => c.randint(engine, 3, 3, [1], new c.Generator(0)),
        "E_VALUE",
        /^randint: there is no i32 from 3 to below 3/,
      ],
      [() => c.bitwiseLeftShift(x, 1), "E_DTYPE", /^bitwise_left_shift: takes i32, u32, not f32/],
      [() => c.argmax(c.cast(x, "bool")), "E_DTYPE", /^argmax: takes f32, i32, u32, not bool/],
    ];
    for (const [run, code, pattern] of cases) {
      throws(
        () => engine.scope(run),
        (error: c.ComputeError) => (equal(error.code, code), ok(pattern.test(error.message), error.message), true),
        String(pattern),
      );
    }
    await rejects(async () => await c.maskedSelect(x, x), { code: "E_DTYPE" });
    throws(() => new c.Generator(-1), RangeError);
  });
}
