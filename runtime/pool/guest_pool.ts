/**
 * Processes that wait for guests, so that a guest waits less for its process. Each is for one guest and ends with it: none
 * is ever used for another.
 *
 * @module
 */
import { endSpawned, type SpawnedGuest, spawnGuest } from "./spawned.ts";

/** After so many milliseconds another process is started, so that it does not take the processor from the one just taken. */
const REFILL = 100;

/** A pool. Dispose of it: its processes wait until then. */
export class GuestPool implements AsyncDisposable {
  readonly #size: number;
  readonly #waiting: { readonly spawned: Promise<SpawnedGuest>; ended: boolean }[] = [];
  #refill: ReturnType<typeof setTimeout> | undefined;
  #disposed = false;

  /**
   * Starts processes to wait.
   *
   * @param size How many wait; each takes some 50 MiB. Default 2.
   * @throws {RangeError} It is no whole number from 1 to 64.
   */
  constructor(size: number = 2) {
    if (!Number.isInteger(size) || size < 1 || size > 64) throw new RangeError(`a pool of ${size}; it must be 1 to 64`);
    this.#size = size;
    this.#fill();
  }

  /**
   * A process that has had no guest; another begins to wait in its place soon.
   *
   * @throws {GuestError} `E_UNAVAILABLE`: no process can be started here.
   */
  async take(): Promise<SpawnedGuest> {
    let taken = this.#waiting.shift();
    while (taken?.ended) {
      await taken.spawned.then(endSpawned, () => {});
      taken = this.#waiting.shift();
    }
    if (!this.#disposed) this.#refill ??= setTimeout(() => this.#fill(), REFILL);
    return await (taken?.spawned ?? spawnGuest());
  }

  /** Ends the processes that wait; those that were taken are their guests' own. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    clearTimeout(this.#refill);
    await Promise.all(this.#waiting.splice(0).map(({ spawned }) => spawned.then(endSpawned, () => {})));
  }

  #fill(): void {
    this.#refill = undefined;
    while (this.#waiting.length < this.#size) {
      const one = { spawned: spawnGuest(undefined, true), ended: false };
      const end = () => void (one.ended = true);
      one.spawned.then(({ process }) => process.status.then(end), end);
      this.#waiting.push(one);
    }
  }
}
