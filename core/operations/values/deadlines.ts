/**
 * Many deadlines, few timers: those of one duration pass in the order in which they began, so one timer waits for the
 * first of them. A timer of the runtime for each request would cost more than the rest of the request.
 *
 * @module
 */
import type { Clock } from "./clock.ts";

/** A deadline that can be taken back. */
export interface Deadline {
  /** Takes it back. Twice is harmless. */
  cancel(): void;
}

class Entry implements Deadline {
  previous: Entry | undefined;
  next: Entry | undefined;
  queue: Queue | undefined;
  readonly due: number;
  readonly passed: () => void;

  constructor(queue: Queue, due: number, passed: () => void) {
    this.queue = queue;
    this.due = due;
    this.passed = passed;
  }

  cancel(): void {
    this.queue?.remove(this);
  }
}

/** The deadlines of one duration, the first to pass first. */
class Queue {
  readonly #clock: Clock;
  readonly #duration: number;
  readonly #emptied: () => void;
  #first: Entry | undefined;
  #last: Entry | undefined;
  #stop: (() => void) | undefined;

  constructor(clock: Clock, duration: number, emptied: () => void) {
    this.#clock = clock;
    this.#duration = duration;
    this.#emptied = emptied;
  }

  add(passed: () => void, due?: number): Entry {
    const now = this.#clock.now();
    const entry = new Entry(this, due ?? now + this.#duration, passed);
    // One that began before it was added belongs before those that began meanwhile.
    let previous = this.#last;
    while (previous && previous.due > entry.due) previous = previous.previous;
    entry.previous = previous;
    entry.next = previous ? previous.next : this.#first;
    if (previous) previous.next = entry;
    else this.#first = entry;
    if (entry.next) entry.next.previous = entry;
    else this.#last = entry;
    if (entry === this.#first) {
      this.#stop?.();
      this.#stop = this.#clock.after(Math.max(0, entry.due - now), this.#pass);
    }
    return entry;
  }

  remove(entry: Entry): void {
    entry.queue = undefined;
    if (entry.previous) entry.previous.next = entry.next;
    else this.#first = entry.next;
    if (entry.next) entry.next.previous = entry.previous;
    else this.#last = entry.previous;
    if (this.#first) return;
    this.#stop?.();
    this.#stop = undefined;
    this.#emptied();
  }

  readonly #pass = (): void => {
    this.#stop = undefined;
    const now = this.#clock.now();
    for (let entry = this.#first; entry && entry.due <= now; entry = this.#first) {
      this.remove(entry);
      entry.passed();
    }
    // Timers of the runtime may come a fraction of a millisecond early: then this waits for the rest.
    if (this.#first) this.#stop ??= this.#clock.after(Math.max(1, this.#first.due - now), this.#pass);
  };
}

/** Deadlines on a clock. */
export class Deadlines {
  readonly #clock: Clock;
  readonly #queues = new Map<number, Queue>();

  /**
   * No deadlines yet.
   *
   * @param clock Where the time comes from.
   */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Calls back after so many milliseconds, unless it is taken back.
   *
   * @param due When that is, for what began before now.
   */
  after(milliseconds: number, passed: () => void, due?: number): Deadline {
    let queue = this.#queues.get(milliseconds);
    if (!queue) {
      queue = new Queue(this.#clock, milliseconds, () => this.#queues.delete(milliseconds));
      this.#queues.set(milliseconds, queue);
    }
    return queue.add(passed, due);
  }
}
