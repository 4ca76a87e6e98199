/**
 * The GPU of tensors: a device that is theirs alone, opened where all devices are.
 *
 * @module
 */
import { NO_ADAPTER, openDevice } from "@alknet/runtime/device";
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
  // Other limits stay at WebGPU's defaults: shaders are made for them, and so compute the same everywhere.
  const limits = ["maxStorageBufferBindingSize", "maxBufferSize"] as const;
  const opened = await openDevice({ limits, allowFallback: wanted });
  if (opened) return new GpuDevice(opened.device, opened.info.name, opened.info.fallback);
  if (!wanted) return undefined;
  throw new ComputeError("E_DEVICE", "open", `${NO_ADAPTER}, or use the cpu`);
}
