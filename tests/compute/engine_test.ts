/**
 * Handles: lifetimes, scopes, views, budgets, what is refused and how it is said.
 *
 * @module
 */
import { deepEqual, equal, notEqual, ok, rejects, throws } from "node:assert/strict";
import {
  add,
  cast,
  clamp,
  type ComputeError,
  eq,
  matmul,
  mean,
  openEngine,
  sub,
  sum,
  type Tensor,
  where,
} from "@alknet/compute";
import { needs } from "../support/programs.ts";
import { runProgram } from "../support/process.ts";
import { ROOT } from "../support/python.ts";

const CPU = { device: "cpu", threads: 1 } as const;

Deno.test("tensor(), full(), zeros(), ones(): elements, shapes and types", async () => {
  await using engine = await openEngine(CPU);
  const cases: [Tensor, string, number[], number[]][] = [
    [engine.tensor([[1, 2], [3, 4]]), "f32", [2, 2], [1, 2, 3, 4]],
    [engine.tensor(7), "f32", [], [7]],
    [engine.tensor([]), "f32", [0], []],
    [engine.tensor([[], []]), "f32", [2, 0], []],
    [engine.tensor([true, false]), "bool", [2], [1, 0]],
    [engine.tensor(Int32Array.of(-1, 2)), "i32", [2], [-1, 2]],
    [engine.tensor(Uint32Array.of(2 ** 32 - 1)), "u32", [1], [2 ** 32 - 1]],
    [engine.tensor(Int16Array.of(-3, 7)), "i32", [2], [-3, 7]],
    [engine.tensor(BigInt64Array.of(-(2n ** 31n), 5n)), "i32", [2], [-(2 ** 31), 5]],
    [engine.tensor(BigInt64Array.of(2n ** 40n), { dtype: "f32" }), "f32", [1], [2 ** 40]],
    [engine.tensor(new Float64Array([0.5, 1]), { shape: [2, 1] }), "f32", [2, 1], [0.5, 1]],
    [engine.tensor([1.9, -1.9, NaN, 1e10], { dtype: "i32" }), "i32", [4], [1, -1, 0, 2 ** 31 - 1]],
    [engine.zeros([2], { dtype: "bool" }), "bool", [2], [0, 0]],
    [engine.ones([1, 2]), "f32", [1, 2], [1, 1]],
    [engine.full([2], Infinity), "f32", [2], [Infinity, Infinity]],
  ];
  for (const [tensor, dtype, shape, data] of cases) {
    deepEqual([tensor.dtype, [...tensor.shape], [...await tensor.read()]], [dtype, shape, data]);
    tensor.dispose();
  }
  equal(engine.stats().live, 0);
});

Deno.test("operations: promotion, weak numbers and rank-0 tensors (ops.md §1.3)", async () => {
  await using engine = await openEngine(CPU);
  const made = engine.scope(({ keep }) => {
    const i = engine.tensor(Int32Array.of(1, 2));
    const b = engine.tensor([true, false]);
    return [
      [add(i, 1), "i32", [2, 3]],
      [add(i, 1.5), "f32", [2.5, 3.5]],
      [add(b, 2), "i32", [3, 2]],
      [add(i, engine.tensor(0.5)), "f32", [1.5, 2.5]],
      [add(i, b), "i32", [2, 2]],
      [where(b, i, 0), "i32", [1, 0]],
      [eq(i, 2), "bool", [0, 1]],
      [clamp(i, 2, 1), "i32", [1, 1]],
      [sum(b), "i32", [1]],
    ].map(([tensor, ...rest]) => [keep(tensor as Tensor), ...rest] as const);
  });
  for (const [tensor, dtype, data] of made) {
    deepEqual([tensor.dtype, [...await tensor.read()]], [dtype, data]);
    tensor.dispose();
  }
});

Deno.test("errors name the operation, both shapes, the dim and what would do", async () => {
  await using engine = await openEngine(CPU);
  await using stranger = await openEngine(CPU);
  using a = engine.zeros([2, 3]);
  using b = engine.zeros([4, 5]);
  using i = engine.tensor(Int32Array.of(1));
  using u = engine.tensor(Uint32Array.of(1));
  using foreign = stranger.zeros([2, 3]);
  const gone = engine.zeros([1]);
  gone.dispose();
  const cases: [() => unknown, string, RegExp][] = [
    [() => add(a, b), "E_SHAPE", /^add: shapes \[2,3\] and \[4,5\] do not broadcast: 2 and 4 in dim -2 /],
    [() => matmul(a, b), "E_SHAPE", /^matmul: shapes \[2,3\] and \[4,5\] do not multiply: dim -1 .* 3 .*dim -2 .* 4/],
    [() => matmul(a, engine.zeros([])), "E_SHAPE", /^matmul: .*need a dim/],
    [() => matmul(a, i), "E_DTYPE", /^matmul: takes f32, not i32/],
    [() => sum(a, { dim: 2 }), "E_DIM", /^sum: dim 2 does not exist in shape \[2,3\]; -2 to 1 do/],
    [() => sum(a, { dim: [0, -2] }), "E_DIM", /^sum: .*twice/],
    [() => mean(i), "E_DTYPE", /^mean: takes f32, not i32; cast/],
    [() => add(i, u), "E_DTYPE", /^add: operands are i32 and u32, .*cast/],
    [() => add(u, -1), "E_DTYPE", /^add: -1 does not fit u32/],
    [() => sub(cast(a, "bool"), true), "E_DTYPE", /^sub: takes f32, i32, u32, not bool/],
    [() => add(a, foreign), "E_BUFFER", /^add: tensor \d+ belongs to another engine/],
    [() => add(gone, 1), "E_BUFFER", /^add: tensor \d+ of full \[1\] was disposed/],
    [() => engine.tensor([[1], [1, 2]]), "E_SHAPE", /^tensor: lists in dim 1 have unequal lengths/],
    [() => engine.tensor([1, 2], { shape: [3] }), "E_SHAPE", /^tensor: 2 elements do not make shape \[3\]/],
    [
      () => engine.zeros([1], { dtype: "f16" as "f32" }),
      "E_DTYPE",
      /^full: elements of "f16" cannot be computed with; f32, i32/,
    ],
    [
      () => engine.tensor(BigInt64Array.of(2n ** 31n)),
      "E_VALUE",
      /^tensor: 2147483648 does not fit i32; give another dtype/,
    ],
    [() => engine.zeros([-1]), "E_SHAPE", /^full: shape \[-1\]/],
    [() => engine.zeros(new Array(9).fill(1)), "E_LIMIT", /at most 8/],
    [() => engine.zeros([2 ** 20, 2 ** 20]), "E_LIMIT", /more than 4294967295 elements/],
    [() => a.permute(0, 0), "E_DIM", /^permute: \[0,0\] must name each dim of shape \[2,3\] once/],
    [() => a.reshape(4), "E_SHAPE", /^reshape: shape \[2,3\] of 6 elements does not make \[4\]/],
  ];
  for (const [run, code, pattern] of cases) {
    throws(
      run,
      (error: ComputeError) => (equal(error.code, code), ok(pattern.test(error.message), error.message), true),
    );
  }
  await rejects(async () => await gone.read(), { code: "E_BUFFER" });
  throws(() => engine.map("nonsense", [a]), RangeError);
  throws(() => add(1, 2), TypeError);
});

Deno.test("scope() disposes of what is not kept, in scopes within too, and when it throws", async () => {
  await using engine = await openEngine(CPU);
  using a = engine.ones([3]);
  const kept = engine.scope(({ keep }) => {
    add(a, 1);
    return engine.scope((inner) => {
      add(a, 2);
      return keep(inner.keep(add(a, 3)));
    });
  });
  deepEqual([...await kept.read()], [4, 4, 4]);
  kept.dispose();
  throws(() =>
    engine.scope(() => {
      add(a, 1);
      throw new Error("no");
    }), /no/);
  throws(() => engine.scope(() => Promise.resolve(add(a, 1))), TypeError);
  deepEqual(engine.tensors().map(({ made }) => made), ["full"]);
});

Deno.test("views share elements and keep them; a disposed base does not take them away", async () => {
  await using engine = await openEngine(CPU);
  const a = engine.tensor([[1, 2, 3], [4, 5, 6]]);
  using turned = a.transpose();
  using row = turned.slice(0, { start: -1 });
  equal(engine.stats().live, 1, "one buffer");
  a.dispose();
  a.dispose();
  deepEqual([...await turned.read()], [1, 4, 2, 5, 3, 6]);
  deepEqual([[...row.shape], ...await row.read()], [[1, 2], 3, 6]);
  using copy = row.clone();
  notEqual(copy.layout.offset, row.layout.offset);
  using flat = turned.reshape(-1);
  deepEqual([...await flat.read()], [1, 4, 2, 5, 3, 6]);
  deepEqual(engine.tensors().map(({ made, shape, bytes }) => [made, shape, bytes]), [
    ["permute", [3, 2], 24],
    ["slice", [1, 2], 8],
    ["clone", [1, 2], 8],
    ["reshape", [6], 24],
  ]);
});

Deno.test("a budget bounds live bytes, and what is disposed of can be used again", async () => {
  await using engine = await openEngine({ ...CPU, budget: 1 << 20 });
  using half = engine.zeros([1 << 17]);
  throws(() => engine.zeros([1 << 18]), {
    code: "E_LIMIT",
    message: /^full: 1048576 bytes more than the 524288 in use .*budget/,
  });
  for (let i = 0; i < 100; i++) add(half, 1).dispose();
  const { live, liveBytes, allocations, peakBytes } = engine.stats();
  deepEqual([live, liveBytes, peakBytes], [1, 1 << 19, 1 << 20]);
  ok(allocations <= 102);
  using small = engine.zeros([16]);
  for (let i = 0; i < 100; i++) add(small, 1).dispose();
  ok(engine.stats().reused >= 99);
});

Deno.test("a buffer that is used again holds nothing of before: zeros are written", async () => {
  await using engine = await openEngine(CPU);
  for (let i = 0; i < 3; i++) {
    using full = engine.full([100], 7);
    equal((await full.read())[99], 7);
    full.dispose();
    using zeros = engine.zeros([100]);
    ok((await zeros.read()).every((value) => value === 0));
  }
});

for (const device of ["cpu", "gpu"] as const) {
  Deno.test({
    name: `a thousand steps take no more buffers than ten, and leave none, on ${device}`,
    ...(device === "gpu" ? needs("vulkan") : {}),
    async fn() {
      await using engine = await openEngine({ device, threads: 1 });
      using weights = engine.full([8, 8], 0.125);
      let state: Tensor = engine.ones([8, 8]);
      const steps = (count: number): void => {
        for (let i = 0; i < count; i++) {
          const next = engine.scope(({ keep }) => keep(add(matmul(state, weights), sum(state, { dim: 0 }))));
          state.dispose();
          state = clamp(next, -1, 1);
          next.dispose();
        }
      };
      steps(10);
      const { live, allocations } = engine.stats();
      steps(1000);
      const after = engine.stats();
      deepEqual([after.live, after.allocations], [live, allocations]);
      deepEqual([...await state.read()], new Array(64).fill(1));
      state.dispose();
      deepEqual(engine.tensors().length, 1);
    },
  });
}

Deno.test("a tensor above 128 MiB is computed with; one above the largest buffer is refused", async () => {
  await using engine = await openEngine({ device: "cpu", threads: 2 });
  using ones = engine.ones([2 ** 25 + 8]);
  using total = sum(ones);
  deepEqual([...await total.read()], [2 ** 25 + 8]);
  throws(() => engine.zeros([2 ** 32 - 1]), {
    code: "E_LIMIT",
    message: /^full: 17179869180 bytes are more than the \d+ of the largest/,
  });
});

Deno.test("a tensor that is forgotten is told to the log, and its buffer given back", async () => {
  equal(await forgotten("engine.ones([2, 3])"), "Tensor of full [2,3] was collected without dispose 0\n");
});

Deno.test("a graph that is forgotten goes with its tensors: what it saved is given back", async () => {
  const told = await forgotten("const x = engine.ones([2]); x.requiresGrad = true; sum(mul(exp(x), tanh(x)))");
  equal(told.split(",").length, 5, told);
  ok(told.endsWith(" 0\n"));
});

/** What the log says when the tensors of a program are collected, and how many are left. */
async function forgotten(made: string): Promise<string> {
  const program = `
    import { configure } from "@logtape/logtape";
    import { exp, mul, openEngine, sum, tanh } from "@alknet/compute";
    const lines: string[] = [];
    await configure({
      sinks: { list: (record) => lines.push(record.message.join("")) },
      loggers: [{ category: "alknet", sinks: ["list"] }, { category: ["logtape", "meta"], lowestLevel: "error" }],
    });
    await using engine = await openEngine({ device: "cpu", threads: 1 });
    (() => { ${made}; })();
    for (let turn = 0; engine.tensors().length + engine.stats().live > 0 && turn < 1000; turn++) {
      (globalThis as unknown as { gc(): void }).gc();
      await new Promise((done) => setTimeout(done));
    }
    console.log(lines.join(), engine.tensors().length);
  `;
  const args = ["run", "-A", "--no-check", "--v8-flags=--expose-gc", "--ext=ts", "-"];
  const { stdout, stderr } = await runProgram(Deno.execPath(), args, { cwd: ROOT, stdin: program });
  return stdout || stderr;
}

Deno.test("without the permission that threads need, one thread computes", async () => {
  const program = `
    import { add, openEngine, sum } from "@alknet/compute";
    await using engine = await openEngine({ device: "cpu", threads: 3 });
    console.log(...await sum(add(engine.ones([2 ** 20]), 1)).read());
  `;
  const args = ["run", "--no-prompt", "--no-check", "--ext=ts", "-"];
  const { code, stdout, stderr } = await runProgram(Deno.execPath(), args, { cwd: ROOT, stdin: program });
  deepEqual([code, stdout], [0, "2097152\n"], stderr);
});

Deno.test("a closed engine refuses, and its tensors can still be disposed of", async () => {
  const engine = await openEngine(CPU);
  const a = engine.ones([2]);
  await engine[Symbol.asyncDispose]();
  await engine[Symbol.asyncDispose]();
  throws(() => add(a, 1), { code: "E_BUFFER" });
  throws(() => engine.zeros([1]), { code: "E_BUFFER" });
  a.dispose();
});
