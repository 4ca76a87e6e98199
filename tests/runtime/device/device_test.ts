/**
 * The GPU of the host: a device that is shared and opened anew, and primitive compute on it.
 *
 * @module
 */
import { DeviceKeeper, Gpu, openDevice } from "@alknet/runtime/device";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { hashOnGpu } from "../../../cli/gpu/hash_on_gpu.ts";
import { sha256Pieces } from "../../../cli/gpu/sha256.ts";
import { needs } from "../../support/programs.ts";

const vulkan = needs("vulkan");

Deno.test({
  name: "acquireDevice(): one device for all who ask for the same, destroyed after the last of them",
  ...vulkan,
  async fn() {
    const keeper = new DeviceKeeper();
    const leases = await Promise.all([keeper.acquire(), keeper.acquire(), keeper.acquire({ power: "low-power" })]);
    const [first, second, other] = leases.map((lease) => lease!);
    assert.equal(first.device, second.device);
    assert.notEqual(first.device, other.device);
    assert.equal(keeper.size, 2);
    first[Symbol.dispose]();
    first[Symbol.dispose]();
    assert.ok(second.device.createBuffer({ size: 16, usage: GPUBufferUsage.STORAGE }));
    assert.equal(keeper.size, 2);
    second[Symbol.dispose]();
    assert.equal(keeper.size, 1);
    assert.equal((await second.device.lost).reason, "destroyed");
    other[Symbol.dispose]();
    assert.equal(keeper.size, 0);
  },
});

Deno.test({
  name: "acquireDevice(): limits are what the adapter gives; features that it lacks are reported",
  ...vulkan,
  async fn() {
    const features = ["shader-f16", "no-such-feature" as GPUFeatureName];
    const opened = await openDevice({ features: features as GPUFeatureName[] });
    const adapter = await navigator.gpu.requestAdapter({ powerPreference: "high-performance" });
    assert.equal(opened!.info.limits.maxBufferSize, adapter!.limits.maxBufferSize);
    assert.equal(
      opened!.device.limits.maxComputeInvocationsPerWorkgroup,
      adapter!.limits.maxComputeInvocationsPerWorkgroup,
    );
    assert.equal(opened!.device.limits.maxTextureDimension2D < adapter!.limits.maxTextureDimension2D, true);
    assert.ok(opened!.info.missing.includes("no-such-feature"));
    assert.equal(opened!.info.fallback, adapter!.info.isFallbackAdapter);
    opened!.device.destroy();
    const render = await openDevice({ intent: { render: { request: {} } } });
    assert.equal(render!.device.limits.maxTextureDimension2D, adapter!.limits.maxTextureDimension2D);
    render!.device.destroy();
  },
});

Deno.test({
  name: "acquireDevice(): a device that is lost is told once and opened anew, three times a minute",
  ...vulkan,
  async fn() {
    let now = 0;
    const keeper = new DeviceKeeper({ now: () => now });
    for (let time = 0; time < 3; time++) {
      const lease = (await keeper.acquire())!;
      // As a driver would take it away: nobody gave it back.
      lease.device.destroy();
      assert.equal(await lease.lost, "destroyed");
      assert.equal(keeper.size, 0);
      lease[Symbol.dispose]();
    }
    await assert.rejects(keeper.acquire(), { code: "GPU_UNAVAILABLE" });
    now = 61_000;
    using lease = await keeper.acquire();
    assert.ok(lease);
  },
});

Deno.test("acquireDevice(): without an adapter there is no device, and that is no error", async () => {
  const keeper = new DeviceKeeper({ open: () => Promise.resolve(undefined) });
  assert.deepEqual(await Promise.all([keeper.acquire(), keeper.acquire()]), [undefined, undefined]);
  assert.equal(keeper.size, 0);
  const failing = new DeviceKeeper({ open: () => Promise.reject(new Error("no driver")) });
  await assert.rejects(failing.acquire(), /no driver/);
  assert.equal(failing.size, 0);
});

Deno.test({
  name: "Gpu: SHA-256 of pieces is right, and faster than the same in JavaScript",
  ...vulkan,
  async fn() {
    using gpu = (await Gpu.open())!;
    const [piece, data] = [4096, new Uint8Array(8 << 20)];
    for (let at = 0; at < data.length; at += 65_536) crypto.getRandomValues(data.subarray(at, at + 65_536));
    using hash = await hashOnGpu(gpu, data.length, piece);
    const digests = await hash.run(data);
    for (let at = 0; at < data.length; at += piece) {
      const wanted = createHash("sha256").update(data.subarray(at, at + piece)).digest();
      assert.deepEqual(digests.subarray(at / piece * 32, at / piece * 32 + 32), new Uint8Array(wanted));
    }
    assert.deepEqual(sha256Pieces(data, piece), digests);
    // A machine that is busy with something else just now is given other chances.
    let ratio = 0;
    for (let round = 0; round < 10 && ratio <= 1; round++) {
      const begun = performance.now();
      await hash.run(data);
      const between = performance.now();
      sha256Pieces(data, piece);
      ratio = (performance.now() - between) / (between - begun);
    }
    assert.ok(ratio > 1, `JavaScript takes ${ratio} times as long`);
  },
});

Deno.test({
  name: "Gpu: what is wrong is said where it is asked for, and the next command is none the worse",
  ...vulkan,
  async fn() {
    using gpu = (await Gpu.open())!;
    const group = `@group(0) @binding(0) var<storage, read_write> n: array<u32>;`;
    await assert.rejects(gpu.compile("fn main( {"), {
      code: "GPU_COMPILE",
      message: /line 1, column 10: expected identifier/,
    });
    await assert.rejects(gpu.compile("@compute @workgroup_size(100000) fn main() {}"), { code: "GPU_COMPILE" });
    for (const bytes of [0, 5, -4, 1.5, NaN]) await assert.rejects(gpu.createBuffer(bytes), { code: "GPU_REFUSED" });
    await assert.rejects(gpu.createBuffer(2 ** 50), { code: "GPU_LIMIT" });
    const { shader } = await gpu.compile(`${group} @compute @workgroup_size(1) fn main() { n[0] += 1u; }`);
    const [buffer, other] = [await gpu.createBuffer(16), await gpu.createBuffer(16)];
    const run = { shader, bindings: [buffer], grid: [1] };
    await assert.rejects(gpu.dispatch({ ...run, shader: buffer }), { code: "GPU_NOT_FOUND" });
    await assert.rejects(gpu.dispatch({ ...run, bindings: [99] }), { code: "GPU_NOT_FOUND" });
    await assert.rejects(gpu.dispatch({ ...run, bindings: [buffer, other] }), { code: "GPU_FAILED" });
    await assert.rejects(gpu.dispatch({ ...run, bindings: [] }), { code: "GPU_FAILED" });
    await assert.rejects(gpu.dispatch({ ...run, entry: "other" }), { code: "GPU_FAILED" });
    await assert.rejects(gpu.dispatch({ ...run, bindings: [buffer, buffer] }), { code: "GPU_REFUSED" });
    await assert.rejects(gpu.dispatch({ ...run, grid: [2 ** 20] }), { code: "GPU_REFUSED" });
    await assert.rejects(gpu.read(buffer, 8, 12), { code: "GPU_REFUSED" });
    assert.throws(() => gpu.write(buffer, 2, new Uint8Array(4)), { code: "GPU_REFUSED" });
    await gpu.dispatch(run);
    await gpu.dispatch({ ...run, grid: [0] });
    assert.deepEqual(new Uint32Array((await gpu.read(buffer)).buffer), new Uint32Array([1, 0, 0, 0]));
    assert.deepEqual(gpu.held, { buffers: 2, bytes: 32, shaders: 1 });
    for (const id of [shader, buffer, other]) gpu.release(id);
    assert.deepEqual(gpu.held, { buffers: 0, bytes: 0, shaders: 0 });
    assert.throws(() => gpu.release(buffer), { code: "GPU_NOT_FOUND" });
  },
});
