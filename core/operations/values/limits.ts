/**
 * Limits that hold for operations however they are asked for, each with its reason.
 *
 * @module
 */

/** Milliseconds that a call waits for its answer, and a handler may take for it (call.md §13). */
export const CALL_TIMEOUT = 30_000;
/** Levels of nesting in a value; deeper ones overflow the stack of code that walks them (call.md §2.1). */
export const MAX_DEPTH = 256;
/** Members and items of one value, of somebody with an identity (core.md §13). */
export const MAX_MEMBERS = 1_000_000;
/** The same, of a stranger: a check of so many takes milliseconds, and whoever asks pays nothing for it. */
export const STRANGER_MEMBERS = 10_000;
/** Longest message of a stranger, in bytes (core.md §13). */
export const STRANGER_BODY = 1024 * 1024;
/** Values of a subscription with a source to itself that wait for the loop before the source is held back. */
export const OWN_BUFFER = 256;
/** Values of a subscription on a shared source that wait for the loop before it fails: nobody else may wait for it. */
export const SHARED_BUFFER = 65_536;
/** Bytes of those values; the same. */
export const SHARED_BUFFER_BYTES = 16 * 1024 * 1024;
