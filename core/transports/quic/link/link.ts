/**
 * The seam between a QUIC connection as handlers see it and the engine that drives it.
 *
 * Commands go down, events come up, and neither waits for the other: what bounds them are credits. The engine grants
 * bytes that a stream may send; the node reports bytes that a reader took. In process both ends are plain method calls;
 * across processes the same calls travel as frames. Byte arrays belong to the caller and are valid during the call only.
 *
 * @module
 */
import type { CloseInfo } from "../../../errors.ts";
import type { SocketAddress } from "../../../handler/connection.ts";

/** Bytes of one direction of a stream that may be between engine and node at first: granted but unsent, or unread. */
export const STREAM_CREDIT = 256 * 1024;
/** The same for a stream that moves much: several turns of both sides fit in, so that neither waits for the other. */
export const MAX_STREAM_CREDIT = 1024 * 1024;
/** Bytes granted to the streams of a connection beyond their first credit, together: a peer that reads slowly costs no more. */
export const CREDIT_GROWTH = 2 * (MAX_STREAM_CREDIT - STREAM_CREDIT);
/** Grants and reports smaller than this are saved up, so that small messages cost no frames of their own. */
export const CREDIT_STEP = STREAM_CREDIT / 2;
/** Stands for no stream in particular: bytes read from streams that have ended meanwhile, bytes of any that have left. */
export const NO_STREAM = -1;

/**
 * Frames that may wait for the other process before datagram messages are dropped, in bytes. No credit bounds those, and
 * whoever sends them reckons with losses (RFC 9221 §5.2).
 */
export const DATAGRAM_BACKLOG = 1024 * 1024;

/**
 * Bytes of that credit that a stream of the peer takes until its handler does. Streams may be empty and over at once, so
 * neither bytes nor the streams open at a time bound how many a handler can leave waiting.
 */
export const STREAM_COST = 4 * 1024;

/** What the handshake established. */
export interface SessionFacts {
  /** Negotiated ALPN. */
  readonly alpn: string;
  /** Validated address of the other end. */
  readonly remoteAddress: SocketAddress;
  /** Leaf certificate of the other end, DER. */
  readonly certificate?: Uint8Array;
  /** Whether we dialled: even stream ids are ours (RFC 9000 §2.1). */
  readonly dialled: boolean;
  /** Longest datagram message that fits, in bytes; 0 where the peer takes none (RFC 9221). */
  readonly maxDatagram: number;
}

/** Counters that only the engine knows. */
export interface PathStats {
  /** Smoothed round trip, in milliseconds. */
  readonly rtt: number;
  /** Packets deemed lost. */
  readonly packetsLost: number;
  /** Congestion window, in bytes. */
  readonly congestionWindow: number;
}

/** Commands of the node for one connection. */
export interface SessionCommands {
  /** Begins a stream of ours. The peer sees it with its first byte. */
  open(stream: number): void;
  /** Sends bytes within the credit granted, and the end of the stream after them if `fin`. */
  send(stream: number, bytes: Uint8Array, fin: boolean): void;
  /** A reader took this many bytes of a stream, or of {@linkcode NO_STREAM}. */
  consumed(stream: number, bytes: number): void;
  /** RESET_STREAM. Of {@linkcode NO_STREAM}: of the stream for which most waits that the peer does not take. */
  reset(stream: number, code: number): void;
  /** STOP_SENDING. */
  stop(stream: number, code: number): void;
  /** Sends a datagram message, or drops it. */
  sendDatagram(message: Uint8Array): void;
  /** The peer has an identity: more of it may be held from now on. */
  trust(): void;
  /** Closes at once with an application code. */
  close(code: number, reason: string): void;
  /** Closes with code 0 once everything sent is acknowledged; `ended` follows. */
  finish(): void;
}

/** Events of the engine for one connection. */
export interface SessionEvents {
  /** Bytes of the peer, in order; `fin` says that they are the last. */
  data(stream: number, bytes: Uint8Array, fin: boolean): void;
  /** The peer reset its direction of the stream. */
  peerReset(stream: number, code: number): void;
  /** The peer stopped our direction of the stream. */
  peerStopped(stream: number, code: number): void;
  /**
   * Our direction of the stream may send this many bytes more. Of {@linkcode NO_STREAM}: so many bytes that were sent on any
   * stream are the engine's no more.
   */
  grant(stream: number, bytes: number): void;
  /** Streams that we may open in all, since the beginning. */
  streamLimit(bidi: number, uni: number): void;
  /** A datagram message of the peer. */
  datagram(message: Uint8Array): void;
  /** Fresh counters. */
  path(stats: PathStats): void;
  /** The connection is over. */
  ended(info: CloseInfo): void;
}
