/**
 * What a session sends on its streams: what the node gives it, as far as quiche has room.
 *
 * @module
 */
import { CREDIT_STEP, NO_STREAM, type SessionEvents } from "../../../link/link.ts";
import { errorCodeOf, type QuicheConnection, SHUTDOWN_WRITE } from "../../binding.ts";
import type { Credits } from "./credits.ts";
import type { Progress, StreamState } from "./stream_state.ts";
import type { StreamParts, StreamTable } from "./stream_table.ts";

/** Blocked streams tried in one turn; the others have their turn next. */
const RETRIES_PER_TURN = 64;
/** Streams asked in one turn whether the peer has stopped them. */
const STOP_CHECKS_PER_TURN = 2;
/** Streams whose end may be unacknowledged: as many as a peer may have open, with room to spare. */
const MAX_UNACKNOWLEDGED = 4096;
/** Messages shorter than this wait for the turn, where what follows them, often the end, joins them. */
const SMALL = 4096;
const EMPTY = new Uint8Array(0);
const ONE_BYTE = new Uint8Array(1);

/** The sending halves of one session's streams. */
export class Sending {
  /** Streams of ours that quiche has counted: it counts from the first send on. */
  readonly opened: { bidi: number; uni: number } = { bidi: 0, uni: 0 };
  readonly #quiche: QuicheConnection;
  readonly #events: SessionEvents;
  readonly #table: StreamTable;
  readonly #credits: Credits;
  readonly #progress: Progress;
  /** Streams with something queued that quiche was not offered yet. */
  readonly #fresh = new Set<number>();
  /** Streams with something queued that quiche had no room for. */
  readonly #blocked = new Set<number>();
  readonly #unacknowledged: number[] = [];
  #loneEnd = false;
  /** Bytes that quiche took, or that were dropped, and that the node does not know of yet. */
  #gone = 0;
  /** Where the round of stop checks stands. */
  #stopRound: Iterator<[number, StreamState]> | undefined;

  /** @param parts What both halves work with. */
  constructor(parts: StreamParts) {
    this.#quiche = parts.quiche;
    this.#events = parts.events;
    this.#table = parts.table;
    this.#credits = parts.credits;
    this.#progress = parts.progress;
  }

  /** See {@linkcode SessionCommands.send}. What is sent on a stream that has ended meanwhile is dropped. */
  send(id: number, bytes: Uint8Array, fin: boolean): void {
    const stream = this.#table.get(id);
    if (!stream || stream.sendDone || stream.finQueued) return this.#left(bytes.byteLength);
    const waits = !stream.queue.isEmpty || bytes.byteLength < SMALL;
    const sent = waits ? 0 : this.#offer(id, stream, bytes, fin);
    if (stream.sendDone) return this.#left(bytes.byteLength - sent);
    stream.queue.push(bytes.subarray(sent));
    stream.finQueued = fin;
    if (!this.#blocked.has(id)) this.#fresh.add(id);
  }

  /** See {@linkcode SessionCommands.reset}. */
  reset(id: number, code: number): void {
    const stream = this.#table.get(id);
    if (!stream || stream.sendDone) return;
    this.begin(id, stream);
    this.#cut(id, stream, code);
    this.#sendDone(id, stream);
  }

  /** Cuts the stream for which most waits, if one waits for the peer at all. */
  cutLargest(code: number): void {
    let most = 0;
    let worst: [number, StreamState] | undefined;
    for (const id of this.#blocked) {
      const stream = this.#table.get(id);
      if (!stream || stream.queue.byteLength <= most) continue;
      most = stream.queue.byteLength;
      worst = [id, stream];
    }
    if (!worst) return;
    const [id] = worst;
    this.reset(id, code);
    this.#events.peerStopped(id, code);
  }

  /**
   * Offers quiche what came since the last turn. Returns whether the end of a stream was among it that stands alone.
   *
   * quiche 0.18.0 forgets a stream once all its data is acknowledged and its end is known, even when the end itself was
   * never sent. So an end without data is given to quiche only when it can leave at once.
   */
  drain(): boolean {
    for (const id of this.#fresh) {
      const stream = this.#table.get(id);
      if (stream) this.#drain(id, stream);
    }
    this.#fresh.clear();
    const lone = this.#loneEnd;
    this.#loneEnd = false;
    return lone;
  }

  /** Offers quiche what it had no room for. */
  retry(): void {
    let tries = Math.min(this.#blocked.size, RETRIES_PER_TURN);
    for (const id of this.#blocked) {
      if (tries-- === 0) return;
      // Out and, if still blocked, in again at the end: nobody is passed over for long.
      this.#blocked.delete(id);
      const stream = this.#table.get(id);
      if (stream) this.#drain(id, stream);
    }
  }

  /** Looks for streams that the peer has stopped while we had nothing to send on them; `all` asks every stream. */
  checkStopped(all: boolean): void {
    if (this.#table.size === 0) return;
    let checks = all ? this.#table.size : Math.min(this.#table.size, STOP_CHECKS_PER_TURN);
    while (checks-- > 0) {
      this.#stopRound ??= this.#table.entries();
      const { done, value } = this.#stopRound.next();
      if (done) {
        this.#stopRound = undefined;
        continue;
      }
      const [id, stream] = value;
      if (!this.#table.isOneWayOfPeer(id)) this.checkOne(id, stream);
    }
  }

  /** Asks whether the peer has stopped one stream. */
  checkOne(id: number, stream: StreamState): void {
    if (!stream.sendDone && stream.begun) this.#capacity(id, stream);
  }

  /** Whether something waits for room that the peer is to give. */
  get isBlocked(): boolean {
    return this.#blocked.size > 0;
  }

  /** Arrays that wait: what memory depends on. */
  get arrays(): number {
    let arrays = 0;
    for (const [, { queue }] of this.#table.entries()) arrays += queue.pieces;
    return arrays;
  }

  /** Whether the peer has acknowledged everything on streams that have ended. */
  get acknowledged(): boolean {
    if (this.#blocked.size > 0 || this.#fresh.size > 0) return false;
    while (this.#unacknowledged.length > 0) {
      try {
        this.#quiche.streamCapacity(this.#unacknowledged[0]);
        return false;
      } catch { /* quiche has forgotten the stream: all of it was acknowledged, or refused */ }
      this.#unacknowledged.shift();
    }
    return true;
  }

  /** Makes a stream of ours known to quiche, and so to the peer: one cut before its first byte would hold its place. */
  begin(id: number, stream: StreamState): void {
    if (!stream.begun) this.#offer(id, stream, EMPTY, false);
    stream.begun = true;
  }

  /** Ends a stream whose data quiche has taken, if the end can leave at once. */
  #end(id: number, stream: StreamState): void {
    if (!stream.begun || this.#capacity(id, stream) > 0) {
      this.#loneEnd = true;
      this.#offer(id, stream, EMPTY, true);
    }
    if (!stream.sendDone) this.#blocked.add(id);
  }

  #capacity(id: number, stream: StreamState): number {
    try {
      return this.#quiche.streamCapacity(id);
    } catch (error) {
      this.#stoppedBy(error, id, stream);
      return 0;
    }
  }

  /** Bytes are ours no more. */
  #left(bytes: number): void {
    this.#gone += bytes;
    if (this.#gone < CREDIT_STEP) return;
    this.#events.grant(NO_STREAM, this.#gone);
    this.#gone = 0;
  }

  #stoppedBy(error: unknown, id: number, stream: StreamState): void {
    const code = errorCodeOf("StreamStopped", error);
    // RFC 9000 §3.5: who is stopped answers with a reset of the same code.
    if (code !== undefined) this.#cut(id, stream, code);
    this.#sendDone(id, stream);
    this.#events.peerStopped(id, code ?? 0);
  }

  #cut(id: number, { wasReset }: StreamState, code: number): void {
    this.#progress.sends++;
    try {
      this.#quiche.streamShutdown(id, SHUTDOWN_WRITE, code);
      // quiche 0.18.0 forgets a stream that was reset both ways, so that another may be opened, only when it is read again.
      if (wasReset) this.#quiche.streamRecv(id, ONE_BYTE);
    } catch { /* quiche has already forgotten the stream, or just now */ }
  }

  /** Sends what is queued, as far as quiche has room. */
  #drain(id: number, stream: StreamState): void {
    const { queue } = stream;
    for (let bytes = queue.peek(); bytes; bytes = queue.peek()) {
      const last = queue.pieces === 1 && stream.finQueued;
      const sent = this.#offer(id, stream, bytes, last);
      if (stream.sendDone) return;
      if (sent < bytes.byteLength) {
        queue.skip(sent);
        this.#blocked.add(id);
        return;
      }
      queue.shift();
    }
    if (stream.finQueued) this.#end(id, stream);
  }

  /** Counts a stream that quiche is about to count (RFC 9000 §2.1: two low bits say whose and which kind it is). */
  #count(id: number): void {
    const count = Math.floor(id / 4) + 1;
    if ((id & 2) === 0) this.opened.bidi = Math.max(this.opened.bidi, count);
    else this.opened.uni = Math.max(this.opened.uni, count);
  }

  /** Gives quiche bytes; returns how many it took. The end of the stream goes with the last of them. */
  #offer(id: number, stream: StreamState, bytes: Uint8Array, fin: boolean): number {
    if (!stream.begun) this.#count(id);
    let taken: number | null;
    try {
      taken = this.#quiche.streamSend(id, bytes, fin);
    } catch (error) {
      this.#stoppedBy(error, id, stream);
      return 0;
    }
    if (taken === null) return 0;
    stream.begun = true;
    this.#progress.sent += taken;
    this.#progress.sends++;
    this.#left(taken);
    const grant = this.#credits.accepted(stream, taken);
    if (grant > 0) this.#events.grant(id, grant);
    if (fin && taken === bytes.byteLength) this.#sendDone(id, stream);
    return taken;
  }

  #sendDone(id: number, stream: StreamState): void {
    stream.sendDone = true;
    this.#credits.sent(stream);
    this.#left(stream.queue.clear());
    stream.finQueued = false;
    this.#blocked.delete(id);
    this.#fresh.delete(id);
    this.#unacknowledged.push(id);
    if (this.#unacknowledged.length > MAX_UNACKNOWLEDGED) {
      this.#unacknowledged.splice(0, MAX_UNACKNOWLEDGED / 2);
    }
    this.#table.settle(id, stream);
  }
}
