/**
 * The handler of `alknet/call`: serves a dispatcher's operations on every connection (call.md §12).
 *
 * @module
 */
import { defineHandler, type Handler } from "@alknet/core/handler";
import { CallConnection } from "./session/call_connection.ts";
import { CALL_ALPN } from "./client.ts";
import type { Dispatcher } from "@alknet/core/operations";
import type { CallSession } from "./session/session.ts";

/** Options of {@linkcode call}. */
export interface CallHandlerOptions {
  /** Told of every connection, so that the node can call it, import from it, or attach it as a peer. */
  readonly onConnection?: (peer: CallSession) => void;
  /** Requests of one connection served at once. Default 131 072. */
  readonly maxRequests?: number;
  /** Bytes of their bodies. Default 64 MiB. */
  readonly maxRequestBytes?: number;
  /** Longest body that is taken, in bytes. Default 64 MiB. */
  readonly maxBody?: number;
}

/** The handler of `alknet/call`. */
export function call(dispatcher: Dispatcher, options: CallHandlerOptions = {}): Handler<readonly [typeof CALL_ALPN]> {
  return defineHandler({
    alpns: [CALL_ALPN],
    description: "calls operations",
    async handle(connection, { identityProvider, authenticationFailed, authenticationRefused, log, signal }) {
      const peer = new CallConnection(connection, {
        ...options,
        dispatcher,
        identityProvider,
        authenticationFailed,
        authenticationRefused,
        log,
      });
      options.onConnection?.(peer);
      const { promise: drained, resolve } = Promise.withResolvers<void>();
      const drain = (): void => void peer.drain().then(resolve);
      signal.addEventListener("abort", drain);
      if (signal.aborted) drain();
      await Promise.race([peer.closed, drained]);
      signal.removeEventListener("abort", drain);
    },
  });
}
