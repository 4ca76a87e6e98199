/**
 * Work that is done one piece after the other, in the order in which it was asked for.
 *
 * @module
 */

/** A line of work. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Does work when all before it is done, however that went. */
  next<T>(work: () => PromiseLike<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
