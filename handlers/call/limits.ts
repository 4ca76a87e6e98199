/**
 * Limits of the call protocol, each with its reason.
 *
 * @module
 */

/** Longest body of a frame, in bytes (call.md §2.1). */
export const MAX_BODY = 64 * 1024 * 1024;
/** Longest id of a request, in bytes (call.md §7). */
export const MAX_ID = 256;
/** Requests of one connection being served at once (call.md §12). */
export const MAX_REQUESTS = 131_072;
/** Bytes of bodies that they hold (call.md §12). */
export const MAX_REQUEST_BYTES = 64 * 1024 * 1024;
/** Milliseconds within one frame without a byte (call.md §12). */
export const FRAME_TIMEOUT = 30_000;
/** UTF-16 units waiting to be written on one lane above which whoever streams is held back. */
export const HIGH_WATER = 256 * 1024;
/** Bytes of answers waiting to be written on all lanes, two of the largest, above which further requests are refused. */
export const HIGH_UNREAD = 2 * MAX_BODY;
/** The same, above which answers are dropped, and a peer that asks for more, and reads nothing, loses its connection. */
export const MAX_UNREAD = 160 * 1024 * 1024;
/** Bytes of frames that have not come whole, on all lanes: two of the largest. */
export const MAX_PARTIAL = 2 * MAX_BODY;
/** Streams of their own that the requests of one connection take; the others share. Peers commonly grant 100. */
export const MAX_OWN_STREAMS = 64;
/** Milliseconds that a request waits for a stream of its own before it shares one. */
export const OWN_STREAM_PATIENCE = 250;
