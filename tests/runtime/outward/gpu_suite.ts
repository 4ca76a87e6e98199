/**
 * Guests with a GPU, for tests.
 *
 * @module
 */
import { type GpuGrant, guestGpuUse, ProcessGuest, runningGpuProcesses } from "@alknet/runtime";
import assert from "node:assert/strict";

/** A guest that has nothing but a GPU. */
export async function gpuGuest(allowGpu: GpuGrant = {}): Promise<ProcessGuest> {
  return await ProcessGuest.start({ allowGpu, limits: { cpu: 1000, wall: 60_000, memory: 128 } });
}

/** What a guest is told: the code of what fails, else the value. */
export async function told(guest: ProcessGuest, code: string): Promise<unknown> {
  return await guest.evaluate(
    `(async () => { try { return await (${code}); } catch (error) { return error.code ?? String(error); } })()`,
  );
}

/** A shader that does to `n` at its own place, once for an invocation. */
export function shaderOf(statement: string, more: string = ""): string {
  return JSON.stringify(`
    @group(0) @binding(0) var<storage, read_write> n: array<u32>;
    ${more}
    @compute @workgroup_size(64)
    fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_index) at: u32) { ${statement} }
  `);
}

/** Runs for hours, also where drivers end loops after some ten thousand turns. */
export const ENDLESS = `(async () => {
  const shader = await gpu.compile(${
  shaderOf(
    "var x = 1u; loop { x = x * 3u + n[id.x & 255u]; n[id.x & 255u] = x | 1u; if (x == 0u && n[1] == 5u) { break; } }",
  )
});
  const buffer = await gpu.buffer(1024);
  await gpu.dispatch({ shader, bindings: [buffer], grid: 65535 });
  return "it has ended";
})()`;

/** Nothing is left of any guest: no handle, no byte, no process. */
export async function assertNothingHeld(): Promise<void> {
  assert.deepEqual(guestGpuUse(), { buffers: 0, bytes: 0, shaders: 0 });
  // A process that was killed is gone when the system says so.
  for (let turn = 0; turn < 1000 && runningGpuProcesses() > 0; turn++) await new Promise((go) => setTimeout(go, 10));
  assert.equal(runningGpuProcesses(), 0);
}
