/**
 * Waiting awake, where the answer is likely to be there before a sleeping thread would be up again.
 *
 * To put a processor to sleep and to wake it costs more than a round trip within a machine: the wake itself, and caches and
 * predictions gone cold. So a wait begins with looking again and again, for as long as waits have been short of late; one
 * that lasts stops that soon. Kernels wait for packets (`net.core.busy_poll`) and hypervisors for interrupts in this way.
 *
 * On a processor that others want it is the other way round: whoever gives way while awake gets it back after a slice of
 * theirs, milliseconds later, where a sleeper is woken at once. Then waits are asleep for a while.
 *
 * @module
 */
import { giveWay, pollNow } from "../../linux/calls.ts";
import type { PollSet } from "../../linux/memory.ts";

/** Longest time awake, in milliseconds: what another process of this machine may take to answer. */
export const LONGEST = 0.3;
/** A time below this is none. */
const SHORTEST = 0.04;
/** Alone, a processor has better things to do: whoever is to answer needs it. */
const POINTLESS = navigator.hardwareConcurrency < 2;
/** Away for longer than this, in milliseconds, the thread gave way to somebody who is busy with something else. */
export const STOLEN = 1;
/** Waits asleep after the processor was taken: twice as many each time, within these, and half as many when it was not. */
export const [FEWEST_ASLEEP, MOST_ASLEEP] = [16, 4096];

/** What a wait needs of the system; for tests. */
export interface BusyWaitSystem {
  /** Looks once; returns the entries that are ready. */
  readonly look: (set: PollSet) => number;
  /** Gives way to whoever else wants the processor. */
  readonly giveWay: () => void;
  /** The time, in milliseconds. */
  readonly now: () => number;
}

const SYSTEM: BusyWaitSystem = { look: pollNow, giveWay, now: () => performance.now() };

/** Decides how long to wait awake, from how long waits have taken. */
export class BusyWait {
  readonly #system: BusyWaitSystem;
  #span = 0;
  #asleep = 0;
  #rest = FEWEST_ASLEEP;

  constructor(system: Partial<BusyWaitSystem> = {}) {
    this.#system = { ...SYSTEM, ...system };
  }

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
    if (span <= 0) return 0;
    const { look, giveWay, now } = this.#system;
    let at = now();
    const until = at + span;
    do {
      const ready = look(set);
      if (ready > 0) return ready;
      giveWay();
      const before = at;
      at = now();
      if (at - before > STOLEN) {
        this.#stolen();
        return look(set);
      }
    } while (at < until);
    this.#rest = Math.max(this.#rest / 2, FEWEST_ASLEEP);
    return 0;
  }

  /** Says how long a whole wait took, awake and asleep, in milliseconds. */
  waited(milliseconds: number): void {
    if (this.#asleep > 0) this.#asleep--;
    else if (milliseconds <= LONGEST) this.#span = POINTLESS ? 0 : LONGEST;
    else this.#span = this.#span < 2 * SHORTEST ? 0 : this.#span / 2;
  }

  #stolen(): void {
    this.#span = 0;
    this.#asleep = this.#rest;
    this.#rest = Math.min(2 * this.#rest, MOST_ASLEEP);
  }
}
