/**
 * Codes with which streams and connections end (RFC 9250 §4.3).
 *
 * @module
 */

/** Error codes of DNS over QUIC, which `alknet/dns` has too; over TCP they are hints for people. */
export const DoqCode = {
  /** DOQ_NO_ERROR. */
  NONE: 0,
  /** DOQ_INTERNAL_ERROR: our fault. */
  INTERNAL: 1,
  /** DOQ_PROTOCOL_ERROR: the peer's. */
  PROTOCOL: 2,
  /** DOQ_REQUEST_CANCELLED. */
  CANCELLED: 3,
  /** DOQ_EXCESSIVE_LOAD. */
  LOAD: 4,
  /** DOQ_UNSPECIFIED_ERROR. */
  UNSPECIFIED: 5,
} as const;
/** One of {@linkcode DoqCode}. */
export type DoqCode = typeof DoqCode[keyof typeof DoqCode];
