/**
 * The order of what is done to one thing: who looks may do so together, who changes does it alone, each in the order of arrival.
 *
 * @module
 */

/** A place in the order of a lane. */
export interface Turn {
  /** Resolves when it has come; nothing if it has. */
  readonly ready: Promise<unknown> | undefined;
  /** It is over. */
  leave(): void;
}

/** Requests for one file, or for the names of a store. */
export class Lane {
  #alone: Promise<void> | undefined;
  readonly #together = new Set<Promise<void>>();

  /**
   * Takes a place after those before. Whoever needs several lanes enters all of them at once, before anyone else enters one: so
   * none waits for another in a ring.
   */
  enter(alone: boolean): Turn {
    const { promise: over, resolve } = Promise.withResolvers<void>();
    const before = this.#alone;
    if (!alone) {
      this.#together.add(over);
      return {
        ready: before,
        leave: () => {
          this.#together.delete(over);
          resolve();
        },
      };
    }
    const ready = before || this.#together.size > 0 ? Promise.all([before, ...this.#together]) : undefined;
    this.#together.clear();
    this.#alone = over;
    return {
      ready,
      leave: () => {
        if (this.#alone === over) this.#alone = undefined;
        resolve();
      },
    };
  }
}

/** Does something when all turns have come, and ends them. */
export async function inTurn<T>(turns: readonly Turn[], work: () => Promise<T>): Promise<T> {
  try {
    for (const { ready } of turns) if (ready) await ready;
    return await work();
  } finally {
    for (const turn of turns) turn.leave();
  }
}
