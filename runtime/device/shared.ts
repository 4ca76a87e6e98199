/**
 * One device for everybody who trusts each other: opened by the first, destroyed after the last, and opened anew when it was
 * lost.
 *
 * @module
 */
import { type DeviceInfo, type DeviceOptions, type OpenDevice, openDevice } from "./adapter.ts";
import { GpuError } from "./errors.ts";

/** How often a device that was lost is opened anew within {@linkcode WINDOW}. */
const MOST_OPENED = 3;
/** In milliseconds. */
const WINDOW = 60_000;

/** A share of a device. Dispose of it: the device is there until the last share is. */
export interface DeviceLease extends Disposable {
  /** The device. */
  readonly device: GPUDevice;
  /** What is known of it. */
  readonly info: DeviceInfo;
  /** Comes once, with the reason, when the device is lost; acquire it again then. Never comes when all gave it back. */
  readonly lost: Promise<string>;
}

/** How a keeper opens devices, and what time it is; for tests. */
export interface DeviceKeeperOptions {
  /** Opens a device. */
  readonly open?: (options: DeviceOptions) => Promise<OpenDevice | undefined>;
  /** Milliseconds. */
  readonly now?: () => number;
}

interface Slot {
  readonly opened: Promise<OpenDevice | undefined>;
  readonly lost: PromiseWithResolvers<string>;
  shares: number;
}

/** Keeps devices, one for each intent, power and set of features. */
export class DeviceKeeper {
  readonly #open: (options: DeviceOptions) => Promise<OpenDevice | undefined>;
  readonly #now: () => number;
  readonly #slots = new Map<string, Slot>();
  readonly #losses = new Map<string, number[]>();

  /** A keeper of no devices as yet. */
  constructor({ open = openDevice, now = () => performance.now() }: DeviceKeeperOptions = {}) {
    this.#open = open;
    this.#now = now;
  }

  /** Devices that are open, or being opened. */
  get size(): number {
    return this.#slots.size;
  }

  /**
   * A share of the device.
   *
   * @returns Nothing where there is no adapter.
   * @throws {GpuError} `GPU_UNAVAILABLE`: it was lost too often lately.
   */
  async acquire(options: DeviceOptions = {}): Promise<DeviceLease | undefined> {
    const key = JSON.stringify(options, Object.keys(options).sort().concat("render", "request"));
    const slot = this.#slots.get(key) ?? this.#begin(key, options);
    slot.shares++;
    let opened: OpenDevice | undefined;
    try {
      opened = await slot.opened;
    } finally {
      if (opened === undefined) this.#give(key, slot);
    }
    if (opened === undefined) return undefined;
    const { device, info } = opened;
    let held = true;
    return {
      device,
      info,
      lost: slot.lost.promise,
      [Symbol.dispose]: () => {
        if (held) this.#give(key, slot, device);
        held = false;
      },
    };
  }

  #begin(key: string, options: DeviceOptions): Slot {
    const now = this.#now();
    const recent = (this.#losses.get(key) ?? []).filter((at) => now - at < WINDOW);
    this.#losses.set(key, recent);
    if (recent.length >= MOST_OPENED) {
      throw new GpuError("GPU_UNAVAILABLE", "the device was lost three times within a minute; try again in a while");
    }
    const slot: Slot = { opened: this.#open(options), lost: Promise.withResolvers(), shares: 0 };
    this.#slots.set(key, slot);
    slot.opened.then((opened) => opened?.device.lost).then((loss) => {
      // Destroyed by nobody here, while there are shares: lost as by a driver.
      if (loss === undefined || this.#slots.get(key) !== slot) return;
      this.#slots.delete(key);
      this.#losses.get(key)!.push(this.#now());
      slot.lost.resolve(loss.reason || "unknown");
    }, () => {});
    return slot;
  }

  #give(key: string, slot: Slot, device?: GPUDevice): void {
    if (--slot.shares > 0) return;
    if (this.#slots.get(key) === slot) this.#slots.delete(key);
    device?.destroy();
  }
}

const KEEPER = new DeviceKeeper();

/**
 * A share of this process's device: the same for everybody who asks for the same. What is on it is not kept apart; a
 * guest's device is another, in another process.
 *
 * @returns Nothing where there is no adapter: nothing but what computes on it may depend on one.
 * @throws {GpuError} `GPU_UNAVAILABLE`: the device was lost three times within a minute.
 */
export async function acquireDevice(options: DeviceOptions = {}): Promise<DeviceLease | undefined> {
  return await KEEPER.acquire(options);
}
