/**
 * The other end of a call connection, as whoever calls it sees it (call.md §14).
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import type { OperationLayer } from "./context.ts";
import type { JsonValue } from "./json.ts";
import type { HandlerRegistration } from "./registration.ts";

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

/** The values of a subscription, in order. Leaving the loop aborts it; a failure is thrown from the loop. */
export type Subscription<Output = JsonValue> = AsyncIterableIterator<Output, void, void>;

/** The other end of a connection. Both ends may call, whoever dialled. */
export interface CallPeer {
  /** Who it is, as far as the endpoint resolved it. */
  readonly identity: Identity | undefined;
  /** Whether it is a node with a peer entry, whose operations composition may route to (call.md §19.4). */
  readonly isPeer: boolean;
  /** Its operations that were imported over this connection. */
  readonly layer: OperationLayer;
  /** Resolves when the connection is gone and nothing of it is left. */
  readonly closed: Promise<void>;
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
