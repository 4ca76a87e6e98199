/**
 * The GPU: a device that is shared within the process, and primitive compute on it.
 *
 * Where there is no adapter, {@linkcode Gpu.open} and {@linkcode acquireDevice} give nothing, and nothing else depends on one.
 *
 * @example
 * ```ts
 * import { Gpu } from "@alknet/runtime/device";
 *
 * using gpu = await Gpu.open();
 * if (gpu) {
 *   const { shader } = await gpu.compile(`
 *     @group(0) @binding(0) var<storage, read_write> numbers: array<u32>;
 *     @compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) { numbers[id.x] = id.x * id.x; }
 *   `);
 *   const buffer = await gpu.createBuffer(16);
 *   await gpu.dispatch({ shader, bindings: [buffer], grid: [1] });
 *   const numbers = new Uint32Array((await gpu.read(buffer)).buffer);
 *   console.assert(numbers.join() === "0,1,4,9");
 * }
 * ```
 *
 * @module
 */
export {
  type DeviceInfo,
  type DeviceIntent,
  type DeviceOptions,
  type OpenDevice,
  openDevice,
  type SurfaceInfo,
} from "./adapter.ts";
export { type GpuCode, GpuError, NO_ADAPTER } from "./errors.ts";
export { Gpu, type GpuBufferId, type GpuDiagnostic, type GpuDispatch, type ShaderId } from "./gpu.ts";
export { acquireDevice, DeviceKeeper, type DeviceKeeperOptions, type DeviceLease } from "./shared.ts";
