/**
 * What every device does with folds and products, beside NumPy in float64.
 *
 * @module
 */
import { deepEqual } from "node:assert/strict";
import { type Engine, type EngineOptions, openEngine } from "@alknet/compute";
import { type Need, needs } from "../support/programs.ts";
import { near, Numpy, type NumpyArray, onto } from "./numpy.ts";

/** Half a unit in the last place of 1 in f32. */
const EPSILON = 2 ** -24;

/** Folds, and what NumPy calls them with `a` for `axis=…, keepdims=…`. */
const FOLDS: Readonly<Record<string, readonly [code: string, types: string]>> = {
  sum: ["np.sum(d, A)", "fiub"],
  nansum: ["np.nansum(d, A)", "f"],
  mean: ["np.mean(d, A)", "f"],
  prod: ["np.prod(d, A)", "fib"],
  amax: ["np.max(x, A)", "fiu"],
  amin: ["np.min(x, A)", "fiu"],
  all: ["np.all(x, A)", "fiub"],
  any: ["np.any(x, A)", "fiub"],
  count_nonzero: ["np.count_nonzero(x, A)", "fiub"],
};

/** Registers the tests for a device. */
export function foldsSuite(options: EngineOptions, ...wanted: Need[]): void {
  const test = (name: string, run: (engine: Engine, numpy: Numpy) => Promise<void>): void =>
    Deno.test({
      name: `${name}, on ${options.device}`,
      ...needs("python", ...wanted),
      async fn() {
        await using engine = await openEngine(options);
        await using numpy = new Numpy();
        await run(engine, numpy);
        engine.trim();
        deepEqual(engine.tensors(), [], "every tensor was disposed");
        deepEqual(engine.stats().liveBytes, 0);
      },
    });

  test("folds: each type, over all dims, one and several, kept and not", async (engine, numpy) => {
    const float = await numpy.ask("np.sin(np.arange(210, dtype='f4')).reshape(5, 6, 7).astype('f4')");
    const whole = await numpy.ask("(np.arange(210) * 7 % 13 - 6).reshape(5, 6, 7).astype('i4')");
    const unsigned = await numpy.ask("(np.arange(210) * 7 % 13).reshape(5, 6, 7).astype('u4')");
    const bools = await numpy.ask("np.arange(210).reshape(5, 6, 7) % 5 == 0");
    const inputs: Record<string, NumpyArray> = { f: float, i: whole, u: unsigned, b: bools };
    for (const [name, [code, types]] of Object.entries(FOLDS)) {
      for (const type of types) {
        const x = inputs[type];
        using a = onto(engine, x);
        for (const dim of [undefined, 0, 1, -1, [0, 1], [1, 2], [0, 2], [0, 1, 2]]) {
          for (const keepdim of [false, true]) {
            const axis = dim === undefined ? "None" : Array.isArray(dim) ? `(${dim},)` : String(dim);
            const python = code.replace("A", `axis=${axis}, keepdims=${keepdim ? "True" : "False"}`);
            const d = type === "i" && name === "prod" ? x : { data: Float64Array.from(x.data), shape: x.shape };
            const expected = await numpy.ask(wrapped(python, type, name), { x, d });
            using got = engine.reduce(name, a, { dim, keepdim });
            const bound = type === "f" && !/amax|amin|all|any|count/.test(name) ? 1e-5 : 0;
            await near(got, expected, () => bound, `${name} of ${type} along ${dim}, ${keepdim}`);
          }
        }
      }
    }
  });

  test("folds of views: transposed, stepped, reversed, repeated", async (engine, numpy) => {
    const x = await numpy.ask("np.sin(np.arange(3000, dtype='f4')).reshape(10, 20, 15).astype('f4')");
    using a = onto(engine, x);
    for (
      const [code, view] of [
        ["d.transpose(2, 0, 1)", () => a.permute(2, 0, 1)],
        ["d[:, ::3]", () => a.slice(1, { step: 3 })],
        ["d[..., ::-2]", () => a.slice(2, { step: -2 })],
        ["d[3:7]", () => a.slice(0, { start: 3, stop: 7 })],
      ] as const
    ) {
      using seen = view();
      for (const dim of [[0], [1], [2], [0, 2], [1, 2], [0, 1, 2]]) {
        using got = engine.reduce("sum", seen, { dim });
        const d = { data: Float64Array.from(x.data), shape: x.shape };
        await near(got, await numpy.ask(`np.sum(${code}, axis=(${dim},))`, { d }), () => 2e-5, `${code} along ${dim}`);
      }
    }
  });

  test("folds longer than 65,535 turns of a loop are whole, within the bound of class S", async (engine, numpy) => {
    for (const shape of [[300_007], [200_001, 3], [3, 140_001], [2, 70_000, 2]]) {
      const size = shape.reduce((a, b) => a * b);
      const x = await numpy.ask(
        `(np.sin(np.arange(${size})) + 0.1).astype('f4').reshape(${shape.length === 1 ? size : shape})`,
      );
      using a = onto(engine, x);
      const d = { data: Float64Array.from(x.data), shape: x.shape };
      for (const dim of [undefined, shape.indexOf(Math.max(...shape))]) {
        const axis = dim === undefined ? "None" : dim;
        const sizes = await numpy.ask(`np.abs(d).sum(axis=${axis})`, { d });
        using got = engine.reduce("sum", a, { dim });
        const bound = (i: number): number => (2 * Math.log2(size) + 8) * EPSILON * sizes.data[i];
        await near(got, await numpy.ask(`d.sum(axis=${axis})`, { d }), bound, `sum of [${shape}] along ${axis}`);
        using most = engine.reduce("amax", a, { dim });
        await near(most, await numpy.ask(`x.max(axis=${axis})`, { x }), "E", `amax of [${shape}] along ${axis}`);
      }
      using ones = engine.full(shape, 1);
      using count = engine.reduce("count_nonzero", ones);
      deepEqual([...await count.read()], [size]);
    }
  });

  test("folds: NaN and infinities, and of nothing (ops.md §5)", async (engine) => {
    using x = engine.tensor([[NaN, 1, -Infinity], [2, Infinity, -0]]);
    for (
      const [name, dim, wanted] of [
        ["amax", 1, [NaN, Infinity]],
        ["amin", 0, [NaN, 1, -Infinity]],
        ["sum", 1, [NaN, Infinity]],
        ["nansum", 1, [-Infinity, Infinity]],
        ["all", 1, [1, 0]],
        ["count_nonzero", 0, [2, 2, 1]],
      ] as const
    ) {
      using got = engine.reduce(name, x, { dim });
      deepEqual([...await got.read()], wanted, name);
    }
    using nothing = engine.zeros([2, 0]);
    for (
      const [name, wanted] of [["sum", [0, 0]], ["prod", [1, 1]], ["mean", [NaN, NaN]], ["all", [1, 1]], ["any", [
        0,
        0,
      ]]] as const
    ) {
      using got = engine.reduce(name, nothing, { dim: 1 });
      deepEqual([...await got.read()], wanted, name);
    }
    using none = engine.reduce("amax", nothing, { dim: 0 });
    deepEqual(none.shape, [0]);
  });

  test("matmul: sizes around the tiles, within the bound of class M", async (engine, numpy) => {
    const sizes = [
      [1, 1, 1],
      [6, 8, 4],
      [7, 9, 5],
      [48, 64, 256],
      [49, 65, 257],
      [5, 300, 1],
      [130, 1, 70],
      [
        1,
        130,
        600,
      ],
      [97, 101, 515],
      [2, 3, 140_001],
    ];
    for (const [m, n, k] of sizes) await product(engine, numpy, [m, k], [k, n], "a @ b");
  });

  test("matmul: transposed, stepped and offset operands, vectors, stacks", async (engine, numpy) => {
    const left = await random(numpy, [40, 33]);
    const right = await random(numpy, [25, 33]);
    using a = onto(engine, left);
    using b = onto(engine, right);
    using turned = b.transpose();
    await same(numpy, { a: left, b: right }, "a @ b.T", () => engine.matmul(a, turned));
    using part = a.slice(0, { start: 3, step: 2 });
    await same(numpy, { a: left, b: right }, "a[3::2] @ b.T", () => engine.matmul(part, turned));
    using upturned = a.slice(1, { step: -1 });
    await same(numpy, { a: left, b: right }, "a[:, ::-1] @ b.T", () => engine.matmul(upturned, turned));
    for (
      const [one, other] of [
        [[33], [33]],
        [[40, 33], [33]],
        [[33], [33, 12]],
        [[3, 1, 10, 7], [2, 7, 5]],
        [[2, 3, 4], [4, 9]],
      ]
    ) await product(engine, numpy, one, other, "a @ b");
    using row = engine.zeros([2, 0]);
    using column = engine.zeros([0, 3]);
    using nothing = engine.matmul(row, column);
    deepEqual([nothing.shape, ...await nothing.read()], [[2, 3], 0, 0, 0, 0, 0, 0]);
    using square = engine.zeros([3, 3]);
    using empty = engine.matmul(column, square);
    deepEqual(empty.shape, [0, 3]);
  });

  test("results are the same each time, bit for bit", async (engine, numpy) => {
    const x = await random(numpy, [300, 301]);
    using a = onto(engine, x);
    using b = a.transpose();
    const once = async (): Promise<number[]> => {
      using product = engine.matmul(a, b);
      using sum = engine.reduce("sum", product, { dim: 0 });
      return [...await sum.read()];
    };
    deepEqual(await once(), await once());
  });
}

async function product(engine: Engine, numpy: Numpy, one: number[], other: number[], code: string): Promise<void> {
  const [a, b] = [await random(numpy, one), await random(numpy, other)];
  using left = onto(engine, a);
  using right = onto(engine, b);
  await same(numpy, { a, b }, code, () => engine.matmul(left, right));
}

/** Compares a product with NumPy's in float64: the bound of class M. */
async function same(
  numpy: Numpy,
  { a, b }: Record<"a" | "b", NumpyArray>,
  code: string,
  multiply: () => ReturnType<Engine["matmul"]>,
): Promise<void> {
  const wide = { a: { ...a, data: Float64Array.from(a.data) }, b: { ...b, data: Float64Array.from(b.data) } };
  const sizes = await numpy.ask(code.replaceAll(/\b[ab]\b/g, "np.abs($&)"), wide);
  const k = a.shape.at(-1)!;
  using got = multiply();
  const bound = (i: number): number => Math.min(4 * Math.sqrt(k) + 16, Math.max(k, 2)) * EPSILON * sizes.data[i];
  await near(got, await numpy.ask(code, wide), bound, `${code} of [${a.shape}] and [${b.shape}]`);
}

function random(numpy: Numpy, shape: readonly number[]): Promise<NumpyArray> {
  const seed = shape.reduce((sum, extent) => sum * 31 + extent, 7);
  return numpy.ask(`np.random.default_rng(${seed}).standard_normal([${shape}]).astype('f4')`);
}

/** 32-bit integers wrap, which NumPy's sums do not. */
function wrapped(code: string, type: string, name: string): string {
  if (name === "sum" && type !== "f") return `np.asarray(${code}).astype('i8').astype('${type === "u" ? "u4" : "i4"}')`;
  if (name === "prod" && type === "i") return `np.asarray(${code.replace("d,", "d, dtype='i4',")})`;
  if (name === "prod" && type === "b") return `np.asarray(${code}).astype('i4')`;
  return name === "count_nonzero" ? `np.asarray(${code}).astype('i4')` : code;
}
