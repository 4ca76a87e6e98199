/**
 * The requests of the other end: who asks, how many at once, and what becomes of them when a lane ends (call.md §9, §12).
 *
 * @module
 */
import { foreign, type Identity, type IdentityProvider, type Logger } from "@alknet/core/handler";
import { CallCode } from "./codes.ts";
import type { OperationLayer } from "./context.ts";
import { type Dispatcher, operationName } from "./dispatcher.ts";
import { type EventEnvelope, requestPayload } from "./envelope.ts";
import { CallError, notFound } from "./errors.ts";
import { InboundCall } from "./inbound.ts";
import type { Lane } from "./lane.ts";
import { MAX_ID, MAX_REQUEST_BYTES, MAX_REQUESTS, MAX_UNREAD } from "./limits.ts";

/** Options of {@linkcode ServedRequests}. */
export interface ServedRequestsOptions {
  /** Serves them. Without one no operation is found. */
  readonly dispatcher?: Dispatcher;
  /** Resolves the tokens of requests. */
  readonly identityProvider?: IdentityProvider;
  /** A token did not resolve. Returns whether the peer has failed too often. */
  readonly authenticationFailed?: () => boolean | void;
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
  /** The peer failed to authenticate too often. */
  refuse(): void;
  /** The last request of a lane has ended. */
  laneIdle(lane: Lane): void;
}

/** The inbound table. */
export class ServedRequests {
  readonly #options: ServedRequestsOptions;
  readonly #session: Session;
  readonly #maxRequests: number;
  readonly #maxBytes: number;
  readonly #calls = new Map<string, InboundCall>();
  readonly #byLane = new Map<Lane, Set<InboundCall>>();
  #bytes = 0;
  #draining: (() => void) | undefined;

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

  /** Whether any came on this lane. */
  serves(lane: Lane): boolean {
    return this.#byLane.has(lane);
  }

  /** A request came. */
  requested(lane: Lane, { id, payload }: EventEnvelope, bytes: number): void {
    if (!this.#isUsable(id)) return;
    const call = new InboundCall(id, lane, bytes, this.#ended);
    const refusal = this.#refusal(lane, bytes);
    if (refusal === "unread") return lane.cut(CallCode.UNREAD);
    this.#add(call);
    if (refusal) return call.failed(refusal);
    const { operationId, input, token, forwardedFor, timeoutMs } = requestPayload(payload);
    const identity = token === undefined ? this.#session.identity : this.#identityOf(token);
    const { dispatcher } = this.#options;
    if (!dispatcher) return call.failed(notFound(operationName(operationId)));
    const { layer } = this.#session;
    const request = { operation: operationId, input, identity, id, forwardedFor, timeoutMs, layer };
    call.running = dispatcher.dispatch(request, call);
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
    for (const call of [...this.#calls.values()]) call.abort(false);
  }

  /** Takes nothing new, tells subscriptions that they are over, and resolves when the rest has been answered. */
  drain(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#draining = resolve;
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

  /** Why there is no room for a request; `unread` when not even for a refusal. */
  #refusal(lane: Lane, bytes: number): CallError | "unread" | undefined {
    if (this.#draining) return new CallError("INTERNAL", "the node is shutting down", { retryable: true });
    const isFull = this.#calls.size >= this.#maxRequests ||
      (this.#calls.size > 0 && this.#bytes + bytes > this.#maxBytes);
    if (!isFull) return undefined;
    if (lane.queued > MAX_UNREAD) return "unread";
    return new CallError("INTERNAL", "too many requests in flight", { retryable: true });
  }

  /** Who asks: the token's owner, or else whoever the connection is (call.md §9). */
  #identityOf(token: string): Identity | undefined {
    const { identityProvider, authenticationFailed } = this.#options;
    let identity: Identity | undefined;
    try {
      identity = identityProvider?.resolveToken(token);
    } catch (error) {
      this.#session.log.warn("the identity provider failed: {message}", {
        message: foreign(error instanceof Error ? error.message : String(error)),
      });
    }
    if (identity) return identity;
    if (authenticationFailed?.()) this.#session.refuse();
    return this.#session.identity;
  }

  #add(call: InboundCall): void {
    this.#calls.set(call.id, call);
    this.#bytes += call.bytes;
    const ofLane = this.#byLane.get(call.lane);
    if (ofLane) ofLane.add(call);
    else this.#byLane.set(call.lane, new Set([call]));
  }

  readonly #ended = (call: InboundCall): void => {
    this.#calls.delete(call.id);
    this.#bytes -= call.bytes;
    const ofLane = this.#byLane.get(call.lane);
    if (ofLane?.delete(call) && ofLane.size === 0) {
      this.#byLane.delete(call.lane);
      this.#session.laneIdle(call.lane);
    }
    if (this.#draining && this.#calls.size === 0) this.#draining();
  };
}

/** A UTF-16 unit is at most three bytes: a short id is not measured. */
function isLong(id: string): boolean {
  return id.length * 3 > MAX_ID && new TextEncoder().encode(id).length > MAX_ID;
}
