/**
 * Codes with which streams and connections of blobs are cut (fs.md §3); those of iroh-blobs.
 *
 * @module
 */

/** Codes of resets and stops. */
export const ResetCode = {
  /** No right to it, or it is not there. */
  PERMISSION: 1,
  /** Too much at a time, or too slow. */
  LIMIT: 2,
  /** A malformed request, or a fault of ours. */
  INTERNAL: 3,
} as const;

/** Codes with which connections are closed. */
export const CloseCode = {
  /** Too many malformed requests. */
  LIMIT: 2,
} as const;
