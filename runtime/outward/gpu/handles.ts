/**
 * Handles of a guest to what is on its device, and its quotas.
 *
 * @module
 */
import { GpuError } from "../../device/errors.ts";

/** What guests hold of GPUs, all of this process together. */
export interface GpuUse {
  /** Buffers. */
  readonly buffers: number;
  /** Bytes of them. */
  readonly bytes: number;
  /** Shaders. */
  readonly shaders: number;
}

/** Something on a device. */
export interface Held {
  /** Which kind. */
  readonly kind: "buffer" | "shader";
  /** Bytes of a buffer. */
  readonly bytes: number;
  /** Its number in the device's process; 0 while it is made. */
  id: number;
}

const USE = { buffers: 0, bytes: 0, shaders: 0 };

/** What the guests of this process hold of GPUs. */
export function guestGpuUse(): GpuUse {
  return { ...USE };
}

/** The handles of one guest. They are drawn by chance, so that none fits another guest's, nor can be counted up. */
export class GpuHandles {
  /** The quotas. */
  readonly most: GpuUse;
  readonly #held = new Map<number, Held>();
  readonly #use = { buffers: 0, bytes: 0, shaders: 0 };
  #generation = 0;

  /** @param most The quotas. */
  constructor(most: GpuUse) {
    this.most = most;
  }

  /** Grows when the device is lost: what was asked for before is for a device that is gone. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * Takes of the quota for something that is about to be made.
   *
   * @returns Its handle, which leads to nothing yet.
   * @throws {GpuError} `GPU_LIMIT`.
   */
  reserve(kind: Held["kind"], bytes: number): number {
    const { buffers, shaders } = this.#use;
    if (kind === "shader" && shaders >= this.most.shaders) {
      throw new GpuError("GPU_LIMIT", `at most ${this.most.shaders} shaders may be held; release some`);
    }
    if (kind === "buffer" && buffers >= this.most.buffers) {
      throw new GpuError("GPU_LIMIT", `at most ${this.most.buffers} buffers may be held; release some`);
    }
    if (this.#use.bytes + bytes > this.most.bytes) {
      throw new GpuError("GPU_LIMIT", `buffers may hold at most ${this.most.bytes} bytes; release some`);
    }
    let handle: number;
    do handle = chance(); while (this.#held.has(handle));
    this.#held.set(handle, { kind, bytes, id: 0 });
    this.#count(kind, 1, bytes);
    return handle;
  }

  /** What was reserved is there. */
  made(handle: number, id: number): void {
    const held = this.#held.get(handle);
    if (held) held.id = id;
  }

  /** What a handle leads to. @throws {GpuError} `GPU_NOT_FOUND`. */
  get(kind: Held["kind"], handle: unknown): Held {
    const held = this.#held.get(handle as number);
    if (held === undefined || held.id === 0 || held.kind !== kind) {
      throw new GpuError("GPU_NOT_FOUND", `there is no such ${kind}`);
    }
    return held;
  }

  /** What a handle leads to, and no more from now on. @throws {GpuError} `GPU_NOT_FOUND`. */
  take(handle: unknown): Held {
    const held = this.#held.get(handle as number);
    if (held === undefined || held.id === 0) throw new GpuError("GPU_NOT_FOUND", "there is no such buffer or shader");
    this.drop(handle as number);
    return held;
  }

  /** Forgets a handle, and what it took of the quota. */
  drop(handle: number): void {
    const held = this.#held.get(handle);
    if (held === undefined) return;
    this.#held.delete(handle);
    this.#count(held.kind, -1, -held.bytes);
  }

  /** Forgets all: the device is gone. */
  clear(): void {
    for (const handle of [...this.#held.keys()]) this.drop(handle);
    this.#generation++;
  }

  #count(kind: Held["kind"], one: number, bytes: number): void {
    for (const use of [this.#use, USE]) {
      use[kind === "buffer" ? "buffers" : "shaders"] += one;
      use.bytes += bytes;
    }
  }
}

/** A whole number below 2^53 that nobody can guess. */
function chance(): number {
  const [high, low] = crypto.getRandomValues(new Uint32Array(2));
  return (high & 0x1fffff) * 2 ** 32 + low;
}
