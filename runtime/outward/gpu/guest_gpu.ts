/**
 * A guest's `gpu`: handles and quotas, before anything reaches a device. The device is in a process of this guest alone.
 *
 * @module
 */
import { GpuError } from "../../device/errors.ts";
import { GuestError } from "../../errors.ts";
import type { Frame } from "../../frames.ts";
import { MOST_CROSSING } from "../../limits.ts";
import { GpuProcess } from "./gpu_process.ts";
import { GpuHandles } from "./handles.ts";
import { checkedBytes, checkedEntry, checkedGrid, checkedRange, checkedSource, refused } from "./values.ts";

/** What a guest may use of the GPU. */
export interface GpuGrant {
  /** Bytes that its buffers may hold, together. Default 64 MiB. */
  readonly maxBytes?: number;
  /** Buffers that it may hold. Default 256. */
  readonly maxBuffers?: number;
  /** Shaders that it may hold. Default 32. */
  readonly maxShaders?: number;
  /** How long one dispatch, or one compilation, may take, in milliseconds; one that takes longer ends the grant. Default 2000. */
  readonly dispatchTime?: number;
  /**
   * How long compilations, dispatches and the making of buffers may take together, in milliseconds: so much at once, and as
   * much again over a minute. Default 10 000.
   */
  readonly timeAMinute?: number;
}

/** A process that ended by itself is started anew so often within a minute. */
const MOST_STARTS = 3;
const MINUTE = 60_000;

/** The GPU of one guest. */
export class GuestGpu implements Disposable {
  readonly #handles: GpuHandles;
  readonly #dispatchTime: number;
  readonly #starts: number[] = [];
  readonly #timeAMinute: number;
  #timeLeft: number;
  /** When that was so. */
  #counted = performance.now();
  #process: GpuProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #opened: Promise<GpuProcess> | undefined;
  /** Commands wait for each other. */
  #turn: Promise<unknown> = Promise.resolve();
  /** Why there is no more of it. */
  #over: Error | undefined;

  /** @throws {GuestError} `E_REFUSED`: a quota that cannot be. */
  constructor(grant: GpuGrant) {
    const { maxBytes = 64 << 20, maxBuffers = 256, maxShaders = 32, dispatchTime = 2000, timeAMinute = 10_000 } = grant;
    for (const [name, value] of Object.entries({ maxBytes, maxBuffers, maxShaders, dispatchTime, timeAMinute })) {
      if (!(value > 0)) throw new GuestError("E_REFUSED", `allowGpu: ${name} is ${value}; it must be more than 0`);
    }
    this.#handles = new GpuHandles({ bytes: maxBytes, buffers: maxBuffers, shaders: maxShaders });
    this.#dispatchTime = dispatchTime;
    this.#timeAMinute = this.#timeLeft = timeAMinute;
  }

  /**
   * Does what a guest asks for.
   *
   * @throws {GpuError} Why not.
   */
  async answer(what: string, input: unknown, signal: AbortSignal): Promise<unknown> {
    if (this.#over) throw this.#over;
    const given = (input ?? {}) as Record<string, unknown>;
    if (what === "info") return await this.#info(signal);
    if (what === "compile") return await this.#compile(checkedSource(given.source), signal);
    if (what === "buffer") return await this.#buffer(given, signal);
    if (what === "write") return await this.#write(given, signal);
    if (what === "read") return await this.#read(given, signal);
    if (what === "dispatch") return await this.#dispatch(given, signal);
    if (what === "release") return this.#release(given.handle);
    throw refused("gpu has no such function");
  }

  /** Ends the process: all that was on its device is given back. */
  [Symbol.dispose](): void {
    this.#end(new GuestError("E_DISPOSED", "the guest was disposed of"));
  }

  /** Comes when all processes that it had have ended. */
  async ended(): Promise<void> {
    await this.#ended;
  }

  async #info(signal: AbortSignal): Promise<unknown> {
    return await this.#then(signal, ({ info: { fallback, limits } }) => {
      // What the adapter is called is nothing that a guest should know its host by.
      const { maxComputeInvocationsPerWorkgroup, maxComputeWorkgroupStorageSize, maxStorageBuffersPerShaderStage } =
        limits;
      return Promise.resolve({
        fallback,
        invocations: maxComputeInvocationsPerWorkgroup,
        workgroupBytes: maxComputeWorkgroupStorageSize,
        bindings: maxStorageBuffersPerShaderStage,
        bytes: this.#handles.most.bytes,
      });
    });
  }

  async #compile(text: string, signal: AbortSignal): Promise<number> {
    const made = this.#handles.reserve("shader", 0);
    return await this.#made(made, { t: "compile", text }, undefined, signal);
  }

  async #buffer({ bytes, data }: Record<string, unknown>, signal: AbortSignal): Promise<number> {
    const content = data === undefined ? undefined : checkedBytes(data);
    const length = content?.length ?? bytes;
    if (!isWhole(length) || length === 0) throw refused("a buffer has 4, 8, 12 … bytes");
    const made = this.#handles.reserve("buffer", length);
    return await this.#made(made, { t: "buffer", length }, content, signal);
  }

  async #write({ buffer, offset, data }: Record<string, unknown>, signal: AbortSignal): Promise<null> {
    const bytes = checkedBytes(data);
    const { id, bytes: size } = this.#handles.get("buffer", buffer);
    const range = checkedRange(offset, bytes.length, size);
    await this.#then(signal, (process) => process.command({ t: "write", id, ...range }, bytes, this.#dispatchTime));
    return null;
  }

  async #read({ buffer, offset, length }: Record<string, unknown>, signal: AbortSignal): Promise<Uint8Array> {
    const { id, bytes } = this.#handles.get("buffer", buffer);
    const range = checkedRange(offset, length, bytes);
    if (range.length > MOST_CROSSING) {
      throw new GpuError("GPU_LIMIT", `at most ${MOST_CROSSING} bytes are read at once; give offset and length`);
    }
    const { buffers } = await this.#then(
      signal,
      (process) => process.command({ t: "read", id, ...range }, undefined, this.#dispatchTime),
    );
    return buffers[0];
  }

  async #dispatch(given: Record<string, unknown>, signal: AbortSignal): Promise<null> {
    const { id } = this.#handles.get("shader", given.shader);
    const entry = checkedEntry(given.entry);
    const grid = checkedGrid(given.grid);
    if (!Array.isArray(given.bindings) || given.bindings.length > 32) throw refused("bindings are at most 32 buffers");
    if (new Set(given.bindings).size < given.bindings.length) throw refused("a buffer is bound twice; bind a copy");
    const bindings = given.bindings.map((handle) => this.#handles.get("buffer", handle).id);
    const params = given.params === undefined ? undefined : checkedBytes(given.params);
    if (params && params.length > 65_536) throw refused("params are at most 65536 bytes");
    const head = { t: "dispatch", id, entry, bindings, grid };
    await this.#then(signal, (process) => this.#computed(process, head, params));
    return null;
  }

  /** The quota is free at once: what is made next is made after it was given back. */
  #release(handle: unknown): null {
    const { id } = this.#handles.take(handle);
    const { signal } = new AbortController();
    this.#then(signal, (process) => process.command({ t: "release", id }, undefined, this.#dispatchTime)).catch(
      () => {},
    );
    return null;
  }

  /** Something that has a handle afterwards; where it comes to nothing, its quota is free again. */
  async #made(handle: number, head: Frame["head"], data: Uint8Array | undefined, signal: AbortSignal): Promise<number> {
    try {
      const { head: { value } } = await this.#then(
        signal,
        (process) => this.#computed(process, head, data),
      );
      this.#handles.made(handle, value as number);
    } catch (error) {
      this.#handles.drop(handle);
      throw error;
    }
    // Nobody learns its handle any more.
    if (signal.aborted) this.#release(handle);
    return handle;
  }

  /** A command that counts against the guest's time. */
  async #computed(process: GpuProcess, head: Frame["head"], data?: Uint8Array): Promise<Frame> {
    const begun = performance.now();
    const gained = (begun - this.#counted) / MINUTE * this.#timeAMinute;
    this.#timeLeft = Math.min(this.#timeAMinute, this.#timeLeft + gained);
    this.#counted = begun;
    if (this.#timeLeft <= 0) throw new GpuError("GPU_LIMIT", "the guest's time on the GPU is used up for now");
    try {
      return await process.command(head, data, this.#dispatchTime);
    } finally {
      this.#timeLeft -= performance.now() - begun;
    }
  }

  /** A command in its turn, on the device that the guest had when it asked. */
  #then<T>(signal: AbortSignal, work: (process: GpuProcess) => Promise<T>): Promise<T> {
    const { generation } = this.#handles;
    const result = this.#turn.then(async () => {
      if (this.#over) throw this.#over;
      if (signal.aborted) throw new GuestError("E_ABORTED", "the call was aborted");
      if (generation !== this.#handles.generation) throw deviceLost();
      const process = await this.#device();
      try {
        return await work(process);
      } catch (error) {
        throw this.#failed(process, error);
      }
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  #device(): Promise<GpuProcess> {
    return this.#opened ??= this.#start();
  }

  async #start(): Promise<GpuProcess> {
    const now = performance.now();
    while (this.#starts.length > 0 && now - this.#starts[0] > MINUTE) this.#starts.shift();
    try {
      if (this.#starts.length >= MOST_STARTS) {
        throw new GpuError("GPU_UNAVAILABLE", "the device was lost three times within a minute; try again in a while");
      }
      this.#starts.push(now);
      return await GpuProcess.start(2 * this.#handles.most.bytes, (process) => {
        this.#process = process;
        this.#ended = Promise.all([this.#ended, process.ended]);
      });
    } catch (error) {
      this.#opened = undefined;
      throw this.#over ?? error;
    }
  }

  /** What a failed command means for those that follow. */
  #failed(process: GpuProcess, error: unknown): unknown {
    if (!(error instanceof GpuError) || error.code !== "GPU_LOST") return error;
    if (this.#over) return this.#over;
    if (process.killedFor !== undefined) {
      this.#end(new GpuError("GPU_LOST", `a command ${process.killedFor}; the grant is over`));
      return this.#over;
    }
    this.#handles.clear();
    this.#opened = this.#process = undefined;
    return deviceLost();
  }

  #end(error: Error): void {
    if (this.#over) return;
    this.#over = error;
    this.#handles.clear();
    this.#process?.kill();
    this.#process = undefined;
  }
}

function isWhole(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 && value % 4 === 0;
}

function deviceLost(): GpuError {
  return new GpuError("GPU_LOST", "the device was lost, and all that was on it; make it anew");
}
