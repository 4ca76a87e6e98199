/**
 * Sharing work out among providers: each takes as much as it does, what one does not do is another's, and at the end those that
 * are idle race the slowest.
 *
 * @module
 */
import type { Source } from "./source.ts";

/** Milliseconds after which somebody who is idle does what another is at: as long as a piece shall take. */
const RACE_AFTER = 500;

/** Something that one provider is asked for. */
export interface Task {
  /**
   * Asks for it.
   *
   * @returns Bytes that came.
   */
  run(source: Source, signal: AbortSignal): Promise<number>;
  /** Whether any of it is missing. */
  isMissing(): Promise<boolean>;
  /** Bytes that came of it so far; of one that failed too. */
  received: number;
}

/** What there is to do. */
export interface Work {
  /** Whether nothing is left that nobody does. */
  readonly isEmpty: boolean;
  /** Something for a provider; nothing where it cannot be asked for what is left. */
  take(source: Source): Task | undefined;
  /** Takes back what did not come of something. */
  give(task: Task, source: Source): Promise<void>;
}

/** A provider that takes part once it is ready; where it is out then, it does not. */
export interface Partner {
  /** It. */
  readonly source: Source;
  /** Settles when it is known what it has. */
  readonly prepared: Promise<unknown>;
}

interface Running {
  readonly task: Task;
  readonly source: Source;
  readonly began: number;
  readonly stop: AbortController;
  racing: boolean;
}

/** Shares out work. */
export class Schedule {
  readonly #work: Work;
  readonly #partners: readonly Partner[];
  readonly #signal: AbortSignal;
  readonly #faulty: (source: Source, error: unknown) => void;
  readonly #running = new Set<Running>();
  readonly #waiting = new Set<() => void>();
  #active = 0;
  readonly #ended = new AbortController();

  /**
   * @param signal Ends it.
   * @param faulty Told of what a provider did not do.
   */
  constructor(
    work: Work,
    partners: readonly Partner[],
    signal: AbortSignal,
    faulty: (source: Source, error: unknown) => void,
  ) {
    this.#work = work;
    this.#partners = partners;
    this.#signal = signal;
    this.#faulty = faulty;
  }

  /** Does all that can be done. */
  async run(): Promise<void> {
    const lanes = this.#partners.flatMap((one) => [{ ...one, lane: 0 }, { ...one, lane: 1 }]);
    this.#active = lanes.length;
    await Promise.all(lanes.map(({ source, prepared, lane }) => this.#lane(source, prepared, lane)));
    this.#signal.throwIfAborted();
  }

  async #lane(source: Source, prepared: Promise<unknown>, lane: number): Promise<void> {
    const stop = AbortSignal.any([this.#signal, this.#ended.signal]);
    try {
      await Promise.race([prepared.catch(() => {}), aborted(stop)]);
      while (!stop.aborted && !source.out && lane < source.lanes) {
        await source.ready(stop);
        const running = this.#next(source);
        if (running) await this.#do(running);
        else await this.#wait();
      }
    } catch (error) {
      if (!this.#signal.aborted) throw error;
    } finally {
      this.#leave();
    }
  }

  #next(source: Source): Running | undefined {
    if (source.out || this.#ended.signal.aborted) return undefined;
    const task = this.#work.take(source);
    const begin = (task: Task, racing: boolean): Running => {
      const running = { task, source, began: performance.now(), stop: new AbortController(), racing };
      this.#running.add(running);
      return running;
    };
    if (task) return begin(task, false);
    if (!this.#work.isEmpty) return undefined;
    // Whoever has been at it for the longest, and has nobody beside it.
    const slowest = [...this.#running]
      .filter((one) => !one.racing && one.source !== source && performance.now() - one.began >= RACE_AFTER)
      .sort((one, other) => one.began - other.began)[0];
    if (!slowest || ![...this.#running].every((one) => one.source !== source)) return undefined;
    slowest.racing = true;
    return begin(slowest.task, true);
  }

  async #do(running: Running): Promise<void> {
    const { task, source, began, stop } = running;
    const before = task.received;
    try {
      const bytes = await task.run(source, AbortSignal.any([this.#signal, stop.signal]));
      source.succeeded(bytes, performance.now() - began);
      // Whoever raced for it has lost.
      for (const other of this.#running) if (other !== running && other.task === task) other.stop.abort();
    } catch (error) {
      if (this.#signal.aborted) throw error;
      if (stop.signal.aborted) return;
      source.failed(error, task.received - before);
      this.#faulty(source, error);
      const another = [...this.#running].find((one) => one !== running && one.task === task);
      if (another) another.racing = false;
      else await this.#work.give(task, source);
    } finally {
      this.#running.delete(running);
      // Nobody is waited for who is not to be asked yet.
      if (this.#running.size === 0 && this.#work.isEmpty) this.#end();
      else this.#wake();
    }
  }

  /** Waits until something has changed; or for a while, after which somebody may have been at it for too long. */
  async #wait(): Promise<void> {
    if (this.#ended.signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    this.#leave();
    const timer = setTimeout(() => {
      if (!this.#waiting.delete(resolve)) return;
      this.#active++;
      resolve();
    }, RACE_AFTER);
    await promise;
    clearTimeout(timer);
  }

  /** One less that may change anything. */
  #leave(): void {
    if (--this.#active > 0 || this.#ended.signal.aborted) return;
    this.#end();
  }

  #end(): void {
    this.#ended.abort();
    this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    this.#active += waiting.length;
    for (const wake of waiting) wake();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
