/**
 * Reset and stop codes of `alknet/http`, whose conversations are streams. HTTP's own errors travel inside them; these
 * say only why a stream was cut. Numbers are those of HTTP/3 (RFC 9114 §8.1), which an analyser of QUIC traffic knows.
 *
 * @module
 */

/** Codes with which the handler cuts a stream. */
export const HttpCode = {
  /** The conversation is over: no more input is wanted. */
  NO_ERROR: 0x100,
  /** The server behind the stream could not be reached or failed. */
  INTERNAL_ERROR: 0x102,
  /** There are as many conversations as the limits and the descriptors of the node allow. */
  EXCESSIVE_LOAD: 0x107,
  /** The client left, went over a limit of time, or the endpoint shut down. */
  REQUEST_CANCELLED: 0x10c,
} as const;

/** One of {@linkcode HttpCode}. */
export type HttpCode = typeof HttpCode[keyof typeof HttpCode];
