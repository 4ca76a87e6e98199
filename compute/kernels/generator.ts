/**
 * What turns kernels into the language of one target.
 *
 * @module
 */
import type { KernelSpec } from "./spec.ts";

/** What of a device a generator wants to know. */
export interface DeviceCaps {
  /** A multiply-add in one instruction may be used. */
  readonly relaxed: boolean;
  /** Invocations in a workgroup. */
  readonly workgroup: number;
}

/** One target. */
export interface ShaderGenerator<Out> {
  /** Its name. */
  readonly target: "wgsl" | "wasm";
  /** True, or why it cannot render the kernel. */
  supports(spec: KernelSpec, caps: DeviceCaps): true | string;
  /** The kernel in the target's language; equal for equal input. */
  render(spec: KernelSpec, caps: DeviceCaps): Out;
}
