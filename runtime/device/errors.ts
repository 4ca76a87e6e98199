/**
 * How a GPU fails.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/errors";

/**
 * Why. `GPU_UNAVAILABLE`: there is no adapter, or the device was lost too often. `GPU_LOST`: the device is gone, and all that
 * was on it. `GPU_REFUSED`: a value that cannot be. `GPU_NOT_FOUND`: no such handle. `GPU_LIMIT`: a quota is used up.
 * `GPU_COMPILE`: the shader is wrong. `GPU_FAILED`: the device refused a command.
 */
export type GpuCode =
  | "GPU_UNAVAILABLE"
  | "GPU_LOST"
  | "GPU_REFUSED"
  | "GPU_NOT_FOUND"
  | "GPU_LIMIT"
  | "GPU_COMPILE"
  | "GPU_FAILED";

/** A GPU failed, or refused. */
export class GpuError extends AlknetError {
  /** The class, as it stands before the message. */
  override readonly name = "GpuError";

  /** An error of a GPU: why, and what to do. */
  constructor(code: GpuCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** What to say where there is no adapter. */
export const NO_ADAPTER =
  "no adapter of WebGPU was found; install a Vulkan driver (mesa-vulkan-drivers on Debian runs on the processor alone)";
