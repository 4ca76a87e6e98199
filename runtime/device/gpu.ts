/**
 * Primitive compute: shaders, buffers, dispatches and reads, by numbers.
 *
 * @module
 */
import type { DeviceInfo } from "./adapter.ts";
import { GpuError } from "./errors.ts";
import { acquireDevice, type DeviceLease } from "./shared.ts";

/** A compiled shader; numbers are not used again. */
export type ShaderId = number;
/** A buffer; numbers are not used again. */
export type GpuBufferId = number;

/** What a compiler says of a shader. */
export interface GpuDiagnostic {
  /** How bad. */
  readonly kind: "error" | "warning" | "info";
  /** From 1; 0 where it is not known. */
  readonly line: number;
  /** From 1; 0 where it is not known. */
  readonly column: number;
  /** What is wrong, in one line. */
  readonly message: string;
}

/** What to run, over what. */
export interface GpuDispatch {
  /** The shader. */
  readonly shader: ShaderId;
  /** Its function. Default `main`. */
  readonly entry?: string;
  /** Buffers at `@group(0)`, `@binding(0)` and on: those that the entry uses, none twice. */
  readonly bindings: readonly GpuBufferId[];
  /** Workgroups along x, y and z. Where one is 0, nothing is done. */
  readonly grid: readonly number[];
  /** Bytes of a uniform at the binding after the last buffer. Default: there is none. */
  readonly params?: Uint8Array;
}

/** A compiled shader, and its pipelines by the names of entries. */
interface Shader {
  readonly module: GPUShaderModule;
  readonly pipelines: Map<string, GPUComputePipeline>;
}

/** Pipelines of one shader. */
const MOST_ENTRIES = 16;

/**
 * A GPU for code that is trusted. What it is given to run it runs: a shader that does not end stops this process (guests
 * compute in another, which can be killed). Dispose of it: what it holds is there until then.
 */
export class Gpu implements Disposable {
  /** What is known of the device. */
  readonly info: DeviceInfo;
  /** Comes when the device is lost, with the reason; all that was on it is gone. */
  readonly lost: Promise<string>;
  readonly #lease: DeviceLease;
  readonly #device: GPUDevice;
  readonly #buffers = new Map<GpuBufferId, { readonly buffer: GPUBuffer; readonly bytes: number }>();
  readonly #shaders = new Map<ShaderId, Shader>();
  #last = 0;
  #lost = false;

  private constructor(lease: DeviceLease) {
    this.#lease = lease;
    this.#device = lease.device;
    this.info = lease.info;
    this.lost = lease.lost;
    lease.lost.then(() => void (this.#lost = true));
  }

  /**
   * The GPU of this machine, over a device that is shared within the process.
   *
   * @returns Nothing where there is no adapter.
   * @throws {GpuError} `GPU_UNAVAILABLE`: the device was lost too often lately.
   */
  static async open(): Promise<Gpu | undefined> {
    const lease = await acquireDevice();
    return lease && new Gpu(lease);
  }

  /** What is held. */
  get held(): { readonly buffers: number; readonly bytes: number; readonly shaders: number } {
    const sizes = [...this.#buffers.values()].map(({ bytes }) => bytes);
    return { buffers: sizes.length, bytes: sizes.reduce((a, b) => a + b, 0), shaders: this.#shaders.size };
  }

  /**
   * Compiles WGSL.
   *
   * @throws {GpuError} `GPU_COMPILE`: it is wrong; the message says where. `GPU_LOST`.
   */
  async compile(
    source: string,
  ): Promise<{ readonly shader: ShaderId; readonly diagnostics: readonly GpuDiagnostic[] }> {
    const module = await this.#checked(() => this.#device.createShaderModule({ code: source }), async (module) => {
      const { messages } = await module.getCompilationInfo();
      return errorText(messages.map(diagnosticOf));
    });
    const diagnostics = (await module.getCompilationInfo()).messages.map(diagnosticOf);
    const shader = ++this.#last;
    this.#shaders.set(shader, { module, pipelines: new Map() });
    return { shader, diagnostics };
  }

  /**
   * A buffer of zeros.
   *
   * @param bytes A whole multiple of 4, more than 0.
   * @throws {GpuError} `GPU_REFUSED`: such a size. `GPU_LIMIT`: there is no room. `GPU_LOST`.
   */
  async createBuffer(bytes: number): Promise<GpuBufferId> {
    const { maxBufferSize, maxStorageBufferBindingSize } = this.#device.limits;
    if (!isCount(bytes) || bytes === 0 || bytes % 4 !== 0) throw refused(`a buffer has 4, 8, 12 … bytes, not ${bytes}`);
    if (bytes > Math.min(maxBufferSize, maxStorageBufferBindingSize)) {
      throw new GpuError("GPU_LIMIT", `the device has no buffers of ${bytes} bytes`);
    }
    const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
    const buffer = await this.#checked(() => this.#device.createBuffer({ size: bytes, usage }));
    const id = ++this.#last;
    this.#buffers.set(id, { buffer, bytes });
    return id;
  }

  /** Writes into a buffer. @throws {GpuError} `GPU_REFUSED`: beyond its end, or no multiple of 4. `GPU_NOT_FOUND`. */
  write(id: GpuBufferId, offset: number, data: Uint8Array<ArrayBuffer>): void {
    const { buffer, bytes } = this.#buffer(id);
    checkRange(offset, data.length, bytes);
    this.#alive();
    this.#device.queue.writeBuffer(buffer, offset, data);
  }

  /** Bytes of a buffer, after all that was asked for before. @throws {GpuError} As {@linkcode write}; `GPU_LOST`. */
  async read(id: GpuBufferId, offset: number = 0, length?: number): Promise<Uint8Array<ArrayBuffer>> {
    const { buffer, bytes } = this.#buffer(id);
    const size = length ?? bytes - offset;
    checkRange(offset, size, bytes);
    if (size === 0) return new Uint8Array();
    const staging = await this.#checked(() => {
      const staging = this.#device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
      const encoder = this.#device.createCommandEncoder();
      encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
      this.#device.queue.submit([encoder.finish()]);
      return staging;
    });
    try {
      await staging.mapAsync(GPUMapMode.READ).catch((cause: unknown) => {
        throw this.#lost ? lost(cause) : new GpuError("GPU_FAILED", "the device gave nothing back", { cause });
      });
      return new Uint8Array(staging.getMappedRange().slice(0));
    } finally {
      staging.destroy();
    }
  }

  /**
   * Runs a shader, and comes back when it has run.
   *
   * @throws {GpuError} `GPU_NOT_FOUND`: a handle. `GPU_REFUSED`: a buffer twice, a grid that cannot be. `GPU_FAILED`: the
   * bindings do not fit the shader, or it has no such entry. `GPU_LOST`.
   */
  async dispatch({ shader, entry = "main", bindings, grid, params }: GpuDispatch): Promise<void> {
    const { module, pipelines } = this.#shaders.get(shader) ?? missing("shader");
    const buffers = bindings.map((id) => this.#buffer(id).buffer);
    if (new Set(bindings).size < bindings.length) throw refused("a buffer is bound twice; bind a copy");
    const [x, y = 1, z = 1] = grid;
    if (grid.length < 1 || grid.length > 3 || ![x, y, z].every(isCount)) {
      throw refused("a grid is 1 to 3 whole numbers");
    }
    if (Math.max(x, y, z) > this.#device.limits.maxComputeWorkgroupsPerDimension) {
      throw refused(
        `a grid has at most ${this.#device.limits.maxComputeWorkgroupsPerDimension} workgroups along a side`,
      );
    }
    if (x * y * z === 0) return;
    const uniform = params && this.#device.createBuffer({
      size: Math.ceil(Math.max(params.length, 1) / 16) * 16,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    try {
      await this.#checked(
        () => {
          let pipeline = pipelines.get(entry);
          if (pipeline === undefined) {
            if (pipelines.size >= MOST_ENTRIES) {
              throw new GpuError("GPU_LIMIT", `at most ${MOST_ENTRIES} entries are used`);
            }
            pipeline = this.#device.createComputePipeline({ layout: "auto", compute: { module, entryPoint: entry } });
            pipelines.set(entry, pipeline);
          }
          const bound = uniform ? [...buffers, uniform] : buffers;
          const encoder = this.#device.createCommandEncoder();
          const pass = encoder.beginComputePass();
          pass.setPipeline(pipeline);
          if (bound.length > 0) {
            const entries = bound.map((buffer, binding) => ({ binding, resource: { buffer } }));
            pass.setBindGroup(0, this.#device.createBindGroup({ layout: pipeline.getBindGroupLayout(0), entries }));
          }
          if (uniform) {
            this.#device.queue.writeBuffer(uniform, 0, padded(params!));
          }
          pass.dispatchWorkgroups(x, y, z);
          pass.end();
          this.#device.queue.submit([encoder.finish()]);
        },
        undefined,
        () => pipelines.delete(entry),
      );
      await this.#device.queue.onSubmittedWorkDone();
      this.#alive();
    } finally {
      uniform?.destroy();
    }
  }

  /** Gives a buffer or a shader back. @throws {GpuError} `GPU_NOT_FOUND`. */
  release(id: GpuBufferId | ShaderId): void {
    if (this.#shaders.delete(id)) return;
    this.#buffer(id).buffer.destroy();
    this.#buffers.delete(id);
  }

  /** Gives all back. */
  [Symbol.dispose](): void {
    for (const { buffer } of this.#buffers.values()) buffer.destroy();
    this.#buffers.clear();
    this.#shaders.clear();
    this.#lease[Symbol.dispose]();
  }

  #buffer(id: GpuBufferId): { readonly buffer: GPUBuffer; readonly bytes: number } {
    return this.#buffers.get(id) ?? missing("buffer");
  }

  #alive(): void {
    if (this.#lost) throw lost();
  }

  /** Commands, and what the device finds wrong with them: scopes hold what is asked for between their two ends. */
  async #checked<T>(
    work: () => T,
    explain?: (made: T) => Promise<string | undefined>,
    undo?: () => void,
  ): Promise<T> {
    this.#alive();
    const kinds = ["internal", "out-of-memory", "validation"] as const;
    for (const kind of kinds) this.#device.pushErrorScope(kind);
    let made: T | undefined;
    let thrown: unknown;
    try {
      made = work();
    } catch (error) {
      thrown = error;
    }
    const errors = await Promise.all(kinds.map(() => this.#device.popErrorScope()));
    this.#alive();
    if (thrown instanceof GpuError) throw thrown;
    const [validation, memory, internal] = errors;
    if (!validation && !memory && !internal && thrown === undefined) return made!;
    undo?.();
    if (memory) throw new GpuError("GPU_LIMIT", "the device has no memory left", { cause: memory });
    const text = made !== undefined && explain ? await explain(made) : undefined;
    if (text !== undefined) throw new GpuError("GPU_COMPILE", text);
    const cause = thrown ?? new Error((validation ?? internal)!.message);
    throw new GpuError("GPU_FAILED", "the device refused a command: the bindings do not fit the shader, or the entry", {
      cause,
    });
  }
}

function diagnosticOf({ type, lineNum, linePos, message }: GPUCompilationMessage): GpuDiagnostic {
  // What it is, then the source that it quotes, then why.
  const lines = message.split("\n").filter((line, at) => at < 2 || line.startsWith("  = ") || line.startsWith(" = "));
  const line = lines.map((line) => line.trim().replace(/^= (?:note: )?/, "")).filter((line) => line !== "").join("; ")
    .replace(/^Shader '' parsing error: |^Shader validation error: /, "");
  // deno-lint-ignore no-control-regex
  return { kind: type, line: lineNum, column: linePos, message: line.replace(/[\x00-\x1f\x7f]/g, " ").slice(0, 200) };
}

function errorText(diagnostics: readonly GpuDiagnostic[]): string {
  const [first] = diagnostics.filter(({ kind }) => kind === "error");
  if (first === undefined) return "the shader does not compile";
  return `the shader does not compile: line ${first.line}, column ${first.column}: ${first.message}`;
}

function checkRange(offset: number, length: number, bytes: number): void {
  if (!isCount(offset) || !isCount(length) || offset % 4 !== 0 || length % 4 !== 0) {
    throw refused("offset and length are whole multiples of 4");
  }
  if (offset + length > bytes) throw refused(`the buffer ends at ${bytes}`);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function padded(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(Math.ceil(Math.max(bytes.length, 1) / 16) * 16);
  whole.set(bytes);
  return whole;
}

function refused(message: string): GpuError {
  return new GpuError("GPU_REFUSED", message);
}

function missing(what: string): never {
  throw new GpuError("GPU_NOT_FOUND", `there is no such ${what}`);
}

function lost(cause?: unknown): GpuError {
  return new GpuError("GPU_LOST", "the device was lost, and all that was on it; open another", { cause });
}
