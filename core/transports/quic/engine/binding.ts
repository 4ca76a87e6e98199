/**
 * The quiche binding of `@matrixai/quic`, with types of our own.
 *
 * Only what the engine uses is declared. Sizes are bytes, times milliseconds. Calls throw `Error` whose message is the
 * name of quiche's error, such as `StreamReset(7)`; {@linkcode errorCodeOf} reads the number.
 *
 * @module
 */
import { AlknetError } from "../../../errors.ts";
import type { SocketAddress } from "../../../handler/connection.ts";
import { foreign } from "../../../log.ts";
import { claimBinding } from "./isolate_claim.ts";

/** An address as the binding takes it. */
export interface HostPort {
  /** IP address. */
  readonly host: string;
  /** Port. */
  readonly port: number;
}

/** Why a connection was closed. */
export interface QuicheError {
  /** Whether an application closed it; else the transport did. */
  readonly isApp: boolean;
  /** Code of RFC 9000 §20, or the application's. */
  readonly errorCode: number;
  /** UTF-8 by convention. */
  readonly reason: Uint8Array;
}

/** Counters of a connection. */
export interface QuicheStats {
  readonly recv: number;
  readonly sent: number;
  readonly lost: number;
  readonly recvBytes: number;
  readonly sentBytes: number;
  readonly pathsCount: number;
  readonly peerInitialMaxStreamsBidi: number;
  readonly peerInitialMaxStreamsUni: number;
}

/** Counters of a path; `rtt` in nanoseconds or whatever the binding gives, see the session. */
export interface QuichePathStats {
  readonly rtt: number;
  readonly lost: number;
  readonly cwnd: number;
  readonly deliveryRate: number;
}

/** A configuration; one certificate each. */
export interface QuicheConfig {
  setApplicationProtos(protocols: string[]): void;
  setMaxIdleTimeout(ms: number): void;
  setMaxRecvUdpPayloadSize(size: number): void;
  setMaxSendUdpPayloadSize(size: number): void;
  setInitialMaxData(bytes: number): void;
  setInitialMaxStreamDataBidiLocal(bytes: number): void;
  setInitialMaxStreamDataBidiRemote(bytes: number): void;
  setInitialMaxStreamDataUni(bytes: number): void;
  setInitialMaxStreamsBidi(count: number): void;
  setInitialMaxStreamsUni(count: number): void;
  setActiveConnectionIdLimit(count: number): void;
  setDisableActiveMigration(disabled: boolean): void;
  setMaxStreamWindow(bytes: number): void;
  setMaxConnectionWindow(bytes: number): void;
  enableDgram(enabled: boolean, receiveQueue: number, sendQueue: number): void;
  enablePacing(enabled: boolean): void;
  grease(enabled: boolean): void;
  /** Key that seals session tickets from now on, 48 bytes; tickets of another key are no longer opened. */
  setTicketKey(key: Uint8Array): void;
}

/** One QUIC connection. */
export interface QuicheConnection {
  recv(datagram: Uint8Array, info: { from: HostPort; to: HostPort }): number;
  send(room: Uint8Array): [number, unknown] | null;
  streamRecv(stream: number, room: Uint8Array): [number, boolean] | null;
  streamSend(stream: number, bytes: Uint8Array, fin: boolean): number | null;
  streamShutdown(stream: number, direction: number, code: number): void | null;
  streamCapacity(stream: number): number;
  /** Whether all of a stream was read, or there is no such stream any more. */
  streamFinished(stream: number): boolean;
  isReadable(): boolean;
  readable(): Iterable<number>;
  peerStreamsLeftBidi(): number;
  peerStreamsLeftUni(): number;
  dgramRecvVec(): Uint8Array | null;
  dgramSend(message: Uint8Array): void | null;
  dgramMaxWritableLen(): number | null;
  timeout(): number | null;
  onTimeout(): void;
  pathEventNext(): unknown;
  close(app: boolean, code: number, reason: Uint8Array): void | null;
  applicationProto(): Uint8Array;
  peerCertChain(): Uint8Array[] | null;
  isEstablished(): boolean;
  /** Whether the handshake resumed a session instead of proving keys anew. */
  isResumed(): boolean;
  isDraining(): boolean;
  isClosed(): boolean;
  isTimedOut(): boolean;
  peerError(): QuicheError | null;
  localError(): QuicheError | null;
  stats(): QuicheStats;
  pathStats(): QuichePathStats[];
  sendAckEliciting(): void;
}

/** Directions of `streamShutdown`. */
export const SHUTDOWN_READ = 0;
/** Directions of `streamShutdown`. */
export const SHUTDOWN_WRITE = 1;

/** The binding's functions and classes. */
export interface Quiche {
  readonly Config: {
    withBoringSslCtx(
      verifyPeer: boolean,
      verifyAllowFail: boolean,
      authorities: Uint8Array | null,
      keys: Uint8Array[] | null,
      certificates: Uint8Array[] | null,
      signatureAlgorithms: string,
    ): QuicheConfig;
  };
  readonly Connection: {
    connect(
      serverName: string | null,
      scid: Uint8Array,
      local: HostPort,
      remote: HostPort,
      config: QuicheConfig,
    ): QuicheConnection;
    accept(
      scid: Uint8Array,
      odcid: Uint8Array | null,
      local: HostPort,
      remote: HostPort,
      config: QuicheConfig,
    ): QuicheConnection;
  };
}

/** An address as the binding takes it: it refuses the zone of a link-local one, with which the UDP socket sends. */
export function hostPort({ hostname, port }: SocketAddress): HostPort {
  return { host: hostname.split("%")[0], port };
}

let loaded: Promise<Quiche> | undefined;

/**
 * Loads the native binding.
 *
 * @throws {AlknetError} `NO_TRANSPORT`: this platform has no binary that can be loaded, or another isolate of this process has it.
 */
export function loadQuiche(): Promise<Quiche> {
  loaded ??= load();
  // Who comes too early may come again.
  loaded.catch(() => loaded = undefined);
  return loaded;
}

async function load(): Promise<Quiche> {
  await claimBinding();
  try {
    const module = await import("@matrixai/quic/native");
    return module.default.quiche as unknown as Quiche;
  } catch (cause) {
    const platform = `${Deno.build.os} on ${Deno.build.arch}`;
    const why = foreign(cause instanceof Error ? cause.message : String(cause));
    throw new AlknetError("NO_TRANSPORT", `QUIC's binary for ${platform} is not loaded (${why}); use TCP and TLS`, {
      cause,
    });
  }
}

/**
 * The number in `StreamReset(7)` and `StreamStopped(9)`, if the error is of that name. At most 2^53 - 1: as a number, the
 * largest code that a peer may send (2^62 - 1, RFC 9000 §16) is one that quiche aborts the process for when it is sent.
 */
export function errorCodeOf(name: "StreamReset" | "StreamStopped", error: unknown): number | undefined {
  const message = error instanceof Error ? error.message : "";
  if (!message.startsWith(name)) return undefined;
  return Math.min(Number(message.slice(name.length + 1, -1)), Number.MAX_SAFE_INTEGER);
}
