/**
 * Opening an engine: which device, and how much of it.
 *
 * @module
 */
import { CpuDevice } from "../devices/cpu/cpu.ts";
import type { Device } from "../devices/device.ts";
import { openGpu } from "../devices/gpu/open.ts";
import { ReferenceDevice } from "../devices/reference/device.ts";
import { Buffers } from "./buffers.ts";
import { Engine } from "./engine.ts";

/** How an engine is opened. */
export interface EngineOptions {
  /**
   * The target. `auto`, the default, is the GPU where there is one that is not made of software, else the CPU; `reference`
   * computes in float64, one element after the other.
   */
  readonly device?: "auto" | "cpu" | "gpu" | "reference";
  /** Threads of the CPU, this one included. Default: the cores of the machine. */
  readonly threads?: number;
  /** Most bytes that tensors may hold. Default 3 GiB. */
  readonly budget?: number;
}

const BUDGET = 3 * 2 ** 30;

/**
 * Opens an engine; it is held by `await using`. Threads of the CPU keep the program alive until it is closed; they load a
 * module of this package, and where the permission to read it is missing, one thread computes alone.
 *
 * @throws {ComputeError} `E_DEVICE` where `gpu` is asked for and there is none.
 */
export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  const { device = "auto", threads, budget = BUDGET } = options;
  if (!["auto", "cpu", "gpu", "reference"].includes(device)) {
    throw new RangeError(`there is no device ${JSON.stringify(device)}`);
  }
  const used = device === "reference" ? new ReferenceDevice() : await opened(device, threads);
  return new Engine(used, new Buffers(used, budget));
}

async function opened(device: "auto" | "cpu" | "gpu", threads: number | undefined): Promise<Device> {
  const found = device === "cpu" ? undefined : await openGpu(device === "gpu");
  return found ?? new CpuDevice(threads);
}
