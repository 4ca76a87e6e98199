/**
 * What a handler reads and writes: streams of bytes with back-pressure in both directions.
 *
 * @module
 */

/** A bidirectional stream. The two directions are independent: each ends, or is cut, by itself. */
export interface BidiStream {
  /** Stream id of RFC 9000 §2.1 on QUIC; 0 on a single-stream transport. */
  readonly id: number;
  /** What the peer sends. Ends when the peer half-closes; errors with `STREAM_CLOSED` when it resets. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What we send. `close()` half-closes; a write waits while the peer does not read. */
  readonly writable: WritableStream<Uint8Array>;
  /** Cuts what we send: the peer's `readable` errors with this code. */
  reset(code: number): void;
  /** Refuses what the peer sends: its `writable` errors with this code. */
  stop(code: number): void;
}

/** A stream on which only the peer sends. */
export type ReceiveStream = Pick<BidiStream, "id" | "readable" | "stop">;

/** A stream on which only we send. */
export type SendStream = Pick<BidiStream, "id" | "writable" | "reset">;
