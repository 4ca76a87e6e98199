/**
 * The error root and the few subclasses that callers tell apart.
 *
 * A `code` is stable and made for programs; a message is made for people and says what was tried, where, what was
 * found and what would do. Neither ever holds a secret.
 *
 * @example
 * ```ts
 * import { AlknetError } from "@alknet/core/errors";
 *
 * const error = new AlknetError("BIND_FAILED", "127.0.0.1:53 cannot be bound: permission denied; use a port from 1024");
 * console.assert(error.code === "BIND_FAILED");
 * ```
 *
 * @module
 */

/** Root of every error that input, peers or the environment cause. Programming mistakes stay TypeError and RangeError. */
export class AlknetError extends Error {
  /** The class, as it stands before the message. */
  override readonly name: string = "AlknetError";
  /** Stable, in CONSTANT_CASE: `DUPLICATE_ALPN`, `BIND_FAILED`. */
  readonly code: string;

  /**
   * An error with a code.
   *
   * @param code Stable code in CONSTANT_CASE.
   * @param message What was wrong, where, and what to do.
   * @param options The `cause`, where there is one.
   */
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** How a connection ended. `by` says who or what ended it; `code` and `reason` are what the closing side gave. */
export interface CloseInfo {
  /** `local` and `peer` closed it; `timeout` is silence past the idle limit; `error` is everything else. */
  readonly by: "local" | "peer" | "timeout" | "error";
  /** Application close code on QUIC; transports that cannot carry one leave it out. */
  readonly code?: number;
  /** Fixed words for people; never the text of an exception. */
  readonly reason?: string;
  /** What went wrong, with `by: "error"`. */
  readonly error?: AlknetError;
}

/** The connection is gone: `CONNECTION_CLOSED`. A handler that lets it escape ended normally. */
export class ConnectionClosedError extends AlknetError {
  /** The class, as it stands before the message. */
  override readonly name = "ConnectionClosedError";
  /** How the connection ended. */
  readonly info: CloseInfo;

  /**
   * The error that says how a connection ended.
   *
   * @param info How it ended.
   */
  constructor(info: CloseInfo) {
    super("CONNECTION_CLOSED", describeClose(info), info.error ? { cause: info.error } : undefined);
    this.info = info;
  }
}

/** One direction of a stream was cut: `STREAM_CLOSED`, with the code that the cutting side gave. */
export class StreamClosedError extends AlknetError {
  /** The class, as it stands before the message. */
  override readonly name = "StreamClosedError";
  /** Application error code of RESET_STREAM or STOP_SENDING (RFC 9000 §19.4, §19.5). */
  readonly errorCode: number;

  /**
   * The error that says how a direction of a stream ended.
   *
   * @param by Who cut it.
   * @param how `reset` ends what the sender sends, `stop` refuses what the receiver receives.
   * @param errorCode Application error code.
   */
  constructor(by: "local" | "peer", how: "reset" | "stop", errorCode: number) {
    super("STREAM_CLOSED", `stream ${how === "reset" ? "reset" : "stopped"} by ${by} with code ${errorCode}`);
    this.errorCode = errorCode;
  }
}

/** A dial failed. The code says how: `NO_TRANSPORT`, `PROXY`, `UNREACHABLE`, `HANDSHAKE_FAILED`, `FINGERPRINT_MISMATCH`,
 * `CERTIFICATE_REJECTED`, `ALPN_REFUSED` or `TIMEOUT`. */
export class DialError extends AlknetError {
  /** The class, as it stands before the message. */
  override readonly name = "DialError";

  /**
   * Whether the far side answered. An answer (wrong key, unknown ALPN, refusal) never leads to another transport;
   * silence may.
   */
  get answered(): boolean {
    return this.code !== "UNREACHABLE" && this.code !== "TIMEOUT" && this.code !== "NO_TRANSPORT";
  }
}

/** One sentence about how a connection ended. */
export function describeClose(info: CloseInfo): string {
  const who = {
    local: "closed here",
    peer: "closed by the peer",
    timeout: "timed out: the peer fell silent",
    error: "failed",
  }[info.by];
  const code = info.code === undefined ? "" : ` with code ${info.code}`;
  const why = info.reason ?? info.error?.message;
  return `connection ${who}${code}${why ? `: ${why}` : ""}`;
}
