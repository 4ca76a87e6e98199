/**
 * A WebSocket as a carrier of calls: one lane, one binary message an envelope, no length prefix (http.md §9.2).
 *
 * The runtime reads on whatever happens here: what a client sends is bounded by the limits of the session on requests
 * and answers, and what it does not read by what waits to be sent.
 *
 * @module
 */
import type { CloseInfo, Identity } from "@alknet/core/handler";
import {
  type CallCarrier,
  CallCode,
  type Lane,
  type LaneReceiver,
  type LeasedLane,
  parseEnvelope,
} from "@alknet/handlers/call";
import { Buffer } from "node:buffer";
import { SEND_BUFFER, SEND_POLL } from "../limits.ts";

/** Close codes (RFC 6455 §7.4.1). */
export const WebSocketCode = {
  /** Done. */
  NORMAL: 1000,
  /** The node shuts down. */
  GOING_AWAY: 1001,
  /** A text message, or one that is no envelope. */
  PROTOCOL_ERROR: 1002,
  /** The client asks and does not read the answers. */
  POLICY_VIOLATION: 1008,
  /** A message over the limit. */
  TOO_BIG: 1009,
} as const;

/** Options of {@linkcode WebSocketCarrier}. */
export interface WebSocketCarrierOptions {
  /** Who upgraded. */
  readonly identity: Identity;
  /** Longest message that is taken, in bytes. */
  readonly maxMessage: number;
}

const encoder = new TextEncoder();

/** Carries a session over a WebSocket. Its client has an identity, and is no peer. */
export class WebSocketCarrier implements CallCarrier, Lane {
  readonly identity: Identity;
  readonly isPeer = false;
  readonly isSingle = true;
  readonly closed: Promise<CloseInfo>;
  readonly #over: Promise<void>;
  readonly #socket: WebSocket;
  readonly #opened: Promise<unknown>;
  readonly #leased: LeasedLane;
  readonly #maxMessage: number;
  #drained?: PromiseWithResolvers<void>;
  #poll?: ReturnType<typeof setInterval>;

  /** @param socket Nobody else may use it. */
  constructor(socket: WebSocket, { identity, maxMessage }: WebSocketCarrierOptions) {
    this.#socket = socket;
    this.identity = identity;
    this.#maxMessage = maxMessage;
    this.#leased = { lane: this, own: false };
    socket.binaryType = "arraybuffer";
    const over = Promise.withResolvers<void>();
    this.#over = over.promise;
    this.closed = over.promise.then(() => ({ by: "peer" }));
    this.#opened = Promise.race([over.promise, new Promise((resolve) => socket.onopen = resolve)]);
    socket.onclose = () => {
      this.#settle();
      over.resolve();
    };
    // A connection that fails is closed: `close` follows.
    socket.onerror = () => {};
  }

  start(receiver: LaneReceiver): void {
    this.#socket.onmessage = ({ data }) => this.#received(receiver, data);
    this.closed.then(() => receiver.ended(this, "cut"));
  }

  /** Before the upgrade is complete nothing can be sent. */
  lane(): LeasedLane | Promise<LeasedLane> {
    return this.#socket.readyState === WebSocket.CONNECTING ? this.#opened.then(() => this.#leased) : this.#leased;
  }

  release(): void {}

  /** {@linkcode CallCarrier}. Whoever does not read what it asked for breaks the rules; other codes mean nothing here. */
  close(code: number, reason: string): void {
    this.#end(code === CallCode.UNREAD ? WebSocketCode.POLICY_VIOLATION : WebSocketCode.NORMAL, reason);
  }

  /** The node shuts down. */
  goAway(): void {
    this.#end(WebSocketCode.GOING_AWAY, "");
  }

  get unread(): number {
    return this.#socket.bufferedAmount;
  }

  send(json: string): void | Promise<void> {
    // Whoever streams waits for the end: going on at once, it would keep the event loop from ever telling of it.
    if (this.#socket.readyState !== WebSocket.OPEN) return this.#over;
    this.#socket.send(encoder.encode(json));
    if (this.#socket.bufferedAmount <= SEND_BUFFER) return;
    this.#poll ??= setInterval(() => {
      if (this.#socket.bufferedAmount <= SEND_BUFFER / 2) this.#settle();
    }, SEND_POLL);
    return (this.#drained ??= Promise.withResolvers()).promise;
  }

  /** There is one lane: it ends with the connection. */
  finish(): void {}

  cut(): void {
    this.#end(WebSocketCode.POLICY_VIOLATION, "");
  }

  #received(receiver: LaneReceiver, data: unknown): void {
    if (!(data instanceof ArrayBuffer)) return this.#end(WebSocketCode.PROTOCOL_ERROR, "messages are binary");
    if (data.byteLength > this.#maxMessage) return this.#end(WebSocketCode.TOO_BIG, "message too big");
    let envelope;
    try {
      envelope = parseEnvelope(Buffer.from(data));
    } catch {
      return this.#end(WebSocketCode.PROTOCOL_ERROR, "not an envelope");
    }
    receiver.received(this, envelope, data.byteLength);
  }

  #end(code: number, reason: string): void {
    if (this.#socket.readyState >= WebSocket.CLOSING) return;
    this.#socket.onmessage = null;
    this.#socket.close(code, reason);
  }

  /** Lets those who wait to send go on. */
  #settle(): void {
    clearInterval(this.#poll);
    this.#poll = undefined;
    this.#drained?.resolve();
    this.#drained = undefined;
  }
}
