/**
 * Compiled shaders and the bindings of buffers to them, each kept for the next time.
 *
 * @module
 */
import type { KernelSpec } from "../../kernels/spec.ts";
import { WGSL_GENERATOR } from "../../wgsl/generator.ts";
import type { BufferId } from "../device.ts";

/** Pipelines, and bindings, that are kept at most. */
const MOST_KEPT = 4096;

/** A compiled shader. */
export interface Pipeline {
  /** Its number. */
  readonly id: number;
  /** What is dispatched. */
  readonly pipeline: GPUComputePipeline;
  /** What is bound to it. */
  readonly layout: GPUBindGroupLayout;
}

/** The pipelines of one device. */
export class Pipelines {
  readonly #device: GPUDevice;
  readonly #words: GPUBuffer;
  readonly #block: number;
  readonly #pipelines = new Map<string, Pipeline>();
  readonly #layouts = new Map<number, GPUBindGroupLayout>();
  readonly #bindings = new Map<string, GPUBindGroup>();
  #made = 0;

  /**
   * @param words The buffer of the words of launches.
   * @param block Bytes of it that one launch sees.
   */
  constructor(device: GPUDevice, words: GPUBuffer, block: number) {
    this.#device = device;
    this.#words = words;
    this.#block = block;
  }

  /** The pipeline of a kernel that takes so many buffers; compiled at first use. */
  get(spec: KernelSpec, buffers: number): Pipeline {
    let pipeline = this.#pipelines.get(spec.key);
    if (pipeline === undefined) {
      const layout = this.#layout(buffers);
      const code = WGSL_GENERATOR.render(spec, {
        relaxed: false,
        workgroup: this.#device.limits.maxComputeInvocationsPerWorkgroup,
      });
      const compiled = this.#device.createComputePipeline({
        layout: this.#device.createPipelineLayout({ bindGroupLayouts: [layout] }),
        compute: { module: this.#device.createShaderModule({ code }), entryPoint: "main" },
      });
      pipeline = { id: ++this.#made, pipeline: compiled, layout };
    } else this.#pipelines.delete(spec.key);
    keep(this.#pipelines, spec.key, pipeline);
    return pipeline;
  }

  /** Buffers bound to a pipeline, the output first. */
  bind(pipeline: Pipeline, buffers: readonly BufferId[], find: (id: BufferId) => GPUBuffer): GPUBindGroup {
    const key = `${buffers},`;
    let bound = this.#bindings.get(key);
    if (bound === undefined) {
      const entries = [
        { binding: 0, resource: { buffer: this.#words, size: this.#block } },
        ...buffers.map((id, index) => ({ binding: index + 1, resource: { buffer: find(id) } })),
      ];
      bound = this.#device.createBindGroup({ layout: pipeline.layout, entries });
      keep(this.#bindings, key, bound);
    }
    return bound;
  }

  /** Forgets what a buffer was bound to. */
  forget(buffer: BufferId): void {
    const [first, later] = [`${buffer},`, `,${buffer},`];
    for (const key of this.#bindings.keys()) {
      if (key.startsWith(first) || key.includes(later)) this.#bindings.delete(key);
    }
  }

  /** Kernels of as many buffers share a layout, and so their bindings. */
  #layout(buffers: number): GPUBindGroupLayout {
    let layout = this.#layouts.get(buffers);
    if (layout === undefined) {
      const visibility = GPUShaderStage.COMPUTE;
      const entries: GPUBindGroupLayoutEntry[] = [
        { binding: 0, visibility, buffer: { type: "uniform", hasDynamicOffset: true, minBindingSize: this.#block } },
      ];
      for (let index = 1; index <= buffers; index++) {
        entries.push({ binding: index, visibility, buffer: { type: index === 1 ? "storage" : "read-only-storage" } });
      }
      layout = this.#device.createBindGroupLayout({ entries });
      this.#layouts.set(buffers, layout);
    }
    return layout;
  }
}

function keep<T>(map: Map<string, T>, key: string, value: T): void {
  map.set(key, value);
  if (map.size > MOST_KEPT) map.delete(map.keys().next().value!);
}
