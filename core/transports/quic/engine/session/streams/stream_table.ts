/**
 * The streams of one session that are not over in both directions, and what their two halves share.
 *
 * @module
 */
import { ChunkQueue } from "../../../../../handler/chunk_queue.ts";
import { type SessionEvents, STREAM_CREDIT } from "../../../link/link.ts";
import type { QuicheConnection } from "../../binding.ts";
import type { Credits } from "./credits.ts";
import type { Progress, StreamState } from "./stream_state.ts";

/** What both halves of a session's streams work with. */
export interface StreamParts {
  /** The connection. */
  readonly quiche: QuicheConnection;
  /** The node's side. */
  readonly events: SessionEvents;
  /** The streams. */
  readonly table: StreamTable;
  /** What may be between engine and node. */
  readonly credits: Credits;
  /** Work done so far. */
  readonly progress: Progress;
}

/** Streams by id. */
export class StreamTable {
  readonly #streams = new Map<number, StreamState>();
  readonly #dialled: boolean;

  /** @param dialled Whether even stream ids are ours (RFC 9000 §2.1). */
  constructor(dialled: boolean) {
    this.#dialled = dialled;
  }

  /** How many there are. */
  get size(): number {
    return this.#streams.size;
  }

  /** A stream that is not over. */
  get(id: number): StreamState | undefined {
    return this.#streams.get(id);
  }

  /** Every stream that is not over. */
  entries(): MapIterator<[number, StreamState]> {
    return this.#streams.entries();
  }

  /** A stream, begun now if it is new. */
  obtain(id: number): StreamState {
    let stream = this.#streams.get(id);
    if (!stream) {
      const oneWay = (id & 2) !== 0;
      stream = {
        queue: new ChunkQueue(),
        finQueued: false,
        begun: ((id & 1) === 0) !== this.#dialled,
        sendDone: oneWay && this.isOneWayOfPeer(id),
        receiveDone: oneWay && !this.isOneWayOfPeer(id),
        wasReset: false,
        accepted: 0,
        growth: 0,
        unread: 0,
        credit: STREAM_CREDIT,
        delivered: 0,
      };
      this.#streams.set(id, stream);
    }
    return stream;
  }

  /** Whether only the peer sends on it. */
  isOneWayOfPeer(id: number): boolean {
    return (id & 2) !== 0 && ((id & 1) === 1) === this.#dialled;
  }

  /** Forgets a stream whose directions are both over. */
  settle(id: number, { sendDone, receiveDone }: StreamState): void {
    if (sendDone && receiveDone) this.#streams.delete(id);
  }
}
