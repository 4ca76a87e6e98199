/**
 * Commits by date, the youngest first: a binary heap.
 *
 * @module
 */
import type { Oid } from "../objects/oid.ts";

interface Waiting {
  readonly oid: Oid;
  readonly date: number;
}

/** A queue in which the youngest commit is always the first. */
export class CommitQueue {
  readonly #heap: Waiting[] = [];

  /** Adds a commit; `date` in Unix seconds. */
  push(oid: Oid, date: number): void {
    const heap = this.#heap;
    let at = heap.push({ oid, date }) - 1;
    for (let up = (at - 1) >> 1; at > 0 && heap[up].date < date; up = (at - 1) >> 1) {
      [heap[up], heap[at]] = [heap[at], heap[up]];
      at = up;
    }
  }

  /** Takes the youngest, if there is one. */
  pop(): Oid | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first?.oid;
    heap[0] = last;
    for (let at = 0;;) {
      let younger = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && heap[child].date > heap[younger].date) younger = child;
      }
      if (younger === at) return first.oid;
      [heap[at], heap[younger]] = [heap[younger], heap[at]];
      at = younger;
    }
  }
}
