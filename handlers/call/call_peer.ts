/**
 * The other end of a call connection, as whoever calls it sees it (call.md §14).
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import type { AttachedPeer, HandlerRegistration, JsonValue, Subscription } from "@alknet/core/operations";

/** Options of one call or subscription. */
export interface CallOptions {
  /** Credential for this request alone; replaces the connection's identity if it resolves. */
  readonly token?: string;
  /** On whose behalf a forwarding node calls; a claim, never a right. */
  readonly forwardedFor?: Identity;
  /** Time limit, in milliseconds. Default for calls 30 000, for subscriptions none. */
  readonly timeoutMs?: number;
  /** Aborts the request. */
  readonly signal?: AbortSignal;
  /** Codes that the operation declares: any other is `INTERNAL`. Default: every code is taken as it comes. */
  readonly errors?: Iterable<string>;
  /** Whether the request has a stream to itself where the transport has many. Default: subscriptions do. */
  readonly ownStream?: boolean;
}

/** The other end of a connection. Both ends may call, whoever dialled. */
export interface CallPeer extends AttachedPeer {
  /**
   * Calls a query or mutation.
   *
   * @throws {CallError} What the peer answered; `TIMEOUT`; `INTERNAL` "connection closed" or "request cancelled".
   */
  call(name: string, input?: JsonValue, options?: CallOptions): Promise<JsonValue>;
  /** Subscribes, once the first value is asked for. */
  subscribe(name: string, input?: JsonValue, options?: CallOptions): Subscription;
  /**
   * Makes imported operations part of this connection's layer, replacing what was there.
   *
   * @throws {AlknetError} `SAME_PEER_COLLISION` when two have one name.
   */
  registerImported(registrations: Iterable<HandlerRegistration>): void;
  /** Aborts a request by its id: one that is served here, or else one that was made here. Unknown ids are ignored. */
  abort(requestId: string): void;
  /** Ends the connection; what is in flight fails. */
  close(): Promise<void>;
}
