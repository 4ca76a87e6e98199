/**
 * How many streams of ours the peer allows (RFC 9000 §4.6), as far as the node needs to know.
 *
 * @module
 */
import type { SessionEvents } from "../../../link/link.ts";
import type { QuicheConnection } from "../../binding.ts";

/** Streams left to open below which the peer's limits are asked for. */
const LOW_STREAMS = 600;

/** Announces limits when they matter. */
export class StreamLimits {
  readonly #quiche: QuicheConnection;
  readonly #events: SessionEvents;
  #announced = false;
  #bidi = 0;
  #uni = 0;

  /**
   * @param quiche The connection.
   * @param events The node's side.
   */
  constructor(quiche: QuicheConnection, events: SessionEvents) {
    this.#quiche = quiche;
    this.#events = events;
  }

  /**
   * Tells the node what has changed. Asks quiche only when streams run low: the peer allows more when half are used.
   *
   * @param opened Streams of ours that quiche has counted.
   */
  announce(opened: { bidi: number; uni: number }): void {
    const low = this.#bidi - opened.bidi < LOW_STREAMS || this.#uni - opened.uni < LOW_STREAMS;
    if (!low && this.#announced) return;
    this.#announced = true;
    const bidi = opened.bidi + this.#quiche.peerStreamsLeftBidi();
    const uni = opened.uni + this.#quiche.peerStreamsLeftUni();
    if (bidi === this.#bidi && uni === this.#uni) return;
    this.#bidi = bidi;
    this.#uni = uni;
    this.#events.streamLimit(bidi, uni);
  }
}
