/**
 * What a node tells its engine process at the start, and what both say about each other afterwards.
 *
 * @module
 */
import type { CloseInfo } from "../../../errors.ts";
import type { SocketAddress } from "../../../handler/connection.ts";
import type { Limits } from "../../../limits/limits.ts";
import type { TlsProfiles } from "../../tls_profile.ts";

/** How UDP is reached: `linux` by system calls, `node` on every platform, `auto` by the first where it can. */
export type UdpImplementation = "auto" | "linux" | "node";

/** How an engine is to run. Travels over the private socket alone: it holds the node's key. */
export interface EngineConfig {
  readonly address: SocketAddress;
  readonly reusePort: boolean;
  readonly alpns: readonly string[];
  readonly profiles: TlsProfiles;
  readonly limits: Limits;
  readonly datagramSize?: number;
  readonly udp?: UdpImplementation;
}

/** A newcomer was refused, or a connection closed for abuse. */
export interface RefusedEvent {
  readonly address: string;
  readonly reason: string;
}

/** Why an engine cannot run. */
export interface FailedEvent {
  readonly code: string;
  readonly message: string;
}

/** A close, as it travels: an error loses its chain but keeps code and message. */
export interface EndedEvent extends Omit<CloseInfo, "error"> {
  readonly error?: FailedEvent;
}

/** Time between two signs of life of an engine, in milliseconds. */
export const HEARTBEAT_INTERVAL = 1000;
/** First argument of a process that is an engine, in a compiled executable. */
export const ENGINE_ARGUMENT = "--alknet-engine";
