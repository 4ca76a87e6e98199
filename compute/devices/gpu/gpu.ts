/**
 * WebGPU as a device: launches are gathered in one compute pass and submitted together, at the end of the turn, when many
 * have gathered, or when something is read.
 *
 * What goes wrong on a GPU is told later, so it is kept and thrown by the next read.
 *
 * @module
 */
import type { Launch, MatmulSpec } from "../../kernels/spec.ts";
import { ComputeError } from "../../values/errors.ts";
import { SIDE, STEP, TILE } from "../../wgsl/matmul.ts";
import { GROUP, MOST_WORDS } from "../../wgsl/prelude.ts";
import type { BufferId, Device, MatrixRef, Product } from "../device.ts";
import { Pipelines } from "./pipelines.ts";

/** Launches that are gathered at most. */
const MOST_GATHERED = 256;
/** Workgroups along one dim of a dispatch. */
const MOST_GROUPS = 65535;
/** Bytes of the words of a launch, and the alignment of their place (WebGPU's default limit). */
const BLOCK = MOST_WORDS * 4;
/** Depth of a product that one dispatch sums over: a quarter as many turns of a loop, well below 65,535. */
const MOST_DEPTH = 131072;

const PACK: MatmulSpec = { kind: "matmul", key: "matmul pack", stage: "pack" };
const MULTIPLY: MatmulSpec = { kind: "matmul", key: "matmul multiply", stage: "multiply" };

/** A device of WebGPU. */
export class GpuDevice implements Device {
  /** Which target. */
  readonly kind = "gpu";
  /** What its adapter is called. */
  readonly name: string;
  /** Its adapter is made of software. */
  readonly fallback: boolean;
  /** Short enough for one invocation. */
  readonly foldLimits = { inLanes: 1024, oneByOne: 1024 };
  /** What the adapter lets a shader see at a time. */
  readonly largestBuffer: number;
  readonly #device: GPUDevice;
  readonly #pipelines: Pipelines;
  readonly #buffers = new Map<BufferId, GPUBuffer>();
  readonly #words: GPUBuffer;
  readonly #pending = new Uint32Array(MOST_GATHERED * MOST_WORDS);
  #encoder: GPUCommandEncoder | undefined;
  #pass: GPUComputePassEncoder | undefined;
  #gathered = 0;
  #made = 0;
  #failure: ComputeError | undefined;

  /** A device and what it says of itself. */
  constructor(device: GPUDevice, name: string, fallback: boolean) {
    this.#device = device;
    this.name = name;
    this.fallback = fallback;
    this.largestBuffer = Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize);
    this.#words = device.createBuffer({
      size: MOST_GATHERED * BLOCK,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    this.#pipelines = new Pipelines(device, this.#words, BLOCK);
    device.addEventListener("uncapturederror", (event) => {
      event.preventDefault();
      this.#fail(
        "E_DEVICE",
        `the device refused a command: ${(event as GPUUncapturedErrorEvent).error.constructor.name}`,
      );
    });
    device.lost.then(({ reason }) => {
      if (reason !== "destroyed") this.#fail("E_DEVICE_LOST", "the device was lost; open another engine");
    });
  }

  /** See {@linkcode Device.allocate}. */
  allocate(bytes: number): BufferId | undefined {
    const size = Math.ceil(Math.max(16, bytes) / 16) * 16;
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    const id = ++this.#made;
    this.#buffers.set(id, this.#device.createBuffer({ size, usage }));
    return id;
  }

  /** See {@linkcode Device.free}. */
  free(buffer: BufferId): void {
    // What was gathered may use it.
    this.#submit();
    this.#pipelines.forget(buffer);
    this.#buffer(buffer).destroy();
    this.#buffers.delete(buffer);
  }

  /** See {@linkcode Device.write}. */
  write(buffer: BufferId, words: Uint32Array<ArrayBuffer>): void {
    // A write takes place before what is not submitted yet.
    this.#submit();
    this.#device.queue.writeBuffer(this.#buffer(buffer), 0, words);
  }

  /** See {@linkcode Device.read}. */
  async read(buffer: BufferId, offset: number, count: number): Promise<Uint32Array<ArrayBuffer>> {
    this.#submit();
    const size = count * 4;
    const staging = this.#device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    try {
      const encoder = this.#device.createCommandEncoder();
      encoder.copyBufferToBuffer(this.#buffer(buffer), offset * 4, staging, 0, size);
      this.#device.queue.submit([encoder.finish()]);
      await staging.mapAsync(GPUMapMode.READ).catch((cause: unknown) => {
        throw this.#failure ?? new ComputeError("E_DEVICE", "read", "the device gave nothing back", { cause });
      });
      if (this.#failure) throw this.#failure;
      return new Uint32Array(staging.getMappedRange().slice(0));
    } finally {
      staging.destroy();
    }
  }

  /** See {@linkcode Device.launch}. */
  launch({ spec, words, items }: Launch, buffers: readonly BufferId[]): void {
    const invocations = spec.kind === "map" && spec.vector ? Math.ceil(items / 4) : items;
    const groups = Math.ceil(invocations / GROUP);
    const x = Math.min(groups, MOST_GROUPS);
    this.#dispatch(spec, words, buffers, x, Math.ceil(groups / x));
  }

  /** See {@linkcode Device.multiply}. */
  multiply({ out, outOffset, a, b, m, n, k }: Product, temporary: (bytes: number) => BufferId): void {
    const left = this.#filled(a, m, k, TILE, STEP, temporary);
    const right = this.#filled(b, k, n, STEP, TILE, temporary);
    const groups = [n, m].map((extent) => Math.ceil(extent / (TILE * SIDE)));
    const steps = Math.ceil(k / STEP);
    for (let first = 0; first < steps; first += MOST_DEPTH / STEP) {
      const depth = Math.min(MOST_DEPTH / STEP, steps - first);
      const [rowOfA, rowOfB] = [left.rowStride / 4, right.rowStride / 4];
      const places = [left.offset / 4, right.offset / 4];
      const words = [0, m, n, outOffset, depth, rowOfA, rowOfB, ...places, first, first > 0 ? 1 : 0];
      this.#dispatch(MULTIPLY, words, [out, left.buffer, right.buffer], groups[0], groups[1]);
    }
  }

  /** Destroys the device and all buffers. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#submit();
    this.#device.destroy();
    return Promise.resolve();
  }

  /** A matrix row by row, filled up to multiples: itself where it is, else a copy. */
  #filled(
    matrix: MatrixRef,
    rows: number,
    columns: number,
    rowMultiple: number,
    columnMultiple: number,
    temporary: (bytes: number) => BufferId,
  ): MatrixRef {
    const { buffer, offset, rowStride, columnStride } = matrix;
    const fits = columnStride === 1 && rowStride >= columns && rowStride % 4 === 0 && offset % 4 === 0 &&
      rows % rowMultiple === 0 && columns % columnMultiple === 0;
    if (fits) return matrix;
    const [height, width] = [
      Math.ceil(rows / rowMultiple) * rowMultiple,
      Math.ceil(columns / columnMultiple) * columnMultiple,
    ];
    const to = temporary(height * width * 4);
    const words = [0, height, width, rows, columns, offset, rowStride, columnStride];
    this.launch({ spec: PACK, words, items: height * width, weight: 1 }, [to, buffer]);
    return { buffer: to, offset: 0, rowStride: width, columnStride: 1 };
  }

  #dispatch(
    spec: Launch["spec"],
    words: readonly number[],
    buffers: readonly BufferId[],
    x: number,
    y: number,
  ): void {
    if (words.length > MOST_WORDS) {
      throw new ComputeError(
        "E_LIMIT",
        spec.kind,
        "the operands have too many dims together; make one contiguous by clone()",
      );
    }
    if (x > MOST_GROUPS || y > MOST_GROUPS) {
      throw new ComputeError("E_LIMIT", spec.kind, "the result is too large for one dispatch; compute it in parts");
    }
    const pipeline = this.#pipelines.get(spec, buffers.length);
    const bindings = this.#pipelines.bind(pipeline, buffers, (id) => this.#buffer(id));
    this.#encoder ??= this.#device.createCommandEncoder();
    this.#pass ??= this.#encoder.beginComputePass();
    if (this.#gathered === 0) queueMicrotask(() => this.#submit());
    this.#pending.set(words, this.#gathered * MOST_WORDS);
    this.#pass.setPipeline(pipeline.pipeline);
    this.#pass.setBindGroup(0, bindings, [this.#gathered * BLOCK]);
    this.#pass.dispatchWorkgroups(x, y);
    if (++this.#gathered === MOST_GATHERED) this.#submit();
  }

  #submit(): void {
    if (this.#encoder === undefined) return;
    this.#pass!.end();
    this.#device.queue.writeBuffer(this.#words, 0, this.#pending, 0, this.#gathered * MOST_WORDS);
    this.#device.queue.submit([this.#encoder.finish()]);
    this.#encoder = this.#pass = undefined;
    this.#gathered = 0;
  }

  #buffer(id: BufferId): GPUBuffer {
    const buffer = this.#buffers.get(id);
    if (buffer === undefined) throw new RangeError(`buffer ${id} does not exist`);
    return buffer;
  }

  #fail(code: "E_DEVICE" | "E_DEVICE_LOST", message: string): void {
    this.#failure ??= new ComputeError(code, "gpu", message);
  }
}
