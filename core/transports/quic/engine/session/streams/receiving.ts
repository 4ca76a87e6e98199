/**
 * What a session receives on its streams: delivered to the node, within its credit.
 *
 * @module
 */
import type { SessionEvents } from "../../../link/link.ts";
import { errorCodeOf, type QuicheConnection, SHUTDOWN_READ } from "../../binding.ts";
import type { Credits } from "./credits.ts";
import type { FrameBudget } from "../frame_budget.ts";
import type { Sending } from "./sending.ts";
import type { Progress, StreamState } from "./stream_state.ts";
import type { StreamParts, StreamTable } from "./stream_table.ts";

/** The receiving halves of one session's streams. */
export class Receiving {
  readonly #quiche: QuicheConnection;
  readonly #events: SessionEvents;
  readonly #table: StreamTable;
  readonly #credits: Credits;
  readonly #progress: Progress;
  readonly #scratch: Uint8Array;
  readonly #frames: FrameBudget;
  readonly #sending: Sending;
  /** Streams that we stopped and whose end has not come; as many as the peer may have open. */
  readonly #refused = new Set<number>();
  /** The stream read last. */
  #last = -1;

  /**
   * @param parts What both halves work with.
   * @param sending The other half.
   * @param scratch Room to read into; shared by all sessions of a thread.
   * @param frames Told of what was delivered.
   */
  constructor(parts: StreamParts, sending: Sending, scratch: Uint8Array, frames: FrameBudget) {
    this.#quiche = parts.quiche;
    this.#events = parts.events;
    this.#table = parts.table;
    this.#credits = parts.credits;
    this.#progress = parts.progress;
    this.#sending = sending;
    this.#scratch = scratch;
    this.#frames = frames;
  }

  /** See {@linkcode SessionCommands.consumed}. Returns whether reading may go on where it had to wait. */
  consumed(id: number, bytes: number): boolean {
    this.#credits.consumed(this.#table.get(id), bytes);
    return this.#credits.held;
  }

  /** See {@linkcode SessionCommands.stop}. */
  stop(id: number, code: number): void {
    const stream = this.#table.get(id);
    if (!stream || stream.receiveDone) return;
    this.#sending.begin(id, stream);
    this.#progress.cut++;
    // Whose end has come needs no stop, and quiche would never forget a stream that is stopped after its end.
    this.#refused.add(id);
    this.#discard(id);
    if (this.#refused.has(id)) this.#refuse(id, code);
    this.#receiveDone(id, stream);
  }

  /** Delivers what the peer has sent, as far as credit goes; `all` ignores credit, for a connection that is over. */
  deliver(all = false): void {
    this.#credits.held = false;
    // A conversation goes on where it was: asking for one stream costs a fraction of listing them.
    const last = this.#table.get(this.#last);
    if (last && !last.receiveDone) this.#read(this.#last, last, all);
    if (!this.#quiche.isReadable()) return;
    for (const id of this.#quiche.readable()) {
      if (this.#refused.has(id)) this.#discard(id);
      else if (all || this.#table.get(id) || this.#credits.admits()) this.#read(id, this.#table.obtain(id), all);
    }
  }

  #read(id: number, stream: StreamState, all: boolean): void {
    const scratch = this.#scratch;
    while (!stream.receiveDone) {
      const room = all ? scratch.byteLength : this.#credits.room(stream);
      if (room <= 0) return;
      const into = room < scratch.byteLength ? scratch.subarray(0, room) : scratch;
      try {
        const result = this.#quiche.streamRecv(id, into);
        if (result === null) return;
        const [length, fin] = result;
        this.#delivered(id, stream, into.subarray(0, length), fin);
        if (length < into.byteLength) return;
      } catch (error) {
        const code = errorCodeOf("StreamReset", error);
        stream.wasReset = code !== undefined;
        this.#receiveDone(id, stream);
        this.#progress.cut++;
        if (code !== undefined) this.#events.peerReset(id, code);
        // Who resets often stops as well; asked at once, because nothing more may come that would make us ask.
        this.#sending.checkOne(id, stream);
        return;
      }
    }
  }

  #delivered(id: number, stream: StreamState, bytes: Uint8Array, fin: boolean): void {
    this.#last = id;
    this.#credits.delivered(stream, bytes.byteLength);
    this.#progress.received += bytes.byteLength;
    this.#progress.deliveries++;
    stream.delivered += bytes.byteLength;
    this.#frames.delivered(id, stream.delivered);
    if (fin) this.#receiveDone(id, stream);
    this.#events.data(id, bytes, fin);
  }

  /** Takes the end of a stream that we stopped, at which quiche forgets it and its place is free for another. */
  #discard(id: number): void {
    try {
      while (true) {
        const result = this.#quiche.streamRecv(id, this.#scratch);
        if (result === null) return;
        if (result[1]) break;
      }
    } catch { /* reset, as RFC 9000 §3.5 asks of a sender that is stopped */ }
    this.#refused.delete(id);
  }

  /** STOP_SENDING. */
  #refuse(id: number, code: number): void {
    this.#progress.sends++;
    try {
      this.#quiche.streamShutdown(id, SHUTDOWN_READ, code);
    } catch { /* quiche has already forgotten the stream */ }
  }

  #receiveDone(id: number, stream: StreamState): void {
    stream.receiveDone = true;
    this.#frames.forget(id);
    this.#table.settle(id, stream);
  }
}
