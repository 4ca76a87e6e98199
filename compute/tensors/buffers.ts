/**
 * Who holds which buffer: counted references, a pool of buffers to use again, a budget, and a list of what was not given
 * back.
 *
 * @module
 */
import type { BufferId, Device } from "../devices/device.ts";
import { ComputeError } from "../values/errors.ts";

/** Buffers from this size on are not kept for later. */
const TOO_LARGE_TO_KEEP = 64 * 2 ** 20;
/** Buffers of one size that are kept at most. */
const MOST_OF_A_SIZE = 64;
/** The part of the budget that kept buffers may take. */
const KEPT_PART = 0.25;

/** What is in use. */
export interface BufferStats {
  /** Buffers that tensors hold. */
  readonly live: number;
  /** Bytes of them. */
  readonly liveBytes: number;
  /** Bytes kept for later. */
  readonly pooledBytes: number;
  /** Most bytes that were live at a time. */
  readonly peakBytes: number;
  /** Buffers that were made. */
  readonly allocations: number;
  /** Times that a kept buffer was used again. */
  readonly reused: number;
}

/** A buffer that tensors hold: a tensor and its views count as one holder each. */
export interface Storage {
  /** The device's number of it. */
  readonly buffer: BufferId;
  /** Bytes that were asked for, rounded up to a size class. */
  readonly capacity: number;
  /** How many hold it. */
  holders: number;
  /** How often it was written to after it was made. */
  version: number;
  /** How many gradients need what is in it. */
  saved: number;
}

/** The buffers of one device. */
export class Buffers {
  readonly #device: Device;
  readonly #budget: number;
  readonly #kept = new Map<number, BufferId[]>();
  #live = 0;
  #liveBytes = 0;
  #pooledBytes = 0;
  #peakBytes = 0;
  #allocations = 0;
  #reused = 0;

  /**
   * @param device Where they are.
   * @param budget Most bytes that may be live at a time.
   */
  constructor(device: Device, budget: number) {
    this.#device = device;
    this.#budget = budget;
  }

  /**
   * A buffer with one holder. What is in it is not said.
   *
   * @throws {ComputeError} `E_LIMIT` beyond the budget or the device's largest buffer, `E_OOM` where the device has no room.
   */
  take(op: string, bytes: number): Storage {
    const capacity = sizeClass(bytes);
    if (bytes > this.#device.largestBuffer) {
      throw new ComputeError(
        "E_LIMIT",
        op,
        `${bytes} bytes are more than the ${this.#device.largestBuffer} of the largest buffer of ${this.#device.name}`,
      );
    }
    if (this.#liveBytes + capacity > this.#budget) {
      throw new ComputeError(
        "E_LIMIT",
        op,
        `${capacity} bytes more than the ${this.#liveBytes} in use would pass the budget of ${this.#budget}; dispose of tensors or raise it`,
      );
    }
    const buffer = this.#buffer(op, capacity);
    this.#live++;
    this.#liveBytes += capacity;
    this.#peakBytes = Math.max(this.#peakBytes, this.#liveBytes);
    return { buffer, capacity, holders: 1, version: 0, saved: 0 };
  }

  /** One holder less; with the last, the buffer is kept for later or given back. */
  release(storage: Storage): void {
    if (--storage.holders > 0) return;
    const { buffer, capacity } = storage;
    this.#live--;
    this.#liveBytes -= capacity;
    const kept = this.#kept.get(capacity) ?? [];
    if (
      capacity >= TOO_LARGE_TO_KEEP || kept.length >= MOST_OF_A_SIZE ||
      this.#pooledBytes + capacity > this.#budget * KEPT_PART
    ) return this.#device.free(buffer);
    kept.push(buffer);
    this.#kept.set(capacity, kept);
    this.#pooledBytes += capacity;
  }

  /** Gives back what is kept for later. */
  trim(): void {
    for (const buffers of this.#kept.values()) for (const buffer of buffers) this.#device.free(buffer);
    this.#kept.clear();
    this.#pooledBytes = 0;
  }

  /** What is in use now. */
  stats(): BufferStats {
    return {
      live: this.#live,
      liveBytes: this.#liveBytes,
      pooledBytes: this.#pooledBytes,
      peakBytes: this.#peakBytes,
      allocations: this.#allocations,
      reused: this.#reused,
    };
  }

  #buffer(op: string, capacity: number): BufferId {
    const kept = this.#kept.get(capacity)?.pop();
    if (kept !== undefined) {
      this.#pooledBytes -= capacity;
      this.#reused++;
      return kept;
    }
    let buffer = this.#device.allocate(capacity);
    if (buffer === undefined) {
      this.trim();
      buffer = this.#device.allocate(capacity);
    }
    if (buffer === undefined) {
      throw new ComputeError(
        "E_OOM",
        op,
        `${this.#device.name} has no room for ${capacity} bytes beside ${this.#liveBytes} in use; dispose of tensors`,
      );
    }
    this.#allocations++;
    return buffer;
  }
}

/** Powers of two with three steps between; large ones as they are. */
function sizeClass(bytes: number): number {
  if (bytes >= TOO_LARGE_TO_KEEP) return Math.ceil(bytes / 16) * 16;
  const power = 2 ** Math.max(6, Math.ceil(Math.log2(Math.max(1, bytes))) - 1);
  for (let size = power; size < 2 * power; size += power / 4) if (size >= bytes) return size;
  return 2 * power;
}
