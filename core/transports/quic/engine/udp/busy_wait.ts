/**
 * Waiting awake, where the answer is likely to be there before a sleeping thread would be up again.
 *
 * To put a processor to sleep and to wake it costs more than a round trip within a machine: the wake itself, and caches and
 * predictions gone cold. So a wait begins with looking again and again, for as long as waits have been short of late; one
 * that lasts stops that soon. Kernels wait for packets (`net.core.busy_poll`) and hypervisors for interrupts in this way.
 *
 * @module
 */
import { pollAwake } from "../../linux/calls.ts";
import type { PollSet } from "../../linux/memory.ts";

/** Longest time awake, in milliseconds: what another process of this machine may take to answer. */
export const LONGEST = 0.3;
/** A time below this is none. */
const SHORTEST = 0.04;
/** Alone, a processor has better things to do: whoever is to answer needs it. */
const POINTLESS = navigator.hardwareConcurrency < 2;

/** Decides how long to wait awake, from how long waits have taken. */
export class BusyWait {
  #span = 0;

  /** How long the next wait begins awake, in milliseconds. */
  get span(): number {
    return this.#span;
  }

  /**
   * Waits awake, giving way to whoever else wants the processor.
   *
   * @param limit Longest time, in milliseconds.
   * @returns Entries that are ready; 0 after the time.
   */
  poll(set: PollSet, limit: number): number {
    const span = Math.min(this.#span, limit);
    return span > 0 ? pollAwake(set, span) : 0;
  }

  /** Says how long a whole wait took, awake and asleep, in milliseconds. */
  waited(milliseconds: number): void {
    if (milliseconds <= LONGEST) this.#span = POINTLESS ? 0 : LONGEST;
    else this.#span = this.#span < 2 * SHORTEST ? 0 : this.#span / 2;
  }
}
