/**
 * Limits of the HTTP handler, each with its reason. Times are milliseconds, sizes bytes.
 *
 * The inner server bounds what it parses itself (an h2 header list, streams of an h2 connection); what it does not bound,
 * time above all, is bounded here, on the bytes that pass.
 *
 * @module
 */

/** Limits of {@linkcode http}. */
export interface HttpLimits {
  /** From the start of a conversation to the end of the first request's headers: what a slow sender of headers gets. */
  readonly firstRequest: number;
  /** Between two requests of a conversation: browsers reuse a connection for about a minute. */
  readonly idle: number;
  /** Without the client taking a byte that is ready for it: a reader this slow holds a response and its file. */
  readonly stalled: number;
  /** Without a byte in either direction while a request runs: longer than any heartbeat and any deadline of a call. */
  readonly silent: number;
  /** A client that has half-closed `h2` or `http/1.1` has most likely left; what it asked for may take this long still. */
  readonly halfClosed: number;
  /** Header block of a request: over it `431`. The inner server itself refuses more than 64 KiB, with h2 16 KiB. */
  readonly headers: number;
  /** Body of a request to an operation: over it `413`. */
  readonly body: number;
  /** From a request's headers to the end of its body, which a client could send for ever, byte by byte: over it `408`. */
  readonly bodyTime: number;
  /** Requests at a time in one conversation, as HTTP/2 servers commonly allow (RFC 9113 §6.5.2): over it `503`. */
  readonly requests: number;
  /** Conversations at a time on one connection of `alknet/http`; further streams wait their turn. */
  readonly conversations: number;
  /**
   * Conversations at a time on all connections: over it a stream is reset. Each takes two descriptors beside those of its connection, so that no more
   * than a quarter of what the process may open is taken, whatever stands here.
   */
  readonly allConversations: number;
  /** Calls in one batch: over it `422`. */
  readonly batch: number;
  /** Silence of a subscription after which a comment is sent, so that no proxy takes the stream for dead. */
  readonly keepAlive: number;
  /** Message of a WebSocket, as large as a frame of the call protocol may be: over it close code 1009. */
  readonly message: number;
  /** Calls that one WebSocket has running at a time (call.md §12): over it `too many requests in flight`. */
  readonly calls: number;
  /**
   * Sessions of MCP that one identity may have, and all the anonymous together. One more ends the one that was unused for
   * longest; where all of them are running a call, `503`.
   */
  readonly mcpSessions: number;
  /**
   * Without a request on a session of MCP, a call that it runs, or a stream on which its client listens: the session
   * ends. Its client is told `404`, and begins another.
   */
  readonly mcpIdle: number;
}

/** The defaults. */
export const HTTP_LIMITS: HttpLimits = Object.freeze({
  firstRequest: 10_000,
  idle: 60_000,
  stalled: 30_000,
  silent: 120_000,
  halfClosed: 5_000,
  headers: 64 * 1024,
  body: 8 * 1024 * 1024,
  bodyTime: 120_000,
  requests: 100,
  conversations: 100,
  allConversations: 10_000,
  batch: 100,
  keepAlive: 15_000,
  message: 64 * 1024 * 1024,
  calls: 131_072,
  mcpSessions: 256,
  mcpIdle: 30 * 60_000,
});

/** A failure that repeats itself is logged once in this time, with how often it happened. */
export const LOG_INTERVAL = 60_000;

/** How often the times above are looked at: one timer for all conversations instead of several for each. */
export const SWEEP_INTERVAL = 1000;

/**
 * The inner server gives up a request when its input ends, so the end of a half-closed input is held back until the
 * request has been answered. A request that was sent but has not reached the application yet is waited for this long.
 */
export const HALF_CLOSE_GRACE = 250;

/**
 * After the inner server has ended a conversation, its client may still be sending, and have an answer under way that
 * refusing its input could destroy (RFC 9112 §9.6). The rest is read and dropped for this long ...
 */
export const LINGER_TIME = 30_000;
/** ... or until this much of it has been dropped. */
export const LINGER_BYTES = 1024 * 1024;

/** What is read of a body that no route wants, so that its client gets the answer: as much as any route takes. */
export const DRAIN_BYTES = 8 * 1024 * 1024;
/** For how long: what a slow sender of headers gets, a slow sender of bodies gets too. */
export const DRAIN_TIME = 10_000;

/** Nesting of JSON in a request: as deep as the call protocol goes (call.md §2.1). */
export const MAX_DEPTH = 256;
/** What a subscription may have ready for a client that reads slowly, before its producer is held back. */
export const SUBSCRIPTION_BUFFER = 64 * 1024;
/** How long a client whose address guessed too many tokens is told to stay away, in seconds (core.md §13). */
export const REFUSED_SECONDS = 60;
/**
 * Seconds of silence after which a WebSocket is given up. The runtime pings when half of them have passed, so a client
 * that is gone costs as long as two pings 30 s apart.
 */
export const WEBSOCKET_SILENCE = 60;
/** Bytes that wait to be sent on a WebSocket above which whoever streams is held back ... */
export const SEND_BUFFER = 256 * 1024;
/** ... and how often it is then looked at, in milliseconds: the runtime does not tell when it has sent them. */
export const SEND_POLL = 5;
/** Answers that a session of MCP keeps for a client that lost them: this many ... */
export const MCP_HISTORY_EVENTS = 64;
/** ... of this size together. */
export const MCP_HISTORY_BYTES = 1024 * 1024;

/** Read buffer of a conversation at its start: most responses are small and most conversations idle. */
export const SMALL_BUFFER = 8 * 1024;
/** Read buffer of a conversation that fills the small one. */
export const LARGE_BUFFER = 64 * 1024;
/** Read size of a static file. */
export const FILE_CHUNK = 64 * 1024;

/** Longest path that the static site looks at: PATH_MAX of Linux. */
export const MAX_PATH = 4096;
/** Longest name in a path, in bytes: NAME_MAX of every file system in use. */
export const MAX_NAME = 255;

/**
 * The defaults with some limits changed.
 *
 * @throws {RangeError} A limit is not a positive whole number.
 */
export function httpLimitsWith(changes: Partial<HttpLimits> = {}): HttpLimits {
  const limits: HttpLimits = Object.freeze({ ...HTTP_LIMITS, ...changes });
  for (const [name, value] of Object.entries(limits)) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`HTTP limit ${name} is ${value}; it must be a positive whole number`);
    }
  }
  return limits;
}
