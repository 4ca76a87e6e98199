/**
 * What is left over by commits, done beside other work: when there is some, and each hour by whoever looks after the tables.
 *
 * @module
 */
import type { Upkeep } from "./upkeep.ts";

/** Milliseconds between two passes over what is left over. */
const EVERY = 3_600_000;
const STEPS = ["reap", "sweep", "prune"] as const;

/** Does it, one pass at a time. */
export class Chores implements AsyncDisposable {
  readonly #upkeep: Upkeep;
  readonly #timer: ReturnType<typeof setInterval> | undefined;
  #running: Promise<void> | undefined;
  /** Whether there is more to do since a pass began. */
  #again = false;
  #closed = false;

  /** @param isKeeper Whether it is done each hour, and at once. */
  constructor(upkeep: Upkeep, isKeeper: boolean) {
    this.#upkeep = upkeep;
    if (!isKeeper) return;
    this.begin();
    this.#timer = setInterval(() => this.begin(), EVERY);
    // What is left over keeps no program running.
    Deno.unrefTimer(Number(this.#timer));
  }

  /** Begins a pass; one that is under way is followed by another. */
  begin(): void {
    this.#again = true;
    if (!this.#closed) this.#running ??= this.#run().finally(() => void (this.#running = undefined));
  }

  /** Until all is done that was there when it was asked for. */
  async done(): Promise<void> {
    this.begin();
    await this.#running;
  }

  /** Retires what a commit removed, as far as it takes no time; the rest follows. The commit is made, whatever comes of this. */
  async reap(): Promise<void> {
    try {
      if (await this.#upkeep.reap()) this.begin();
    } catch {
      // The next pass goes on.
    }
  }

  /** Begins nothing more. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  /** Ends it; what is under way is waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#running;
  }

  async #run(): Promise<void> {
    try {
      while (this.#again && !this.#closed) {
        this.#again = false;
        for (const step of STEPS) await this.#all(step);
      }
    } catch {
      // On a full disk, say, or without a database: the next pass goes on.
    }
  }

  async #all(step: typeof STEPS[number]): Promise<void> {
    // Bit by bit: others have their turn between.
    while (!this.#closed && await this.#upkeep[step]()) await new Promise((done) => setTimeout(done));
  }
}
