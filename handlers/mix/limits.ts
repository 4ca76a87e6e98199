/**
 * Limits of the mixnet, each with its reason (msg.md §5.1, §7).
 *
 * @module
 */

/** Milliseconds that a packet may be told to wait at a node: memory of others is not to be had for longer. */
export const MOST_DELAY = 600_000;
/** Tags that are remembered of one key: 64 MiB. Then packets for it are refused, for none is passed that cannot be remembered. */
export const MOST_TAGS: number = 2 ** 21;
/** Nodes of a path that a geometry may have room for: a header grows by 82 bytes with each. */
export const MOST_HOPS = 16;
/** Bytes of a user part, at most: what a link carries in one frame stays below 64 KiB. */
export const MOST_USER = 60_000;
