/**
 * The handler of `alknet/call`: serves a dispatcher's operations on every connection (call.md §12).
 *
 * @module
 */
import { defineHandler, type Handler } from "@alknet/core/handler";
import { CallConnection } from "./call_connection.ts";
import type { CallPeer } from "./call_peer.ts";
import { CALL_ALPN } from "./client.ts";
import type { Dispatcher } from "./dispatcher.ts";

/** Options of {@linkcode call}. */
export interface CallHandlerOptions {
  /** Told of every connection, so that the node can call it, import from it, or attach it as a peer. */
  readonly onConnection?: (peer: CallPeer) => void;
}

/** The handler of `alknet/call`. */
export function call(dispatcher: Dispatcher, options: CallHandlerOptions = {}): Handler<readonly [typeof CALL_ALPN]> {
  return defineHandler({
    alpns: [CALL_ALPN],
    description: "calls operations",
    async handle(connection, { identityProvider, authenticationFailed, log }) {
      const peer = new CallConnection(connection, { dispatcher, identityProvider, authenticationFailed, log });
      options.onConnection?.(peer);
      await peer.closed;
    },
  });
}
