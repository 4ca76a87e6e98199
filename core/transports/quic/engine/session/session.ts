/**
 * One QUIC connection in the engine: packets in and out, timers, and the streams between quiche and the node.
 *
 * @module
 */
import { AlknetError, type CloseInfo } from "../../../../errors.ts";
import type { SocketAddress } from "../../../../handler/connection.ts";
import type { Limits } from "../../../../limits/limits.ts";
import { NO_STREAM, type SessionCommands, type SessionEvents, type SessionFacts } from "../../link/link.ts";
import { hostPort, type QuicheConnection } from "../binding.ts";
import { AckHold } from "./ack_hold.ts";
import { ACCESS_DENIED, closeInfo, PROTOCOL_VIOLATION } from "./close_info.ts";
import { Deadlines, type Phase } from "./deadlines.ts";
import { type Abuse, abuse } from "./defence.ts";
import { FrameBudget } from "./frame_budget.ts";
import { Goodbye } from "./goodbye.ts";
import { HandshakeFlight, LONG_HEADER } from "./handshake_flight.ts";
import { Intake } from "./intake.ts";
import { Messages } from "./messages.ts";
import type { SessionHost, SessionOptions } from "./session_host.ts";
import { SessionStreams } from "./streams/session_streams.ts";
import { StreamLimits } from "./streams/stream_limits.ts";
import type { Progress } from "./streams/stream_state.ts";
import type { UdpSocket } from "../udp/udp_socket.ts";

/** Bytes that a session may send in one turn, so that a busy one cannot starve the others nor flood the receiver. */
const TURN_BYTES = 512 * 1024;

/** One QUIC connection. */
export class Session implements SessionCommands {
  /** Whether the session waits for its turn. Owned by the host. */
  queued = false;
  /** When it wants to be looked at, in milliseconds; Infinity for never. */
  deadline = Infinity;
  /** The validated remote; packets from elsewhere are not for this session. */
  readonly remote: SocketAddress;
  readonly #quiche: QuicheConnection;
  readonly #host: SessionHost<Session>;
  readonly #limits: Limits;
  readonly #dialled: boolean;
  readonly #mustProve: boolean;
  readonly #datagramSize: number;
  readonly #begun: number;
  readonly #frames = new FrameBudget();
  readonly #intake: Intake;
  readonly #messages: Messages;
  readonly #flight: HandshakeFlight;
  readonly #goodbye: Goodbye;
  #streams: SessionStreams | undefined;
  #events: SessionEvents | undefined;
  #limitsOfPeer: StreamLimits | undefined;
  readonly #hold = new AckHold();
  readonly #deadlines = new Deadlines();
  #phase: Phase = "handshaking";
  /** Whether the next turn has packets, or news of quiche, to look at. */
  #received = false;
  /** Whether the next turn has streams to read that had to wait. */
  #readable = false;

  /** @param options The connection and where it belongs. */
  constructor(options: SessionOptions<Session>) {
    this.#quiche = options.quiche;
    this.#messages = new Messages(options.quiche);
    this.#host = options.host;
    this.#limits = options.limits;
    this.#dialled = options.dialled;
    this.#mustProve = options.mustProve ?? false;
    this.#flight = new HandshakeFlight(options.dialled, options.dialled || options.proven);
    this.#datagramSize = options.datagramSize;
    this.#goodbye = new Goodbye(options.quiche, this.#flight, options.datagramSize);
    this.remote = options.remote;
    const info = { from: hostPort(options.remote), to: options.local };
    this.#intake = new Intake(options.quiche, info, this.#frames);
    this.#begun = this.#host.now();
    this.#deadlines.handshake = this.#begun + this.#limits.handshakeTimeout;
  }

  /** The remote knows an id that was sent to its address, so it is there (RFC 9000 §8.1). */
  proveAddress(): void {
    this.#flight.prove();
  }

  /**
   * Takes one datagram. quiche overwrites it while decrypting. Returns whether {@linkcode Session.judge} is to be called before
   * its buffer is used again.
   */
  receive(datagram: Uint8Array): boolean {
    if (this.#flight.isLate(datagram)) return false;
    this.#flight.arrived(datagram);
    this.#received = true;
    this.#hold.received(datagram.byteLength);
    return this.#intake.receive(datagram, this.#flight.confirmed);
  }

  /** The buffers of what was received are about to be used again. */
  judge(): void {
    this.#intake.judge();
  }

  /**
   * Does what there is to do: delivers, retries, sends. Returns whether there is more for another turn, because the
   * budget ran out.
   */
  turn(udp: UdpSocket): boolean {
    if (this.#phase === "gone") return false;
    if (this.#phase === "handshaking") this.#handshake();
    this.#goodbye.turn();
    let budget = TURN_BYTES;
    if (this.#isOpen(this.#streams)) {
      this.#work(this.#streams);
      const found = this.#frames.abuse;
      if (found && !this.#isOver) this.#abused(found);
      // An end of a stream that stands alone must leave before the next packet is read: see Sending.
      if (this.#streams.sending.drain()) budget = Infinity;
    }
    const more = !this.#holdsBack() && this.#flush(udp, budget);
    if (this.#flight.due !== Infinity && !this.#isOver) this.#sayAgain(udp);
    return this.#settle() && more;
  }

  /** Whether it is over for the node. */
  get #isOver(): boolean {
    return this.#phase === "closing" || this.#phase === "gone";
  }

  /** Whether the node works with it; its streams are there then. */
  #isOpen(streams: SessionStreams | undefined): streams is SessionStreams {
    return streams !== undefined && !this.#isOver;
  }

  /** Acts on deadlines that have passed. */
  expire(): void {
    if (this.#phase === "gone") return;
    const now = this.#host.now();
    const due = this.#deadlines.passed(this.#phase, now);
    if (due.includes("handshake")) this.#giveUp();
    if (due.includes("linger")) this.#linger(now);
    if (due.includes("goodbye")) this.#goodbye.insist();
    if (due.includes("copies")) this.#hold.commanded = true;
    if (due.includes("keepAlive")) {
      this.#deadlines.keepAlive = now + this.#limits.keepAlive;
      this.#try(() => this.#quiche.sendAckEliciting());
      this.#hold.commanded = true;
    }
    if (this.#quiche.timeout() === 0) {
      this.#quiche.onTimeout();
      this.#received = this.#hold.commanded = true;
    }
    this.#host.wake(this);
  }

  /** Looks at the counters, once in a while, if the session was active. */
  inspect(): void {
    if (!this.#isOpen(this.#streams)) return;
    const stats = this.#quiche.stats();
    const path = this.#quiche.pathStats()[0];
    this.#frames.sweep((stream) => this.#quiche.streamFinished(stream));
    const found = abuse({
      seconds: (this.#host.now() - this.#begun) / 1000,
      packets: stats.recv,
      bytes: stats.recvBytes,
      progress: this.#progress(this.#streams),
      congestionWindow: path?.cwnd ?? 0,
      maxStreamWindow: this.#limits.maxStreamWindow,
      connectionWindow: this.#limits.connectionWindow,
      maxConnectionWindow: this.#limits.maxConnectionWindow,
    });
    if (found) return this.#abused(found);
    // Path events queue up in quiche until somebody takes them.
    while (this.#quiche.pathEventNext());
    this.#streams.sending.checkStopped(true);
    if (path) this.#events?.path({ rtt: path.rtt, packetsLost: path.lost, congestionWindow: path.cwnd });
  }

  open(stream: number): void {
    this.#streams?.open(stream);
  }

  send(stream: number, bytes: Uint8Array, fin: boolean): void {
    if (!this.#isOpen(this.#streams)) return;
    this.#streams.sending.send(stream, bytes, fin);
    this.#commanded();
  }

  consumed(stream: number, bytes: number): void {
    if (!this.#isOpen(this.#streams) || !this.#streams.receiving.consumed(stream, bytes)) return;
    // Reading on opens the peer's window, which it waits for.
    this.#readable = true;
    this.#commanded();
  }

  reset(stream: number, code: number): void {
    if (!this.#isOpen(this.#streams)) return;
    if (stream === NO_STREAM) this.#streams.sending.cutLargest(code);
    else this.#streams.sending.reset(stream, code);
    this.#commanded();
  }

  stop(stream: number, code: number): void {
    if (!this.#isOpen(this.#streams)) return;
    this.#streams.receiving.stop(stream, code);
    this.#commanded();
  }

  trust(): void {
    this.#streams?.trust();
    this.#readable = true;
    this.#commanded();
  }

  sendDatagram(message: Uint8Array): void {
    if (this.#isOver) return;
    this.#messages.send(message);
    this.#commanded();
  }

  close(code: number, reason: string): void {
    if (this.#phase === "gone") return;
    this.#phase = "closing";
    this.#goodbye.say(code, reason, this.#begun + this.#limits.handshakeTimeout);
    this.#commanded();
  }

  /** Closes for a reason that the node did not give, and tells it. */
  shutDown(code: number, reason: string): void {
    if (this.#isOver) return;
    this.close(code, reason);
    this.#events?.ended({ by: "local", code, reason });
  }

  finish(): void {
    if (this.#phase !== "open") return;
    this.#phase = "finishing";
    this.#deadlines.beginLinger(this.#host.now(), this.#intake.taken);
    this.#streams!.finish();
    this.#received = true;
    this.#commanded();
  }

  /** A reader that pauses, or a network that is away, is given what was written when it goes on. */
  #linger(now: number): void {
    if (!this.#deadlines.lingerOn(now, this.#streams!.sending.isBlocked, this.#intake.taken)) this.#finished();
  }

  #handshake(): void {
    const isDone = this.#quiche.isEstablished();
    // The batch that ended a handshake may hold much that the peer sent right after it.
    if (!isDone) return this.#flight.received > this.#limits.maxHandshakeBytes ? this.#giveUp() : undefined;
    if (this.#mustProve && this.#quiche.isResumed()) {
      // A ticket stands for the proof of another connection: whoever has it need not have the key.
      return this.#giveUp({ by: "error", reason: "the session was resumed" }, ACCESS_DENIED);
    }
    this.#flight.complete();
    const facts: SessionFacts = {
      alpn: new TextDecoder().decode(this.#quiche.applicationProto()),
      remoteAddress: this.remote,
      certificate: this.#quiche.peerCertChain()?.[0],
      dialled: this.#dialled,
      maxDatagram: this.#quiche.dgramMaxWritableLen() ?? 0,
    };
    const events = this.#host.established(this, facts);
    // The node may have closed it while it was told.
    if (this.#isOver) return;
    if (!events) {
      this.#phase = "closing";
      return;
    }
    this.#phase = "open";
    this.#events = events;
    const accounts = this.#host.unread.open(this.remote.hostname, this.#dialled);
    const shared = { scratch: this.#host.scratch, accounts };
    this.#streams = new SessionStreams(this.#quiche, events, shared, this.#dialled, this.#frames);
    if (this.#dialled) this.#streams.trust();
    this.#limitsOfPeer = new StreamLimits(this.#quiche, events);
    if (this.#dialled) this.#deadlines.keepAlive = this.#host.now() + this.#limits.keepAlive;
  }

  #work(streams: SessionStreams): void {
    if (this.#received || this.#readable) streams.receiving.deliver();
    this.#readable = false;
    if (!this.#received) return;
    this.#received = false;
    streams.sending.retry();
    streams.sending.checkStopped(false);
    this.#limitsOfPeer!.announce(streams.sending.opened);
    this.#messages.deliver(this.#events!);
    if (this.#phase === "finishing" && streams.sending.acknowledged) this.#finished();
  }

  /** What was done of use: streams, and datagram messages, whether or not there was room to keep them. */
  #progress({ progress }: SessionStreams): Progress {
    return {
      received: progress.received + this.#frames.datagramBytes,
      deliveries: progress.deliveries + this.#frames.datagrams,
      sent: progress.sent + this.#messages.sent.bytes,
      sends: progress.sends + this.#messages.sent.count,
      cut: progress.cut,
    };
  }

  /** Whether there is nothing to send but an acknowledgement that can wait. */
  #holdsBack(): boolean {
    return this.#isOpen(this.#streams) && this.#hold.holds(this.#streams.progress, this.#host.now());
  }

  /** Sends what quiche has ready, up to a budget of bytes. */
  #flush(udp: UdpSocket, budget: number): boolean {
    let sent = 0;
    while (sent < budget) {
      try {
        const { allowance } = this.#flight;
        if (allowance === 0) return false;
        const room = udp.slot(Math.min(this.#datagramSize, allowance));
        const packet = this.#quiche.send(room);
        if (packet === null) return false;
        if (!this.#flight.confirmed) this.#flight.left(room.subarray(0, packet[0]), this.#host.now());
        udp.commit(packet[0], this.remote);
        sent += packet[0];
        // Asked to close and to prod the peer's handshake, quiche acknowledges, which prods nobody, and so for ever.
        if (this.#phase === "closing" && (room[0] & LONG_HEADER) !== 0) return false;
      } catch { // Closed, or an address that the socket cannot send to: the same as if nobody answered.
        return false;
      }
    }
    return true;
  }

  #sayAgain(udp: UdpSocket): void {
    for (const copy of this.#flight.copies(this.#host.now())) {
      udp.slot(copy.byteLength).set(copy);
      udp.commit(copy.byteLength, this.remote);
    }
  }

  /** Notices that the connection is over, and when to look again. Returns whether there is a connection still. */
  #settle(): boolean {
    const quiche = this.#quiche;
    const timeout = quiche.timeout();
    // quiche has no timer exactly when the connection is closed or sets up none; both are rare.
    const closed = (timeout === null || this.#isOver) && quiche.isClosed();
    if (!this.#isOver && (closed || quiche.isDraining())) this.#end();
    if (closed) {
      this.#phase = "gone";
      this.#streams?.close();
      this.#host.gone(this);
    }
    this.#deadlines.quiche = timeout === null ? Infinity : this.#host.now() + timeout;
    this.#deadlines.acknowledgement = this.#hold.until;
    this.#deadlines.copies = this.#flight.due;
    this.#deadlines.goodbye = this.#goodbye.due;
    this.deadline = this.#deadlines.next(this.#phase);
    return !closed;
  }

  #end(): void {
    const error = this.#quiche.peerError() ?? this.#quiche.localError() ?? undefined;
    const info = closeInfo(this.#quiche, this.#phase === "finishing");
    this.#phase = "closing";
    if (!this.#streams) return this.#host.failed(this, info, error);
    // What had arrived before the end is the application's.
    this.#try(() => this.#streams!.receiving.deliver(true));
    this.#events!.ended(info);
  }

  #giveUp(info: CloseInfo = { by: "timeout", reason: "handshake timeout" }, code = 0): void {
    if (this.#isOver) return;
    this.#phase = "closing";
    this.#host.failed(this, info, undefined);
    this.#try(() => this.#quiche.close(false, code, new Uint8Array(0)));
  }

  #abused(found: Abuse): void {
    this.#host.abused(this, found);
    this.#phase = "closing";
    this.#try(() => this.#quiche.close(false, PROTOCOL_VIOLATION, new TextEncoder().encode(found)));
    const error = new AlknetError("LIMIT", `the peer sent ${found.replaceAll("-", " ")}`);
    this.#events!.ended({ by: "error", error });
    this.#host.wake(this);
  }

  /** Everything written has been acknowledged, or will not be. */
  #finished(): void {
    this.close(0, "");
    this.#events?.ended({ by: "local", code: 0, reason: "" });
  }

  /** The node wants something done, which no acknowledgement that waits may delay. */
  #commanded(): void {
    this.#hold.commanded = true;
    this.#host.wake(this);
  }

  /** Calls into quiche where a refusal means only that there is nothing to do. */
  #try(action: () => void): void {
    try {
      action();
    } catch { /* the connection or the stream is already over */ }
  }
}
