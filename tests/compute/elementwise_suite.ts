/**
 * What every device does with elements, beside NumPy in float64.
 *
 * @module
 */
import { deepEqual } from "node:assert/strict";
import { type Engine, type EngineOptions, openEngine } from "@alknet/compute";
import { type Need, needs } from "../support/programs.ts";
import { near, Numpy, type NumpyArray, onto, type ToleranceClass } from "./numpy.ts";

const FLOATS = [-Infinity, -1e30, -7.5, -2, -1, -0.5, -1e-4, -0, 0, 1e-4, 0.5, 1, 2, 7.5, 1e30, Infinity, NaN];
const FEW_FLOATS = [-Infinity, -7.5, -1, -0, 0.5, 1, 2, Infinity, NaN];
const INTEGERS = [0, 1, -1, 2, -7, 2 ** 31 - 1, -(2 ** 31), 1000, -12345];
const UNSIGNED = [0, 1, 2, 7, 2 ** 31, 2 ** 32 - 1, 65537, 1000];

/** Rows of one operand, and what NumPy calls them; `d` is x in float64. */
const UNARY: Readonly<Record<string, readonly [code: string, tolerance: ToleranceClass, types?: string]>> = {
  abs: ["np.abs(x)", "E", "fiu"],
  neg: ["-x", "E", "fiu"],
  positive: ["+x", "E", "fiu"],
  sign: ["np.where(np.isnan(x), 0, np.sign(x)).astype(x.dtype)", "E", "fiu"],
  signbit: ["np.signbit(x)", "E"],
  ceil: ["np.ceil(x)", "E"],
  floor: ["np.floor(x)", "E"],
  trunc: ["np.trunc(x)", "E"],
  round: ["np.rint(x)", "E"],
  frac: ["x - np.trunc(x)", "E"],
  square: ["x * x", "R", "fiu"],
  sqrt: ["np.sqrt(d)", "D", "fi"],
  rsqrt: ["1 / np.sqrt(d)", "D"],
  reciprocal: ["1 / d", "D", "f"],
  exp: ["np.exp(d)", "A", "f"],
  expm1: ["np.expm1(d)", "A"],
  log: ["np.log(d)", "A", "fu"],
  log2: ["np.log2(d)", "A"],
  log10: ["np.log10(d)", "A"],
  log1p: ["np.log1p(d)", "A"],
  tanh: ["np.tanh(d)", "T", "fi"],
  deg2rad: ["np.deg2rad(d)", "R"],
  rad2deg: ["np.rad2deg(d)", "R"],
  relu: ["np.maximum(x, 0)", "E", "fiu"],
  sigmoid: ["1 / (1 + np.exp(-d))", "T"],
  silu: ["d / (1 + np.exp(-d))", "T"],
  isnan: ["np.isnan(x)", "E", "fi"],
  isinf: ["np.isinf(x)", "E", "fi"],
  isfinite: ["np.isfinite(x)", "E", "fi"],
  logical_not: ["np.logical_not(x)", "E", "fiub"],
  bitwise_not: ["np.bitwise_not(x)", "E", "iub"],
};

const BINARY: Readonly<Record<string, readonly [code: string, tolerance: ToleranceClass, types?: string]>> = {
  add: ["x + y", "R", "fiub"],
  sub: ["x - y", "R", "fiu"],
  mul: ["x * y", "R", "fiub"],
  div: ["d / e", "D", "f"],
  maximum: ["np.maximum(x, y)", "E", "fiub"],
  minimum: ["np.minimum(x, y)", "E", "fiub"],
  fmax: ["np.fmax(x, y)", "E", "fiu"],
  fmin: ["np.fmin(x, y)", "E", "fiu"],
  copysign: ["np.copysign(x, y)", "E"],
  eq: ["x == y", "E", "fiub"],
  ne: ["x != y", "E", "fiub"],
  lt: ["x < y", "E", "fiub"],
  le: ["x <= y", "E", "fiub"],
  gt: ["x > y", "E", "fiub"],
  ge: ["x >= y", "E", "fiub"],
  logical_and: ["np.logical_and(x, y)", "E", "fiub"],
  logical_or: ["np.logical_or(x, y)", "E", "fiub"],
  logical_xor: ["np.logical_xor(x, y)", "E", "fiub"],
  bitwise_and: ["x & y", "E", "iub"],
  bitwise_or: ["x | y", "E", "iub"],
  bitwise_xor: ["x ^ y", "E", "iub"],
};

/** Registers the tests for a device. */
export function elementwiseSuite(options: EngineOptions, ...wanted: Need[]): void {
  const on = `on ${options.device}`;
  const test = (name: string, run: (engine: Engine, numpy: Numpy) => Promise<void>): void =>
    Deno.test({
      name: `${name}, ${on}`,
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

  test(
    "operations of one operand: each type, with NaN, infinities and the ends of the integers",
    async (engine, numpy) => {
      for (const [name, [code, tolerance, types = "f"]] of Object.entries(UNARY)) {
        for (const x of types.split("").map((type) => samples(type))) {
          const wanted = await numpy.ask(code, { x, d: wide(x) });
          using tensor = onto(engine, x);
          using got = engine.map(name, [tensor]);
          await near(got, wanted, tolerance, `${name} of ${x.data.constructor.name}`);
        }
      }
    },
  );

  test("operations of two operands: each value against each, by broadcasting", async (engine, numpy) => {
    for (const [name, [code, tolerance, types = "f"]] of Object.entries(BINARY)) {
      for (const type of types) {
        const x = samples(type, true);
        const n = x.data.length;
        const [column, row] = [{ ...x, shape: [n, 1] }, { ...x, shape: [1, n] }];
        const wanted = await numpy.ask(code, { x: column, y: row, d: wide(column), e: wide(row) });
        using a = onto(engine, column);
        using b = onto(engine, row);
        using got = engine.map(name, [a, b]);
        await near(got, wanted, tolerance, `${name} of ${x.data.constructor.name}`);
      }
    }
  });

  test("operations of three operands", async (engine, numpy) => {
    const codes: [string, string, ToleranceClass][] = [
      ["where", "np.where(x, y, z)", "E"],
      ["clamp", "np.minimum(np.maximum(x, y), z)", "E"],
      ["addcmul", "x + y * z", "A"],
      ["addcdiv", "x + y / z", "A"],
      ["lerp", "x + z * (y - x)", "A"],
    ];
    const x = { data: Float32Array.of(-1.5, 0, 0.25, 3, 1e-3, 7), shape: [6, 1] };
    const y = { data: Float32Array.of(-2, 0.5, 0.75, 4), shape: [4] };
    const z = { data: Float32Array.of(0.125, 0.5, 1, 2), shape: [4] };
    using a = onto(engine, x);
    using b = onto(engine, y);
    using c = onto(engine, z);
    for (const [name, code, tolerance] of codes) {
      using got = engine.map(name, [a, b, c]);
      await near(got, await numpy.ask(code, { x, y, z }), tolerance, name);
    }
  });

  test(
    "shapes: empty, single, around a group, above one dispatch's rows, and up to eight dims",
    async (engine, numpy) => {
      const shapes = [[], [1], [0], [7], [1, 1], [3, 0, 2], [255], [256], [257], [65537], [3, 1, 2, 3, 5], [
        2,
        1,
        3,
        2,
        1,
        3,
        2,
        3,
      ]];
      for (const shape of shapes) {
        const x = await numpy.ask(
          `np.arange(${shape.reduce((a, b) => a * b, 1)}, dtype='f4').reshape(${pythonShape(shape)})`,
        );
        using tensor = onto(engine, x);
        using got = engine.map("add", [tensor, 1]);
        await near(got, await numpy.ask("x + 1", { x }), "E", `[${shape}]`);
      }
    },
  );

  test(
    "broadcasting and strided operands: transposed, stepped, reversed, repeated, from an offset",
    async (engine, numpy) => {
      const x = await numpy.ask("(np.arange(210, dtype='f4') - 100).reshape(5, 6, 7)");
      using a = onto(engine, x);
      const views: [string, () => ReturnType<typeof a.permute>][] = [
        ["x.transpose(2, 0, 1)", () => a.permute(2, 0, 1)],
        ["x.swapaxes(-1, -2)", () => a.transpose()],
        ["x[:, ::2]", () => a.slice(1, { step: 2 })],
        ["x[..., ::-1]", () => a.slice(-1, { step: -1 })],
        ["x[1:4]", () => a.slice(0, { start: 1, stop: 4 })],
        ["x[..., 3:4]", () => a.slice(2, { start: 3, stop: 4 })],
        ["x[2:2]", () => a.slice(0, { start: 2, stop: 2 })],
      ];
      for (const [code, view] of views) {
        using seen = view();
        await near(seen, await numpy.ask(code, { x }), "E", code);
        using whole = engine.map("mul", [seen, seen]);
        await near(whole, await numpy.ask(`${code} * ${code}`, { x }), "E", `${code} squared`);
      }
      const pairs: [number[], number[]][] = [[[3, 1], [1, 4]], [[], [2, 3]], [[2, 1, 3], [5, 1]], [[4, 1, 6], [
        4,
        5,
        1,
      ]], [[0, 1], [1, 3]]];
      for (const [one, other] of pairs) {
        const [p, q] = await Promise.all(
          [one, other].map((shape) =>
            numpy.ask(`np.arange(np.prod(${pythonShape(shape)}), dtype='f4').reshape(${pythonShape(shape)})`)
          ),
        );
        using b = onto(engine, p);
        using c = onto(engine, q);
        using sum = engine.map("add", [b, c]);
        await near(sum, await numpy.ask("p + q", { p, q }), "E", `[${one}] and [${other}]`);
      }
    },
  );

  test("casts saturate from floats, wrap between integers, and make NaN true (ops.md §13)", async (engine) => {
    using x = engine.tensor([NaN, -Infinity, 3e9, -3e9, 5e9, -1.5, 0.5, 2.5]);
    using i = x.runner.cast(x, "i32");
    deepEqual([...await i.read()], [0, -(2 ** 31), 2 ** 31 - 1, -(2 ** 31), 2 ** 31 - 1, -1, 0, 2]);
    using u = x.runner.cast(x, "u32");
    deepEqual([...await u.read()], [0, 0, 3e9, 0, 2 ** 32 - 1, 0, 0, 2]);
    using b = x.runner.cast(x, "bool");
    deepEqual([...await b.read()], [1, 1, 1, 1, 1, 1, 1, 1]);
    using wrapped = i.runner.cast(i, "u32");
    deepEqual([(await wrapped.read())[1], (await wrapped.read())[5]], [2 ** 31, 2 ** 32 - 1]);
    using y = engine.tensor([2 ** 24 + 1, -(2 ** 31)], { dtype: "i32" });
    using f = y.runner.cast(y, "f32");
    deepEqual([...await f.read()], [2 ** 24, -(2 ** 31)]);
  });

  test("more elements than one dim of a dispatch has rows for", async (engine) => {
    const size = 65535 * 256 + 300;
    using x = engine.full([size], 2);
    using y = engine.map("add", [x, x]);
    using end = y.slice(0, { start: size - 3 });
    deepEqual([...await end.read()], [4, 4, 4]);
    using narrow = y.slice(0, { step: 3 });
    using strided = engine.map("mul", [narrow, 0.5]);
    using last = strided.slice(0, { start: -2 });
    deepEqual([...await last.read()], [2, 2]);
  });
}

function samples(type: string, few = false): NumpyArray {
  const make = (): NumpyArray["data"] => {
    if (type === "f") return Float32Array.from(few ? FEW_FLOATS : FLOATS);
    if (type === "i") return Int32Array.from(INTEGERS);
    return type === "u" ? Uint32Array.from(UNSIGNED) : Uint8Array.of(0, 1, 1, 0, 1);
  };
  const data = make();
  return { data, shape: [data.length] };
}

function wide({ data, shape }: NumpyArray): NumpyArray {
  return { data: Float64Array.from(data), shape };
}

function pythonShape(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape},)` : `(${shape})`;
}
