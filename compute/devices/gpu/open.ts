/**
 * Finding an adapter of WebGPU.
 *
 * @module
 */
import { ComputeError } from "../../values/errors.ts";
import { GpuDevice } from "./gpu.ts";

/**
 * The GPU.
 *
 * @param wanted Whether it was asked for; if not, only an adapter that is not made of software will do.
 * @returns Undefined where there is none and none was asked for.
 * @throws {ComputeError} `E_DEVICE` where there is none and one was.
 */
export async function openGpu(wanted: boolean): Promise<GpuDevice | undefined> {
  const adapter = await navigator.gpu?.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    if (!wanted) return undefined;
    throw new ComputeError(
      "E_DEVICE",
      "open",
      "no adapter of WebGPU was found; install a Vulkan driver (mesa-vulkan-drivers on Debian), or use the cpu",
    );
  }
  if (!wanted && adapter.info.isFallbackAdapter) return undefined;
  const { maxStorageBufferBindingSize, maxBufferSize } = adapter.limits;
  const device = await adapter.requestDevice({ requiredLimits: { maxStorageBufferBindingSize, maxBufferSize } });
  const { description, vendor, architecture, isFallbackAdapter } = adapter.info;
  return new GpuDevice(device, description || `${vendor} ${architecture}`.trim() || "WebGPU", isFallbackAdapter);
}
