/**
 * What a request brings along: `c.env` in a route.
 *
 * @module
 */
import type { Account, HandlerContext, Identity } from "@alknet/core/handler";
import { type Caller, callerOf } from "./bearer.ts";
import type { RequestPeer } from "./peer.ts";

/** What all requests of a conversation share. */
export interface ConnectionBindings {
  /** Who sent the request. */
  readonly peer: RequestPeer;
  /** What the endpoint gave the handler: identity provider, limits, logger, shutdown signal. */
  readonly context: HandlerContext;
  /** What is kept for the client. */
  readonly kept: Account;
}

/** What one request finds. */
export class RequestBindings implements ConnectionBindings {
  readonly peer: RequestPeer;
  readonly context: HandlerContext;
  readonly kept: Account;
  readonly #request: Request;
  readonly #hold: () => () => void;
  #caller?: Caller;

  /**
   * The bindings of one request of a conversation.
   *
   * @param hold Keeps the conversation from being idle until what it returns is called.
   */
  constructor(request: Request, { peer, context, kept }: ConnectionBindings, hold: () => () => void) {
    this.#request = request;
    this.peer = peer;
    this.context = context;
    this.kept = kept;
    this.#hold = hold;
  }

  /** Who asks: the bearer token's identity, else the connection's. Resolved when first asked for. */
  get caller(): Caller {
    return this.#caller ??= callerOf(this.#request.headers, this.peer, this.context);
  }

  /** The caller's identity; absent for the anonymous. */
  get identity(): Identity | undefined {
    return this.caller.identity;
  }

  /** Takes the conversation over for as long as it lasts, as a WebSocket does. Call what it returns at the end. */
  hold(): () => void {
    return this.#hold();
  }
}
