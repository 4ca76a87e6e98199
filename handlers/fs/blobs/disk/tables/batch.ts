/**
 * Small changes that share a transaction: waiting for the disk is most of what one costs.
 *
 * @module
 */
import type { StoreDatabase } from "./database.ts";

/** Changes of a transaction. */
const MOST = 1000;
/** Milliseconds that the first of them waits for others. */
const WAIT = 5;

interface Job {
  readonly work: () => void;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** Collects changes, and makes them together. */
export class Batch {
  readonly #database: StoreDatabase;
  #jobs: Job[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param database Where the changes are made. */
  constructor(database: StoreDatabase) {
    this.#database = database;
  }

  /**
   * Makes a change. Resolves once it is acknowledged.
   *
   * @param work May run twice, if another one fails beside it.
   * @throws What the work throws, or the transaction.
   */
  change(work: () => void): Promise<void> {
    return new Promise((done, failed) => {
      this.#jobs.push({ work, done, failed });
      if (this.#jobs.length >= MOST) this.flush();
      else this.#timer ??= setTimeout(() => this.flush(), WAIT);
    });
  }

  /** Makes a change that waits for no others; those that wait are made with it. */
  changeNow(work: () => void): Promise<void> {
    const changed = this.change(work);
    this.flush();
    return changed;
  }

  /** Makes what waits now. Never throws: whoever asked for a change is told. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const jobs = this.#jobs;
    this.#jobs = [];
    if (jobs.length === 0) return;
    try {
      this.#database.transaction(() => {
        for (const { work } of jobs) work();
      });
      for (const { done } of jobs) done();
    } catch (error) {
      if (jobs.length === 1) return jobs[0].failed(error);
      // One of them spoiled it for all: each by itself.
      for (const job of jobs) this.#alone(job);
    }
  }

  #alone({ work, done, failed }: Job): void {
    try {
      this.#database.transaction(work);
      done();
    } catch (error) {
      failed(error);
    }
  }
}
