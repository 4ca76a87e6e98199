/**
 * The processor as a device: one memory of WebAssembly, kernels compiled at first use, threads that share them out.
 *
 * A launch is done when it returns.
 *
 * @module
 */
import type { DeviceCaps } from "../../kernels/generator.ts";
import type { KernelSpec, Launch, MatmulSpec } from "../../kernels/spec.ts";
import { ComputeError } from "../../values/errors.ts";
import { hasRelaxed, WASM_GENERATOR } from "../../wasm/generator.ts";
import { ROWS, SCRATCH_BYTES } from "../../wasm/matmul.ts";
import { TILE } from "../../wasm/packing.ts";
import { MOST_PAGES } from "../../wasm/module.ts";
import type { BufferId, Collection, Device, Product } from "../device.ts";
import { Arena } from "./arena.ts";
import { collect } from "./collecting.ts";
import { HEAP, instantiate, PAGE } from "./control.ts";
import { type Kernel, Threads } from "./threads.ts";

/** Most threads that are ever started. */
const MOST_THREADS = 64;
/** Most kernels that are kept compiled. */
const MOST_KERNELS = 1024;
/** Elementary steps below which threads are not worth waking. */
const WORTH_SHARING = 1 << 18;
/** Pieces of a launch for each thread, so that one that is held up does not hold up all. */
const PIECES_PER_THREAD = 8;
/** Neighbouring outputs that are best computed together. */
const VECTORS = 16;
/** Panels of B that a piece of a product takes at least. */
const LEAST_PANELS = 8;

/** The two kernels of a product. */
const PACK: MatmulSpec = { kind: "matmul", key: "matmul pack", stage: "pack" };
const MULTIPLY: MatmulSpec = { kind: "matmul", key: "matmul multiply", stage: "multiply" };

/** The processor. */
export class CpuDevice implements Device {
  /** Which target. */
  readonly kind = "cpu";
  /** What it is called. */
  readonly name: string;
  /** It is no stand-in. */
  readonly fallback = false;
  /** Folds along lanes go by blocks and may be long. */
  readonly foldLimits = { inLanes: 65536, oneByOne: 4096 };
  /** All that 32-bit addresses reach. */
  readonly largestBuffer: number = MOST_PAGES * PAGE - HEAP - PAGE;
  readonly #memory: WebAssembly.Memory;
  readonly #arena: Arena;
  readonly #threads: Threads;
  readonly #caps: DeviceCaps;
  readonly #kernels = new Map<string, Kernel>();
  readonly #addresses = new Map<BufferId, number>();
  readonly #scratch: number;
  #made = 0;

  /** @param threads How many work at a time; by default as many as the machine has cores. */
  constructor(threads: number = navigator.hardwareConcurrency) {
    const count = Math.min(Math.max(1, Math.trunc(threads)), MOST_THREADS);
    this.#memory = new WebAssembly.Memory({ initial: 16, maximum: MOST_PAGES, shared: true });
    this.#arena = new Arena(HEAP, (end) => this.#reach(end));
    this.#scratch = this.#arena.allocate(SCRATCH_BYTES * count)!;
    this.#caps = { relaxed: hasRelaxed(), workgroup: 1 };
    this.#threads = new Threads(this.#memory, count);
    this.name = `WebAssembly SIMD${this.#caps.relaxed ? ", relaxed" : ""}, ${count} thread${count === 1 ? "" : "s"}`;
  }

  /** See {@linkcode Device.allocate}. A vector can be read from any element, so there is room behind the last. */
  allocate(bytes: number): BufferId | undefined {
    const address = this.#arena.allocate(bytes + 16);
    if (address === undefined) return undefined;
    const id = ++this.#made;
    this.#addresses.set(id, address);
    return id;
  }

  /** See {@linkcode Device.free}. */
  free(buffer: BufferId): void {
    this.#arena.free(this.#address(buffer));
    this.#addresses.delete(buffer);
  }

  /** See {@linkcode Device.write}. */
  write(buffer: BufferId, words: Uint32Array<ArrayBuffer>): void {
    new Uint32Array(this.#memory.buffer, this.#address(buffer), words.length).set(words);
  }

  /** See {@linkcode Device.read}. */
  read(buffer: BufferId, offset: number, count: number): Promise<Uint32Array<ArrayBuffer>> {
    const words = new Uint32Array(count);
    words.set(new Uint32Array(this.#memory.buffer, this.#address(buffer) + 4 * offset, count));
    return Promise.resolve(words);
  }

  /** See {@linkcode Device.peek}. */
  peek(buffer: BufferId, place: number): number {
    return new Uint32Array(this.#memory.buffer, this.#address(buffer) + 4 * place, 1)[0];
  }

  /** See {@linkcode Device.launch}. */
  launch({ spec, words, items, weight }: Launch, buffers: readonly BufferId[]): void {
    this.#run(
      spec,
      buffers.map((buffer) => this.#address(buffer)),
      words,
      items,
      weight,
      spec.kind === "reduce" && spec.lanes !== "kept" ? 1 : VECTORS,
    );
  }

  /** See {@linkcode Device.collect}. */
  collect(target: BufferId, index: BufferId, source: BufferId, collection: Collection): void {
    const { buffer } = this.#memory;
    const [to, by, from] = [target, index, source].map((one) => this.#address(one) / 4);
    collect({ floats: new Float32Array(buffer), whole: new Int32Array(buffer), places: [to, by, from] }, collection);
  }

  /** See {@linkcode Device.multiply}. */
  multiply({ out, outOffset, a, b, m, n, k }: Product, temporary: (bytes: number) => BufferId): void {
    const panels = Math.ceil(n / TILE.columns);
    const packed = this.#address(temporary(panels * TILE.columns * k * 4));
    const source = this.#address(b.buffer);
    const pack = [0, k, n, b.offset, b.rowStride, b.columnStride];
    this.#run(PACK, [packed, source], pack, panels, k * TILE.columns, 1);
    const blocks = Math.ceil(m / ROWS);
    // Few rows are shared out by columns too.
    const wanted = Math.ceil(this.#threads.count * PIECES_PER_THREAD / blocks);
    const perGroup = Math.max(LEAST_PANELS, Math.ceil(panels / wanted));
    const groups = Math.ceil(panels / perGroup);
    const words = [0, m, n, k, outOffset, a.offset, a.rowStride, a.columnStride, 0, groups, perGroup];
    const buffers = [this.#address(out), this.#address(a.buffer), packed, this.#scratch];
    this.#run(MULTIPLY, buffers, words, blocks * groups, Math.ceil(m * n * k / (blocks * groups)), 1);
  }

  /** Ends the threads; the memory goes with the last reference to it. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#threads[Symbol.dispose]();
    return Promise.resolve();
  }

  #run(
    spec: KernelSpec,
    addresses: readonly number[],
    words: readonly number[],
    items: number,
    weight: number,
    multiple: number,
  ): void {
    const fair = Math.ceil(items / (this.#threads.count * PIECES_PER_THREAD) / multiple) * multiple;
    // A piece of a product is large enough by itself.
    const stride = spec === MULTIPLY ? 1 : fair;
    const taken = items * weight < WORTH_SHARING ? items : stride;
    this.#threads.run(this.#kernel(spec), [...addresses, ...words], items, taken);
  }

  #kernel(spec: KernelSpec): Kernel {
    let kernel = this.#kernels.get(spec.key);
    if (kernel === undefined) {
      const bytes = WASM_GENERATOR.render(spec, this.#caps);
      const address = this.#arena.allocate(bytes.length);
      if (address === undefined) {
        throw new ComputeError("E_OOM", "kernel", "no memory is left for a kernel; dispose of tensors");
      }
      new Uint8Array(this.#memory.buffer, address, bytes.length).set(bytes);
      kernel = { id: ++this.#made, run: instantiate(bytes, this.#memory), address, length: bytes.length };
    } else this.#kernels.delete(spec.key);
    // The one used last stands last.
    this.#kernels.set(spec.key, kernel);
    if (this.#kernels.size > MOST_KERNELS) {
      const [key, oldest] = this.#kernels.entries().next().value!;
      this.#arena.free(oldest.address);
      this.#kernels.delete(key);
    }
    return kernel;
  }

  #address(buffer: BufferId): number {
    const address = this.#addresses.get(buffer);
    if (address === undefined) throw new RangeError(`buffer ${buffer} does not exist`);
    return address;
  }

  #reach(end: number): boolean {
    const missing = Math.ceil((end - this.#memory.buffer.byteLength) / PAGE);
    if (missing <= 0) return true;
    try {
      this.#memory.grow(missing);
      return true;
    } catch {
      return false;
    }
  }
}
