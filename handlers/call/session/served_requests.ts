/**
 * The requests of the other end: who asks, how many at once, and what becomes of them when a lane ends (call.md §9, §12).
 *
 * @module
 */
import { foreign, type Identity, type IdentityProvider, type Logger } from "@alknet/core/handler";
import { CallError, type Dispatcher, notFound, type OperationLayer, operationName } from "@alknet/core/operations";
import { type EventEnvelope, requestPayload } from "../frames/envelope.ts";
import { InboundCall, type InboundTable } from "./inbound.ts";
import type { Lane } from "../carriers/lane.ts";
import { HIGH_UNREAD, MAX_ID, MAX_REQUEST_BYTES, MAX_REQUESTS, MAX_UNREAD } from "../limits.ts";

/** Options of {@linkcode ServedRequests}. */
export interface ServedRequestsOptions {
  /** Serves them. Without one no operation is found. */
  readonly dispatcher?: Dispatcher;
  /** Resolves the tokens of requests. */
  readonly identityProvider?: IdentityProvider;
  /** A token did not resolve. Returns whether the peer has failed too often. */
  readonly authenticationFailed?: () => boolean | void;
  /** Whether its address has failed too often: then no token is looked at. */
  readonly authenticationRefused?: () => boolean;
  /** Requests served at once. Default 131 072. */
  readonly maxRequests?: number;
  /** Bytes of their bodies. Default 64 MiB. */
  readonly maxRequestBytes?: number;
}

/** What the table needs of its session. */
export interface Session {
  /** Who the other end is. */
  readonly identity: Identity | undefined;
  /** What the connection brought. */
  readonly layer: OperationLayer;
  /** Where to log. */
  readonly log: Logger;
  /** Bytes of answers that wait to be written. */
  readonly unread: number;
  /** Ends the connection: the peer failed to authenticate too often, or asks and does not read the answers. */
  refuse(why: "authentication" | "unread"): void;
  /** The last request of a lane has ended. */
  laneIdle(lane: Lane): void;
}

/** The inbound table. */
export class ServedRequests implements InboundTable {
  readonly #options: ServedRequestsOptions;
  readonly #session: Session;
  readonly #maxRequests: number;
  readonly #maxBytes: number;
  readonly #calls = new Map<string, InboundCall>();
  readonly #byLane = new Map<Lane, Set<InboundCall>>();
  #bytes = 0;
  #draining: PromiseWithResolvers<void> | undefined;
  #isOver = false;

  /** @param options What serves, and how much at once. */
  constructor(session: Session, options: ServedRequestsOptions) {
    this.#session = session;
    this.#options = options;
    this.#maxRequests = options.maxRequests ?? MAX_REQUESTS;
    this.#maxBytes = options.maxRequestBytes ?? MAX_REQUEST_BYTES;
  }

  /** How many are being served. */
  get size(): number {
    return this.#calls.size;
  }

  /** {@linkcode InboundTable}. */
  get isUnread(): boolean {
    return this.#session.unread > MAX_UNREAD;
  }

  /** Whether any came on this lane. */
  serves(lane: Lane): boolean {
    return this.#byLane.has(lane);
  }

  /** A request came. */
  requested(lane: Lane, { id, payload }: EventEnvelope, bytes: number): void {
    if (this.#isOver || !this.#isUsable(id)) return;
    if (this.isUnread) return this.#session.refuse("unread");
    const call = new InboundCall(id, lane, bytes, this);
    const refusal = this.#refusal(bytes);
    this.#add(call);
    if (refusal) return call.failed(refusal);
    const { operationId, input, token, forwardedFor, timeoutMs } = requestPayload(payload);
    const identity = token === undefined ? this.#session.identity : this.#identityOf(token);
    if (this.#isOver) return;
    const { dispatcher } = this.#options;
    if (!dispatcher) return call.failed(notFound(operationName(operationId)));
    const { layer } = this.#session;
    const request = { operation: operationId, input, identity, id, forwardedFor, timeoutMs, layer };
    call.runs(dispatcher.dispatch(request, call));
  }

  /** The caller wants it no more. Returns whether there was one. */
  aborted(id: string, tell = false): boolean {
    const call = this.#calls.get(id);
    call?.abort(tell);
    return call !== undefined;
  }

  /** A lane was cut, and nothing can be answered on it. */
  laneCut(lane: Lane): void {
    for (const call of [...this.#byLane.get(lane) ?? []]) call.abort(false);
  }

  /** The connection is gone. */
  abortAll(): void {
    this.#isOver = true;
    for (const call of [...this.#calls.values()]) call.abort(false);
  }

  /** Takes nothing new, tells subscriptions that they are over, and resolves when the rest has been answered. */
  drain(): Promise<void> {
    if (this.#draining) return this.#draining.promise;
    const { promise, resolve } = this.#draining = Promise.withResolvers<void>();
    for (const call of [...this.#calls.values()]) if (call.streams) call.abort(true);
    if (this.#calls.size === 0) resolve();
    return promise;
  }

  #isUsable(id: string): boolean {
    const fault = id === ""
      ? "is empty"
      : isLong(id)
      ? `is longer than ${MAX_ID} bytes`
      : this.#calls.has(id)
      ? "is still being served"
      : undefined;
    if (fault) this.#session.log.debug("request dropped: its id {id} {fault}", { id: foreign(id), fault });
    return fault === undefined;
  }

  /** Why there is no room for a request. */
  #refusal(bytes: number): CallError | undefined {
    if (this.#draining) return new CallError("INTERNAL", "the node is shutting down", { retryable: true });
    const isFull = this.#calls.size >= this.#maxRequests || this.#session.unread > HIGH_UNREAD ||
      (this.#calls.size > 0 && this.#bytes + bytes > this.#maxBytes);
    return isFull ? new CallError("INTERNAL", "too many requests in flight", { retryable: true }) : undefined;
  }

  /** Who asks: the token's owner, or else whoever the connection is (call.md §9). */
  #identityOf(token: string): Identity | undefined {
    const { identityProvider, authenticationFailed, authenticationRefused } = this.#options;
    // Not one more guess is looked at.
    if (authenticationRefused?.()) return this.#guessed();
    let identity: Identity | undefined;
    try {
      identity = identityProvider?.resolveToken(token);
    } catch (error) {
      this.#session.log.warn("the identity provider failed: {message}", {
        message: foreign(error instanceof Error ? error.message : String(error)),
      });
    }
    if (identity) return identity;
    return authenticationFailed?.() ? this.#guessed() : this.#session.identity;
  }

  /** Its address has shown too many tokens that are nobody's: frames that were read already are not served. */
  #guessed(): undefined {
    this.#isOver = true;
    this.#session.refuse("authentication");
  }

  #add(call: InboundCall): void {
    this.#calls.set(call.id, call);
    this.#bytes += call.bytes;
    const ofLane = this.#byLane.get(call.lane);
    if (ofLane) ofLane.add(call);
    else this.#byLane.set(call.lane, new Set([call]));
  }

  /** {@linkcode InboundTable}. */
  ended(call: InboundCall): void {
    this.#calls.delete(call.id);
    this.#bytes -= call.bytes;
    const ofLane = this.#byLane.get(call.lane);
    if (ofLane?.delete(call) && ofLane.size === 0) {
      this.#byLane.delete(call.lane);
      this.#session.laneIdle(call.lane);
    }
    if (this.#draining && this.#calls.size === 0) this.#draining.resolve();
  }
}

/** A UTF-16 unit is at most three bytes: a short id is not measured. */
function isLong(id: string): boolean {
  return id.length * 3 > MAX_ID && new TextEncoder().encode(id).length > MAX_ID;
}
