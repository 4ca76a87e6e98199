/**
 * What a session is made of, and what it needs of the socket it lives on.
 *
 * @module
 */
import type { CloseInfo } from "../../../../errors.ts";
import type { SocketAddress } from "../../../../handler/connection.ts";
import type { Holdings } from "../../../../handler/holdings.ts";
import type { Limits } from "../../../../limits/limits.ts";
import type { SessionEvents, SessionFacts } from "../../link/link.ts";
import type { HostPort, QuicheConnection, QuicheError } from "../binding.ts";
import type { Abuse } from "./defence.ts";

/** What a session needs of the socket it lives on. */
export interface SessionHost<Session> {
  /** The session has work; give it a turn. */
  wake(session: Session): void;
  /** The handshake is complete; gives the node's side, or nothing to refuse the connection. */
  established(session: Session, facts: SessionFacts): SessionEvents | undefined;
  /** The handshake failed. */
  failed(session: Session, info: CloseInfo, error: QuicheError | undefined): void;
  /** The session is closed for abuse. */
  abused(session: Session, abuse: Abuse): void;
  /** quiche is done with the connection. */
  gone(session: Session): void;
  /** What is delivered to the node and unread. */
  readonly unread: Holdings;
  /** Room to read into, shared by all sessions. */
  readonly scratch: Uint8Array;
  /** Milliseconds that only go forward. */
  now(): number;
}

/** What makes a session. */
export interface SessionOptions<Session> {
  readonly quiche: QuicheConnection;
  readonly remote: SocketAddress;
  readonly local: HostPort;
  readonly dialled: boolean;
  /** Whether the peer must prove its key in this very handshake: a ticket that stands for an earlier proof is refused. */
  readonly mustProve?: boolean;
  /** Whether the remote has proven its address, as by a Retry. */
  readonly proven?: boolean;
  readonly datagramSize: number;
  readonly limits: Limits;
  readonly host: SessionHost<Session>;
}
