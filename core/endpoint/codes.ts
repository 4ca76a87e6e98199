/**
 * Close codes that the endpoint itself sends (QUIC application errors). Hints for people; no protocol depends on them.
 *
 * @module
 */

/** Close codes of the endpoint. */
export const CloseCode = {
  /** The handler returned, the endpoint shut down, or there was no handler. */
  NORMAL: 0,
  /** The handler threw. */
  HANDLER_ERROR: 0x100,
  /** The handler requires an identity and the peer proved none. */
  IDENTITY_REQUIRED: 0x101,
  /** A limit was reached. */
  LIMIT: 0x102,
} as const;
