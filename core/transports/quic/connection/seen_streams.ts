/**
 * Which streams of the peer have begun, so that what is late for one that is over is not taken for another.
 *
 * The engine names a stream by its id alone and may still be sending for one that the node has given up. Ids of a kind
 * rise by one step (RFC 9000 §2.1) but need not come in order; those passed over are remembered. The peer pays for each
 * with one of the streams it may have open, so their number is bounded by that limit.
 *
 * @module
 */

/** The streams of one connection's peer. */
export class SeenStreams {
  /** By the two low bits of the id: the count of streams up to the highest seen. */
  readonly #counts = [0, 0, 0, 0];
  readonly #skipped = new Set<number>();

  /** Whether an id is seen for the first time; from then on it is not. */
  begin(id: number): boolean {
    const kind = id & 3;
    const index = Math.floor(id / 4);
    if (index < this.#counts[kind]) return this.#skipped.delete(id);
    for (let i = this.#counts[kind]; i < index; i++) this.#skipped.add(4 * i + kind);
    this.#counts[kind] = index + 1;
    return true;
  }
}
