/**
 * A connection of the call protocol, over QUIC, TLS or memory.
 *
 * @module
 */
import { type Connection, logger } from "@alknet/core/handler";
import { SYSTEM_CLOCK } from "@alknet/core/operations";
import { CallSession, type CallSessionOptions } from "./session.ts";
import { StreamCarrier } from "../carriers/stream_carrier.ts";

/** Options of a connection. */
export interface CallConnectionOptions extends CallSessionOptions {
  /** Longest body that is taken, in bytes. Default 64 MiB. */
  readonly maxBody?: number;
  /**
   * Whether less is taken of a stranger, until a token says who it is: 1 MiB, and 10,000 members and items. For whoever is
   * dialled by anybody; who dials has chosen whom to ask. Default `false`.
   */
  readonly wary?: boolean;
}

/** A session over a connection, whichever end dialled it. */
export class CallConnection extends CallSession {
  /**
   * Takes a connection over.
   *
   * @param connection Established, with the ALPN of calls. Nobody else may take its streams.
   */
  constructor(connection: Connection, options: CallConnectionOptions = {}) {
    const { maxBody, wary, clock = options.dispatcher?.clock ?? SYSTEM_CLOCK, log = logger("call") } = options;
    super(new StreamCarrier(connection, { maxBody, wary, clock, log }), { ...options, clock, log });
  }
}
