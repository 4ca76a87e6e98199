/**
 * Deadlines of many sessions, cheap to move: a binary heap that is corrected only when a deadline comes up.
 *
 * @module
 */

/** Something with a deadline. */
export interface Timed {
  /** When it wants to be looked at, in milliseconds; Infinity for never. */
  readonly deadline: number;
}

interface Entry<T> {
  readonly at: number;
  readonly item: T;
}

/**
 * A queue of deadlines. Moving a deadline back costs nothing: the old entry stays and is re-inserted when it comes up.
 * Moving it forward inserts once. So a session that is busy all the time costs about one entry a deadline, not one a packet.
 */
export class Timers<T extends Timed> {
  readonly #heap: Entry<T>[] = [];
  readonly #scheduled = new Map<T, number>();

  /** When the next item may be due; Infinity when nothing waits. */
  get next(): number {
    return this.#heap.length === 0 ? Infinity : this.#heap[0].at;
  }

  /** Notes that an item's deadline may have changed. */
  update(item: T): void {
    const at = item.deadline;
    if (at === Infinity || at >= (this.#scheduled.get(item) ?? Infinity)) return;
    this.#scheduled.set(item, at);
    this.#insert({ at, item });
  }

  /** Forgets an item. */
  delete(item: T): void {
    this.#scheduled.delete(item);
  }

  /** Calls back for each item whose deadline has passed; each is forgotten until `update`. */
  expire(now: number, due: (item: T) => void): void {
    while (this.#heap.length > 0 && this.#heap[0].at <= now) {
      const { at, item } = this.#remove();
      if (this.#scheduled.get(item) !== at) continue;
      this.#scheduled.delete(item);
      if (item.deadline <= now) due(item);
      else this.update(item);
    }
  }

  #insert(entry: Entry<T>): void {
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (heap[parent].at <= entry.at) break;
      heap[index] = heap[parent];
      index = parent;
    }
    heap[index] = entry;
  }

  #remove(): Entry<T> {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop()!;
    if (heap.length === 0) return top;
    let index = 0;
    while (true) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && heap[child + 1].at < heap[child].at) child++;
      if (heap[child].at >= last.at) break;
      heap[index] = heap[child];
      index = child;
    }
    heap[index] = last;
    return top;
  }
}
