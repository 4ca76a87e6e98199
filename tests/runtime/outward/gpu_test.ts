/**
 * A guest's `gpu`: what it computes, and what its quotas and handles refuse.
 *
 * @module
 */
import { guestGpuUse, Isolate, ProcessGuest, runningGpuProcesses } from "@alknet/runtime";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { guestHashes } from "../../../cli/gpu/guest_hashes.ts";
import { needs } from "../../support/programs.ts";
import { assertNothingHeld, gpuGuest, shaderOf, told } from "./gpu_suite.ts";

const vulkan = needs("vulkan");
const COUNT = shaderOf("n[id.x] = n[id.x] + id.x;");

Deno.test("guest: without the grant there is no gpu, whatever else it has", async () => {
  using isolate = await Isolate.create();
  assert.equal(await isolate.evaluate("typeof gpu"), "undefined");
  await using guest = await ProcessGuest.start({ allowFetch: { origins: ["https://example.com"] } });
  assert.equal(await guest.evaluate("typeof gpu"), "undefined");
  await assert.rejects(gpuGuest({ maxBytes: 0 }), { code: "E_REFUSED", message: /allowGpu: maxBytes is 0/ });
});

Deno.test({
  name: "guest gpu: SHA-256 is right, in a guest of either kind faster than in its own JavaScript",
  ...vulkan,
  async fn() {
    const [bytes, piece, script] = [1 << 20, 4096, 1 << 15];
    await using guest = await guestHashes(bytes, piece, script);
    const digests = await guest.onGpu();
    for (let at = 0; at < bytes; at += piece) {
      const wanted = createHash("sha256").update(guest.data.subarray(at, at + piece)).digest();
      assert.deepEqual(digests.subarray(at / piece * 32, at / piece * 32 + 32), new Uint8Array(wanted));
    }
    const begun = performance.now();
    await guest.onGpu();
    const between = performance.now();
    assert.deepEqual(await guest.inScript(), digests.subarray(0, script / piece * 32));
    const [gpu, own] = [(between - begun) / bytes, (performance.now() - between) / script];
    assert.ok(own > gpu, `a byte takes ${own / gpu} times as long in JavaScript`);
    using isolate = await Isolate.create({ allowGpu: {}, limits: { cpu: 5000 } });
    const source = `(async () => {
      const [shader, buffer] = [await gpu.compile(${COUNT}), await gpu.buffer(new Uint8Array(256).fill(1))];
      await gpu.dispatch({ shader, bindings: [buffer] });
      return await gpu.read(buffer, { offset: 8, length: 4 });
    })()`;
    assert.deepEqual(await isolate.evaluate(source), new Uint8Array([3, 1, 1, 1]));
    isolate[Symbol.dispose]();
    await guest[Symbol.asyncDispose]();
    await assertNothingHeld();
  },
});

Deno.test({
  name: "guest gpu: a guest that leaves it alone has no process; one that was disposed of has none either",
  ...vulkan,
  async fn() {
    {
      await using guest = await gpuGuest();
      await guest.evaluate("typeof gpu");
      assert.equal(runningGpuProcesses(), 0);
      const info = await guest.evaluate("gpu.info()") as Record<string, unknown>;
      assert.deepEqual(Object.keys(info), ["fallback", "invocations", "workgroupBytes", "bindings", "bytes"]);
      assert.equal(runningGpuProcesses(), 1);
      await guest.evaluate(`(async () => { await gpu.buffer(1 << 20); await gpu.compile(${COUNT}); })()`);
      assert.deepEqual(guestGpuUse(), { buffers: 1, bytes: 1 << 20, shaders: 1 });
    }
    await assertNothingHeld();
  },
});

Deno.test({
  name: "guest gpu: handles that are forged, or another guest's, lead nowhere (runtime.md row 68)",
  ...vulkan,
  async fn() {
    await using first = await gpuGuest();
    await using second = await gpuGuest();
    const [shader, buffer] = await first.evaluate(
      `Promise.all([gpu.compile(${COUNT}), gpu.buffer(new Uint8Array(256).fill(7))])`,
    ) as number[];
    await second.evaluate("gpu.buffer(256)");
    const forged = [
      buffer,
      shader,
      buffer + 1,
      0,
      1,
      2,
      -1,
      NaN,
      2 ** 53,
      "'1'",
      "null",
      "{}",
      "[1]",
      "undefined",
      "true",
    ];
    const own = await second.evaluate(`gpu.compile(${COUNT})`);
    for (const handle of forged) {
      const attempts = [
        `gpu.read(${handle})`,
        `gpu.write(${handle}, 0, new Uint8Array(4))`,
        `gpu.release(${handle})`,
        `gpu.dispatch({ shader: ${handle}, bindings: [] })`,
        `gpu.dispatch({ shader: ${own}, bindings: [${handle}] })`,
      ];
      for (const attempt of attempts) assert.equal(await told(second, attempt), "GPU_NOT_FOUND", attempt);
    }
    assert.equal(await told(first, `gpu.read(${shader})`), "GPU_NOT_FOUND", "a shader is no buffer");
    assert.deepEqual(await first.evaluate(`gpu.read(${buffer})`), new Uint8Array(256).fill(7));
    await first.evaluate(`gpu.release(${buffer})`);
    assert.equal(await told(first, `gpu.read(${buffer})`), "GPU_NOT_FOUND");
  },
});

Deno.test({
  name: "guest gpu: sizes, offsets, grids and bindings that cannot be are refused (runtime.md row 76)",
  ...vulkan,
  async fn() {
    await using guest = await gpuGuest();
    await guest.evaluate(`var shader, buffer, other; (async () => {
      shader = await gpu.compile(${COUNT});
      [buffer, other] = [await gpu.buffer(256), await gpu.buffer(256)];
    })()`);
    const refused: Readonly<Record<string, readonly string[]>> = {
      GPU_LIMIT: [
        `gpu.buffer(${(64 << 20) + 4})`,
        `gpu.buffer(${64 << 20})`,
        "gpu.buffer(2 ** 52)",
        "gpu.dispatch({ shader, bindings: [buffer], grid: 65536 })",
        "gpu.dispatch({ shader, bindings: [buffer], grid: [256, 257] })",
        "gpu.dispatch({ shader, bindings: [buffer], grid: [2 ** 30, 2 ** 30, 2 ** 30] })",
      ],
      GPU_REFUSED: [
        ...["0", "-4", "3", "4.5", "NaN", "Infinity", "2 ** 53"].map((bytes) => `gpu.buffer(${bytes})`),
        "gpu.buffer(new Uint8Array(0))",
        ...["-4", "2", "260", "2 ** 40", "NaN", "'0'", "null", "{}"].map((offset) =>
          `gpu.read(buffer, { offset: ${offset} })`
        ),
        ...["-4", "2", "260", "2 ** 40", "'4'"].map((length) => `gpu.read(buffer, { length: ${length} })`),
        "gpu.read(buffer, { offset: 252, length: 8 })",
        "gpu.write(buffer, 252, new Uint8Array(8))",
        "gpu.write(buffer, -4, new Uint8Array(8))",
        "gpu.write(buffer, 0, new Uint8Array(7))",
        "gpu.dispatch({ shader, bindings: [buffer, buffer] })",
        "gpu.dispatch({ shader, bindings: Array(33).fill(buffer) })",
        "gpu.dispatch({ shader, bindings: buffer })",
        ...["-1", "1.5", "[]", "[1, 1, 1, 1]", "['1']", "null"].map((grid) =>
          `gpu.dispatch({ shader, bindings: [buffer], grid: ${grid} })`
        ),
        ...["'__x\\\\n'", "''", "5", "'a'.repeat(65)"].map((entry) =>
          `gpu.dispatch({ shader, bindings: [buffer], entry: ${entry} })`
        ),
        "gpu.dispatch({ shader, bindings: [buffer], params: new Uint8Array(65537) })",
        "gpu.compile(5)",
      ],
      GPU_FAILED: [
        "gpu.dispatch({ shader, bindings: [buffer, other] })",
        "gpu.dispatch({ shader, bindings: [] })",
        "gpu.dispatch({ shader, bindings: [buffer], entry: 'other' })",
      ],
    };
    for (const [code, attempts] of Object.entries(refused)) {
      for (const attempt of attempts) assert.equal(await told(guest, attempt), code, attempt);
    }
    assert.equal(await told(guest, "gpu.dispatch({ shader, bindings: [buffer], grid: [4, 0] })"), null);
    assert.deepEqual(await guest.evaluate("gpu.read(buffer)"), new Uint8Array(256), "nothing has run");
    assert.deepEqual(guestGpuUse(), { buffers: 2, bytes: 512, shaders: 1 });
    assert.equal(await told(guest, "gpu.dispatch({ shader, bindings: [buffer] })"), null);
    assert.equal((await guest.evaluate("gpu.read(buffer)") as Uint8Array)[4 * 63], 63);
  },
});

Deno.test({
  name: "guest gpu: floods of buffers and of shaders end at their quotas, and what is released may be had again",
  ...vulkan,
  async fn() {
    await using guest = await gpuGuest({ maxBuffers: 20, maxShaders: 3, maxBytes: 1 << 20 });
    const flood = (make: string) =>
      `(async () => {
      const codes = {};
      for (let i = 0; i < 200; i++) {
        const code = await ${make}.then((handle) => { kept.push(handle); return "made"; }, (error) => error.code);
        codes[code] = (codes[code] ?? 0) + 1;
      }
      return codes;
    })()`;
    await guest.evaluate("var kept = []");
    assert.deepEqual({ ...await guest.evaluate(flood("gpu.buffer(4)")) as object }, { made: 20, GPU_LIMIT: 180 });
    assert.deepEqual({ ...await guest.evaluate(flood(`gpu.compile(${COUNT})`)) as object }, {
      made: 3,
      GPU_LIMIT: 197,
    });
    assert.deepEqual(guestGpuUse(), { buffers: 20, bytes: 80, shaders: 3 });
    await guest.evaluate("Promise.all(kept.splice(0).map(gpu.release))");
    assert.deepEqual(guestGpuUse(), { buffers: 0, bytes: 0, shaders: 0 });
    assert.deepEqual({ ...await guest.evaluate(flood(`gpu.buffer(${1 << 18})`)) as object }, {
      made: 4,
      GPU_LIMIT: 196,
    });
    const many =
      "Promise.allSettled(Array.from({ length: 1000 }, () => gpu.info())).then((all) => all.filter(({ status }) => status === 'rejected').length)";
    assert.equal(await guest.evaluate(many), 1000 - 256);
  },
});

Deno.test({
  name: "guest gpu: the time of compilations and dispatches is a quota",
  ...vulkan,
  async fn() {
    await using guest = await gpuGuest({ timeAMinute: 0.001 });
    assert.equal(typeof await told(guest, "gpu.buffer(64)"), "number");
    assert.equal(await told(guest, `gpu.compile(${COUNT})`), "GPU_LIMIT");
    assert.deepEqual(guestGpuUse(), { buffers: 1, bytes: 64, shaders: 0 });
  },
});

Deno.test({
  name: "guest gpu: a grant that is taken back ends what waits for it and gives back what it holds",
  ...vulkan,
  async fn() {
    await using guest = await gpuGuest();
    await guest.evaluate("gpu.buffer(1 << 20)");
    guest.revoke("gpu");
    assert.equal(await told(guest, "gpu.buffer(4)"), "NOT_FOUND");
    await assertNothingHeld();
    assert.equal(await guest.evaluate("1 + 1"), 2);
  },
});
