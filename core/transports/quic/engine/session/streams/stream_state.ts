/**
 * What a session keeps of each stream, and of the work that its streams did.
 *
 * @module
 */

import type { ChunkQueue } from "../../../../../handler/chunk_queue.ts";

/** One stream, as the engine knows it. */
export interface StreamState {
  /** What quiche has not taken yet, oldest first. */
  readonly queue: ChunkQueue;
  /** Whether the end of the stream follows the queue. */
  finQueued: boolean;
  /** Whether quiche took anything. */
  begun: boolean;
  /** Our direction is over: finished, reset or stopped. */
  sendDone: boolean;
  /** The peer's direction is over. */
  receiveDone: boolean;
  /** And it was reset. */
  wasReset: boolean;
  /** Bytes quiche took and the node was not granted back yet. */
  accepted: number;
  /** Credit that the node has for sending beyond the first. */
  growth: number;
  /** Bytes delivered that the reader has not taken. */
  unread: number;
  /** Bytes that may be so. */
  credit: number;
  /** Bytes delivered in all. */
  delivered: number;
}

/** What the defence needs to know of a session's work. */
export interface Progress {
  /** Bytes delivered to the node. */
  received: number;
  /** Streams of the peer that were cut, by it or by us: what was on its way is dropped unread. */
  cut: number;
  /** Deliveries. */
  deliveries: number;
  /** Bytes that quiche took. */
  sent: number;
  /** Sends that quiche took, and our resets and stops. */
  sends: number;
}
