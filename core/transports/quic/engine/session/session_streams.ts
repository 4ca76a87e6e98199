/**
 * The streams of one session: moves bytes between quiche and the node, within the credits of both.
 *
 * @module
 */
import { type SessionEvents, STREAM_CREDIT } from "../../link/link.ts";
import { Credits } from "./credits.ts";
import type { Progress, StreamState } from "./stream_state.ts";
import { errorCodeOf, type QuicheConnection, SHUTDOWN_READ, SHUTDOWN_WRITE } from "../binding.ts";
import type { FrameBudget } from "./frame_budget.ts";

/** Blocked streams tried in one turn; the others have their turn next. */
const RETRIES_PER_TURN = 64;
/** Streams asked in one turn whether the peer has stopped them. */
const STOP_CHECKS_PER_TURN = 2;
/** Streams whose end may be unacknowledged: as many as a peer may have open, with room to spare. */
const MAX_UNACKNOWLEDGED = 4096;
/** Messages shorter than this wait for the turn, where what follows them, often the end, joins them. */
const SMALL = 4096;
const EMPTY = new Uint8Array(0);

/** The streams of one session. */
export class SessionStreams {
  /** Work done so far. */
  readonly progress: Progress = { received: 0, deliveries: 0, cut: 0, sent: 0, sends: 0 };
  /** Streams of ours that quiche has counted: it counts from the first send on. */
  readonly opened: { bidi: number; uni: number } = { bidi: 0, uni: 0 };
  readonly #quiche: QuicheConnection;
  readonly #scratch: Uint8Array;
  readonly #streams = new Map<number, StreamState>();
  /** Streams with something queued that quiche was not offered yet. */
  readonly #fresh = new Set<number>();
  /** Streams with something queued that quiche had no room for. */
  readonly #blocked = new Set<number>();
  readonly #unacknowledged: number[] = [];
  /** Streams that we stopped and whose end has not come; as many as the peer may have open. */
  readonly #refused = new Set<number>();
  readonly #dialled: boolean;
  readonly #frames: FrameBudget;
  readonly #credits = new Credits();
  #events: SessionEvents;
  /** The stream read last. */
  #last = -1;
  #loneEnd = false;
  /** Where the round of stop checks stands. */
  #stopRound: Iterator<[number, StreamState]> | undefined;

  /**
   * @param quiche The connection.
   * @param events The node's side.
   * @param scratch Room to read into; shared by all sessions of a thread.
   * @param dialled Whether even stream ids are ours.
   * @param frames Told of what was delivered.
   */
  constructor(
    quiche: QuicheConnection,
    events: SessionEvents,
    scratch: Uint8Array,
    dialled: boolean,
    frames: FrameBudget,
  ) {
    this.#frames = frames;
    this.#quiche = quiche;
    this.#events = events;
    this.#scratch = scratch;
    this.#dialled = dialled;
  }

  /** Whether the node reads too slowly for what the peer has sent. */
  get held(): boolean {
    return this.#credits.held;
  }

  /** See {@linkcode SessionCommands.open}. */
  open(id: number): void {
    this.#stream(id);
  }

  /** See {@linkcode SessionCommands.send}. What is sent on a stream that has ended meanwhile is dropped. */
  send(id: number, bytes: Uint8Array, fin: boolean): void {
    const stream = this.#streams.get(id);
    if (!stream || stream.sendDone || stream.finQueued) return;
    const waits = stream.queue.length > 0 || bytes.byteLength < SMALL;
    const sent = waits ? 0 : this.#offer(id, stream, bytes, fin);
    if (stream.sendDone) return;
    // What is left is copied: the caller may reuse the array.
    if (sent < bytes.byteLength) stream.queue.push(bytes.slice(sent));
    stream.finQueued = fin;
    if (!this.#blocked.has(id)) this.#fresh.add(id);
  }

  /** See {@linkcode SessionCommands.consumed}. Returns whether reading may go on where it had to wait. */
  consumed(id: number, bytes: number): boolean {
    this.#credits.consumed(this.#streams.get(id), bytes);
    return this.#credits.held;
  }

  /** See {@linkcode SessionCommands.reset}. */
  reset(id: number, code: number): void {
    const stream = this.#streams.get(id);
    if (!stream || stream.sendDone) return;
    this.#begin(id, stream);
    this.#shutdown(id, SHUTDOWN_WRITE, code);
    this.#sendDone(id, stream);
  }

  /** See {@linkcode SessionCommands.stop}. */
  stop(id: number, code: number): void {
    const stream = this.#streams.get(id);
    if (!stream || stream.receiveDone) return;
    this.#begin(id, stream);
    this.progress.cut++;
    // Whose end has come needs no stop, and quiche would never forget a stream that is stopped after its end.
    this.#refused.add(id);
    this.#discard(id);
    if (this.#refused.has(id)) this.#shutdown(id, SHUTDOWN_READ, code);
    this.#receiveDone(id, stream);
  }

  /** Delivers what the peer has sent, as far as credit goes; `all` ignores credit, for a connection that is over. */
  deliver(all = false): void {
    this.#credits.held = false;
    // A conversation goes on where it was: asking for one stream costs a fraction of listing them.
    const last = this.#streams.get(this.#last);
    if (last && !last.receiveDone) this.#read(this.#last, last, all);
    if (!this.#quiche.isReadable()) return;
    for (const id of this.#quiche.readable()) {
      if (this.#refused.has(id)) this.#discard(id);
      else if (all || this.#streams.has(id) || this.#credits.admits()) this.#read(id, this.#stream(id), all);
    }
  }

  /**
   * Offers quiche what came since the last turn. Returns whether the end of a stream was among it that stands alone.
   *
   * quiche 0.18.0 forgets a stream once all its data is acknowledged and its end is known, even when the end itself was
   * never sent. So an end without data is given to quiche only when it can leave at once.
   */
  drain(): boolean {
    for (const id of this.#fresh) {
      const stream = this.#streams.get(id);
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
      const stream = this.#streams.get(id);
      if (stream) this.#drain(id, stream);
    }
  }

  /** Looks for streams that the peer has stopped while we had nothing to send on them; `all` asks every stream. */
  checkStopped(all: boolean): void {
    if (this.#streams.size === 0) return;
    let checks = all ? this.#streams.size : Math.min(this.#streams.size, STOP_CHECKS_PER_TURN);
    while (checks-- > 0) {
      this.#stopRound ??= this.#streams.entries();
      const { done, value } = this.#stopRound.next();
      if (done) {
        this.#stopRound = undefined;
        continue;
      }
      const [id, stream] = value;
      if (stream.sendDone || this.#isOneWayOfPeer(id)) continue;
      if (stream.begun) this.#capacity(id, stream);
    }
  }

  /** Ends every stream as a connection that finishes does: what was written goes out, what comes in is refused. */
  finish(): void {
    for (const [id, stream] of this.#streams) {
      if (!stream.sendDone && !stream.finQueued && !this.#isOneWayOfPeer(id)) this.send(id, EMPTY, true);
      this.stop(id, 0);
    }
  }

  /** Whether something waits for room that the peer is to give. */
  get isBlocked(): boolean {
    return this.#blocked.size > 0;
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

  #stream(id: number): StreamState {
    let stream = this.#streams.get(id);
    if (!stream) {
      const oneWay = (id & 2) !== 0;
      stream = {
        queue: [],
        finQueued: false,
        begun: ((id & 1) === 0) !== this.#dialled,
        sendDone: oneWay && this.#isOneWayOfPeer(id),
        receiveDone: oneWay && !this.#isOneWayOfPeer(id),
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

  #isOneWayOfPeer(id: number): boolean {
    return (id & 2) !== 0 && ((id & 1) === 1) === this.#dialled;
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
        this.#receiveDone(id, stream);
        this.progress.cut++;
        if (code !== undefined) this.#events.peerReset(id, code);
        // Who resets often stops as well; asked at once, because nothing more may come that would make us ask.
        if (!stream.sendDone && stream.begun) this.#capacity(id, stream);
        return;
      }
    }
  }

  #delivered(id: number, stream: StreamState, bytes: Uint8Array, fin: boolean): void {
    this.#last = id;
    this.#credits.delivered(stream, bytes.byteLength);
    this.progress.received += bytes.byteLength;
    this.progress.deliveries++;
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

  /** Sends what is queued, as far as quiche has room. */
  #drain(id: number, stream: StreamState): void {
    const { queue } = stream;
    while (queue.length > 0) {
      const bytes = queue[0];
      const last = queue.length === 1 && stream.finQueued;
      const sent = this.#offer(id, stream, bytes, last);
      if (stream.sendDone) return;
      if (sent < bytes.byteLength) {
        queue[0] = bytes.subarray(sent);
        this.#blocked.add(id);
        return;
      }
      queue.shift();
    }
    if (stream.finQueued) this.#end(id, stream);
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

  /** Makes a stream of ours known to quiche, and so to the peer: one cut before its first byte would hold its place. */
  #begin(id: number, stream: StreamState): void {
    if (!stream.begun) this.#offer(id, stream, EMPTY, false);
    stream.begun = true;
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
    this.progress.sent += taken;
    this.progress.sends++;
    const grant = this.#credits.accepted(stream, taken);
    if (grant > 0) this.#events.grant(id, grant);
    if (fin && taken === bytes.byteLength) this.#sendDone(id, stream);
    return taken;
  }

  #stoppedBy(error: unknown, id: number, stream: StreamState): void {
    const code = errorCodeOf("StreamStopped", error);
    // RFC 9000 §3.5: who is stopped answers with a reset of the same code.
    if (code !== undefined) this.#shutdown(id, SHUTDOWN_WRITE, code);
    this.#sendDone(id, stream);
    this.#events.peerStopped(id, code ?? 0);
  }

  #shutdown(id: number, direction: number, code: number): void {
    this.progress.sends++;
    try {
      this.#quiche.streamShutdown(id, direction, code);
    } catch { /* quiche has already forgotten the stream */ }
  }

  #sendDone(id: number, stream: StreamState): void {
    stream.sendDone = true;
    this.#credits.sent(stream);
    stream.queue.length = 0;
    stream.finQueued = false;
    this.#blocked.delete(id);
    this.#fresh.delete(id);
    this.#unacknowledged.push(id);
    if (this.#unacknowledged.length > MAX_UNACKNOWLEDGED) {
      this.#unacknowledged.splice(0, MAX_UNACKNOWLEDGED / 2);
    }
    if (stream.receiveDone) this.#forget(id);
  }

  #receiveDone(id: number, stream: StreamState): void {
    stream.receiveDone = true;
    this.#frames.forget(id);
    if (stream.sendDone) this.#forget(id);
  }

  #forget(id: number): void {
    this.#streams.delete(id);
  }
}
