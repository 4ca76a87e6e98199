/**
 * Both directions of the call protocol over a carrier: what the other end asks is served, what this end asks is
 * answered (call.md §12 to §16).
 *
 * @module
 */
import { type CloseInfo, describeClose, type Identity, type Logger, logger } from "@alknet/core/handler";
import type { CallOptions, CallPeer } from "../call_peer.ts";
import type { CallCarrier } from "../carriers/carrier.ts";
import {
  CallError,
  cancelled,
  type Clock,
  ConnectionLayer,
  type HandlerRegistration,
  type JsonValue,
  type Subscription,
  SYSTEM_CLOCK,
} from "@alknet/core/operations";
import { CallCode } from "../codes.ts";
import type { EventEnvelope } from "../frames/envelope.ts";
import type { Lane, LaneEnd, LaneReceiver } from "../carriers/lane.ts";
import { OwnRequests } from "./own_requests.ts";
import { ServedRequests, type ServedRequestsOptions } from "./served_requests.ts";

/** Options of a session. */
export interface CallSessionOptions extends ServedRequestsOptions {
  /** The clock of time limits. Default: the dispatcher's, or the machine's. */
  readonly clock?: Clock;
  /** Where to log. Default: `alknet.call`. */
  readonly log?: Logger;
}

/** What is in flight; for operators and tests. */
export interface CallCounts {
  /** Requests of the other end that are being served. */
  readonly inbound: number;
  /** Requests of ours that wait for their answer. */
  readonly outgoing: number;
}

/** A session: the other end as a {@linkcode CallPeer}, and what it asks of us. */
export class CallSession implements CallPeer, LaneReceiver {
  readonly layer: ConnectionLayer;
  readonly closed: Promise<void>;
  readonly isPeer: boolean;
  readonly #carrier: CallCarrier;
  readonly #served: ServedRequests;
  readonly #own: OwnRequests;
  /** Lanes on which the peer sends no more, and we still answer. */
  readonly #finished = new Set<Lane>();

  /**
   * Begins a session.
   *
   * @param carrier What it stands on; the session owns it.
   */
  constructor(carrier: CallCarrier, options: CallSessionOptions = {}) {
    const { clock = options.dispatcher?.clock ?? SYSTEM_CLOCK, log = logger("call") } = options;
    this.#carrier = carrier;
    this.isPeer = carrier.isPeer;
    this.layer = new ConnectionLayer(carrier.isPeer ? carrier.identity?.id : undefined);
    const { layer } = this;
    this.#served = new ServedRequests({
      get identity() {
        return carrier.identity;
      },
      layer,
      log,
      get unread() {
        return carrier.unread;
      },
      refuse: (why) =>
        why === "unread"
          ? carrier.close(CallCode.UNREAD, "answers are not read")
          : carrier.close(CallCode.NORMAL, "too many failed authentications"),
      vouched: () => carrier.vouched?.(),
      laneIdle: (lane) => this.#laneIdle(lane),
    }, options);
    this.#own = new OwnRequests(carrier, clock, (code) => {
      log.info("an answer had the code {code}, which its operation does not declare", { code });
    });
    this.closed = carrier.closed.then((info) => this.#ended(info));
    carrier.start(this);
  }

  get identity(): Identity | undefined {
    return this.#carrier.identity;
  }

  /** What is in flight. */
  get counts(): CallCounts {
    return { inbound: this.#served.size, outgoing: this.#own.size };
  }

  call(name: string, input?: JsonValue, options: CallOptions = {}): Promise<JsonValue> {
    return this.#own.call(name, input, options);
  }

  subscribe(name: string, input?: JsonValue, options: CallOptions = {}): Subscription {
    return this.#own.subscribe(name, input, options);
  }

  registerImported(registrations: Iterable<HandlerRegistration>): void {
    this.layer.replace(registrations);
  }

  abort(requestId: string): void {
    if (!this.#served.aborted(requestId, true)) this.#own.abort(requestId, cancelled());
  }

  /** Takes no new request, tells subscriptions that they are over, and resolves when the others are answered and their answers written. */
  async drain(): Promise<void> {
    await this.#served.drain();
    await this.#carrier.flushed?.();
  }

  async close(): Promise<void> {
    this.#carrier.close(CallCode.NORMAL, "");
    await this.closed;
    await this.#carrier.released?.();
  }

  /** {@linkcode LaneReceiver}. */
  received(lane: Lane, envelope: EventEnvelope, bytes: number): void | Promise<void> {
    switch (envelope.type) {
      case "call.requested":
        return this.#served.requested(lane, envelope, bytes);
      case "call.aborted":
        // Either table may hold the id; ours is asked last (call.md §7).
        if (this.#served.aborted(envelope.id)) return;
        return this.#own.answered(envelope, bytes);
      case "call.responded":
      case "call.completed":
      case "call.error":
        return this.#own.answered(envelope, bytes);
    }
  }

  /** {@linkcode LaneReceiver}. */
  ended(lane: Lane, how: LaneEnd, info?: CloseInfo): void {
    this.#carrier.release(lane);
    const isAll = how === "lost" || this.#carrier.isSingle;
    this.#own.laneEnded(lane, isAll ? lost(info) : new CallError("INTERNAL", "stream closed"));
    if (how !== "finished") {
      this.#finished.delete(lane);
      this.#served.laneCut(lane);
    } else if (this.#served.serves(lane)) {
      this.#finished.add(lane);
    } else {
      lane.finish();
    }
  }

  #laneIdle(lane: Lane): void {
    if (this.#finished.delete(lane)) lane.finish();
  }

  #ended(info: CloseInfo): void {
    this.#own.close(lost(info));
    this.#served.abortAll();
    this.layer.end();
  }
}

/** What requests fail with when their connection is gone. A peer that said why is quoted: a limit is no defect. */
function lost(info?: CloseInfo): CallError {
  const isTold = info?.by === "peer" && (info.reason || info.code);
  return new CallError("INTERNAL", isTold ? describeClose(info) : "connection closed");
}
