/**
 * Limits that hold for operations however they are asked for, each with its reason.
 *
 * @module
 */

/** Milliseconds that a call waits for its answer, and a handler may take for it (call.md §13). */
export const CALL_TIMEOUT = 30_000;
/** Values of a subscription with a source to itself that wait for the loop before the source is held back. */
export const OWN_BUFFER = 256;
/** Values of a subscription on a shared source that wait for the loop before it fails: nobody else may wait for it. */
export const SHARED_BUFFER = 65_536;
/** Bytes of those values; the same. */
export const SHARED_BUFFER_BYTES = 16 * 1024 * 1024;
