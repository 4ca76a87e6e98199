/**
 * The target of the processor: modules of WebAssembly with 128-bit SIMD.
 *
 * @module
 */
import type { DeviceCaps, ShaderGenerator } from "../kernels/generator.ts";
import type { KernelSpec } from "../kernels/spec.ts";
import { FunctionBuilder } from "./function.ts";
import { renderMap } from "./map.ts";
import { renderMatmul } from "./matmul.ts";
import { encodeModule, RUN_PARAMETERS } from "./module.ts";
import { renderReduce } from "./reduce.ts";

/** Kernels as modules, which import a shared memory as `e.m` and export `run(first, last, arguments, thread)`. */
export const WASM_GENERATOR: ShaderGenerator<Uint8Array<ArrayBuffer>> = {
  target: "wasm",
  supports: () => true,
  render(spec: KernelSpec, { relaxed }: DeviceCaps): Uint8Array<ArrayBuffer> {
    if (spec.kind === "map") return renderMap(spec);
    return spec.kind === "reduce" ? renderReduce(spec) : renderMatmul(spec, relaxed);
  },
};

/** Whether this engine has the relaxed multiply-add. */
export function hasRelaxed(): boolean {
  const code = new FunctionBuilder(RUN_PARAMETERS);
  for (let i = 0; i < 3; i++) code.splat(0);
  code.op("f32x4.relaxed_madd", "drop");
  return WebAssembly.validate(encodeModule([code]));
}
