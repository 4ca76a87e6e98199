/**
 * One connection of the call protocol: both directions, over whatever streams it has (call.md §12 to §16).
 *
 * @module
 */
import type { Connection, Identity, IdentityProvider, Logger } from "@alknet/core/handler";
import type { CallOptions, CallPeer, Subscription } from "./call_peer.ts";
import type { OperationLayer } from "./context.ts";
import type { Dispatcher } from "./dispatcher.ts";
import type { JsonValue } from "./json.ts";
import type { HandlerRegistration } from "./registration.ts";

/** Options of a connection. */
export interface CallConnectionOptions {
  /** Serves what the other end calls. Without one it finds no operation. */
  readonly dispatcher?: Dispatcher;
  /** Resolves the tokens of requests. */
  readonly identityProvider?: IdentityProvider;
  /** A token did not resolve. */
  readonly authenticationFailed?: () => void;
  /** Where to log. */
  readonly log?: Logger;
}

/** The connection. */
export class CallConnection implements CallPeer {
  readonly identity: Identity | undefined;
  readonly isPeer: boolean = false;
  readonly layer: OperationLayer = { find: () => undefined, list: () => [] };
  readonly closed: Promise<void> = Promise.resolve();

  /** @param connection Established, with the ALPN of calls. */
  constructor(connection: Connection, _options: CallConnectionOptions = {}) {
    this.identity = connection.identity;
  }

  call(_name: string, _input?: JsonValue, _options?: CallOptions): Promise<JsonValue> {
    return Promise.reject(new Error("not connected"));
  }

  subscribe(_name: string, _input?: JsonValue, _options?: CallOptions): Subscription {
    throw new Error("not connected");
  }

  registerImported(_registrations: Iterable<HandlerRegistration>): void {}

  close(): Promise<void> {
    return this.closed;
  }
}
