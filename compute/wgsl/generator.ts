/**
 * The target of WebGPU: shaders in WGSL.
 *
 * @module
 */
import type { DeviceCaps, ShaderGenerator } from "../kernels/generator.ts";
import type { KernelSpec } from "../kernels/spec.ts";
import { renderMap } from "./map.ts";
import { renderMatmul } from "./matmul.ts";
import { GROUP } from "./prelude.ts";
import { renderReduce } from "./reduce.ts";

/** Kernels as shaders: binding 0 is the words, 1 the output, the operands follow; the entry is `main`. */
export const WGSL_GENERATOR: ShaderGenerator<string> = {
  target: "wgsl",
  supports: (_spec: KernelSpec, { workgroup }: DeviceCaps): true | string =>
    workgroup >= GROUP ? true : `workgroups of ${workgroup} invocations are too small; ${GROUP} are needed`,
  render(spec: KernelSpec): string {
    if (spec.kind === "map") return renderMap(spec);
    return spec.kind === "reduce" ? renderReduce(spec) : renderMatmul(spec);
  },
};
