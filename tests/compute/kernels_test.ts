/**
 * From rows to kernels: every row renders for both targets in every type, kernels serve all sizes, and threads change nothing.
 *
 * @module
 */
import { deepEqual, equal, notEqual, ok, throws } from "node:assert/strict";
import { Arena } from "../../compute/devices/cpu/arena.ts";
import { CpuDevice } from "../../compute/devices/cpu/cpu.ts";
import { planMap } from "../../compute/kernels/map.ts";
import { planReduce } from "../../compute/kernels/reduce.ts";
import type { ReduceSpec } from "../../compute/kernels/spec.ts";
import { FOLDS, MAPS } from "../../compute/table/table.ts";
import { contiguous, expand } from "../../compute/values/shape.ts";
import { WASM_GENERATOR } from "../../compute/wasm/generator.ts";
import { renderMatmul } from "../../compute/wasm/matmul.ts";
import { WGSL_GENERATOR } from "../../compute/wgsl/generator.ts";
import { Random } from "../support/random.ts";

const CAPS = { relaxed: true, workgroup: 64 };

Deno.test("every row renders for both targets, equal each time, in each of its types and forms", () => {
  for (const { name, arity, dtypes, forward, promotesFrom = 0 } of MAPS.values()) {
    for (const dtype of dtypes) {
      const shapes = [[[8], [8], [8], [8]], [[1], [8], [1], [1]], [[4, 1], [1, 8], [1, 1], [1, 1]]];
      for (const operands of shapes) {
        const shape = operands.reduce((a, b) => a.length < b.length || b.some((one, i) => one > a[i]) ? b : a);
        const whole = shape.length === 2 ? [4, 8] : shape;
        const given = operands.slice(0, arity).map((own) => ({ dtype, layout: expand(contiguous(own), whole) }));
        const types = given.map((_, index) => index < promotesFrom ? "bool" as const : dtype);
        const { spec } = planMap(whole, given, types, forward);
        const bytes = WASM_GENERATOR.render(spec, CAPS);
        ok(WebAssembly.validate(bytes), `${name} of ${dtype}`);
        deepEqual(WASM_GENERATOR.render(spec, CAPS), bytes);
        const shader = WGSL_GENERATOR.render(spec, CAPS);
        equal(WGSL_GENERATOR.render(spec, CAPS), shader);
        ok(!/\b(?:NaN|Infinity)\b/.test(shader), "rule N2");
      }
    }
  }
  for (const row of FOLDS.values()) {
    for (const dtype of row.dtypes) {
      for (const dims of [[0], [1], [0, 2], [0, 1, 2]]) {
        for (const { launches } of planReduce(row, dtype, contiguous([5, 6, 7]), dims, { inLanes: 20, oneByOne: 3 })) {
          for (const { spec } of launches) {
            ok(WebAssembly.validate(WASM_GENERATOR.render(spec, CAPS)), `${row.name} of ${dtype}`);
            ok(WGSL_GENERATOR.render(spec, CAPS).includes("fn main"));
          }
        }
      }
    }
  }
  for (const relaxed of [false, true]) {
    for (const stage of ["pack", "multiply"] as const) {
      ok(WebAssembly.validate(renderMatmul({ kind: "matmul", key: "", stage }, relaxed)));
    }
  }
  equal(WGSL_GENERATOR.supports({ kind: "matmul", key: "", stage: "pack" }, CAPS), true);
  notEqual(WGSL_GENERATOR.supports({ kind: "matmul", key: "", stage: "pack" }, { ...CAPS, workgroup: 32 }), true);
});

Deno.test("planMap(): one kernel for all sizes, dims joined where every operand runs through them", () => {
  const add = MAPS.get("add")!.forward;
  const plan = (shape: number[], ...operands: number[][]) =>
    planMap(shape, operands.map((own) => ({ dtype: "f32" as const, layout: expand(contiguous(own), shape) })), [
      "f32",
      "f32",
    ], add).spec;
  equal(plan([4, 5], [4, 5], [4, 5]).key, plan([2, 3, 7], [2, 3, 7], [2, 3, 7]).key);
  notEqual(plan([4, 5], [4, 5], [5]).key, plan([4, 5], [4, 5], [4, 5]).key);
  const joined = plan([2, 3, 4], [2, 3, 4], [2, 1, 1]);
  deepEqual(joined.kind === "map" && [joined.rank, joined.vector], [2, false]);
  notEqual(planMap([4], [{ dtype: "f32", value: 1 }], ["f32"], (x) => x).spec.key, plan([4], [4], [4]).key);
});

Deno.test("planReduce(): no launch folds more than the limit, and all of it is folded", () => {
  const sum = FOLDS.get("sum")!;
  for (const shape of [[1000], [7, 1000], [1000, 7], [3, 500, 5], [40, 40, 40]]) {
    for (const dims of [[0], [shape.length - 1], shape.map((_, dim) => dim)]) {
      const steps = planReduce(sum, "f32", contiguous(shape), dims, { inLanes: 64, oneByOne: 16 });
      let elements = shape.reduce((a, b) => a * b);
      for (const { launches, size } of steps) {
        let [read, written] = [0, 0];
        for (const { items, weight, spec } of launches) {
          ok(weight <= ((spec as ReduceSpec).lanes === "reduced" ? 64 : 16), `${weight} of [${shape}]`);
          read += items * weight;
          written += items;
        }
        deepEqual([read, written], [elements, size]);
        elements = size;
      }
      equal(elements, shape.reduce((product, extent, dim) => dims.includes(dim) ? product : product * extent, 1));
    }
  }
});

Deno.test("Arena: regions do not overlap, and all of it is one region again at the end", () => {
  const random = new Random(7);
  const arena = new Arena(64, (end) => end <= 1 << 20);
  const held = new Map<number, number>();
  for (let step = 0; step < 3000; step++) {
    if (held.size > 0 && random.chance(0.5)) {
      const [start] = random.pick([...held]);
      arena.free(start);
      held.delete(start);
      continue;
    }
    const size = random.between(1, 20_000);
    const start = arena.allocate(size);
    if (start === undefined) continue;
    equal(start % 64, 0);
    for (const [other, length] of held) ok(start + size <= other || other + length <= start, "regions overlap");
    held.set(start, size);
  }
  for (const start of held.keys()) arena.free(start);
  throws(() => arena.free(64), RangeError);
  equal(arena.allocate((1 << 20) - 64), 64);
});

Deno.test("CpuDevice: the memory ends at what 32-bit addresses reach, and what is freed is there again", async () => {
  await using device = new CpuDevice(1);
  const buffers = [1, 2, 3].map(() => device.allocate(2 ** 30)!);
  equal(device.allocate(2 ** 30), undefined);
  for (const buffer of buffers.slice(0, 2)) device.free(buffer);
  ok(device.allocate(2 ** 31) !== undefined);
});

Deno.test("threads: one, two and five give the same product and sum, bit for bit, while the memory grows", async () => {
  const size = 200;
  const data = Float32Array.from({ length: size * size }, (_, i) => Math.sin(i));
  const results: Uint32Array[] = [];
  for (const threads of [1, 2, 5]) {
    await using device = new CpuDevice(threads);
    const [a, out, total] = [size * size * 4, size * size * 4, 64].map((bytes) => device.allocate(bytes)!);
    device.write(a, new Uint32Array(data.buffer));
    const matrix = { buffer: a, offset: 0, rowStride: size, columnStride: 1 };
    for (let i = 0; i < 10; i++) {
      device.allocate(3 << 20);
      const lent: number[] = [];
      const product = { out, outOffset: 0, a: matrix, b: matrix, m: size, n: size, k: size };
      device.multiply(product, (bytes) => lent[lent.push(device.allocate(bytes)!) - 1]);
      for (const buffer of lent) device.free(buffer);
    }
    const limits = { inLanes: 1 << 20, oneByOne: 1 << 20 };
    const [{ launches }] = planReduce(FOLDS.get("sum")!, "f32", contiguous([size * size]), [0], limits);
    device.launch(launches[0], [total, out]);
    const words = [...await device.read(out, 0, size * size), ...await device.read(total, 0, 1)];
    results.push(Uint32Array.from(words));
  }
  deepEqual(results[1], results[0]);
  deepEqual(results[2], results[0]);
});
