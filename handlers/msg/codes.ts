/**
 * Codes of `alknet/msg` (msg.md §4).
 *
 * @module
 */

/** What a request is refused with. */
export const MailboxCode = {
  /** The frame is none, or of a type that is not served. */
  BAD_FRAME: 1,
  /** There is no such queue, or the capability is not its own: the two are told apart by nothing. */
  NO_QUEUE: 2,
  /** The queue holds all that it may. */
  QUOTA: 3,
  /** Too often; the answer says when again. */
  RATE: 4,
  /** No right to make queues here. */
  FORBIDDEN: 5,
  /** The envelope has the length of no class. */
  CLASS: 6,
  /** The mailbox, or its disk, holds all that it may. */
  FULL: 7,
  /** There is another queue of that id. */
  CONFLICT: 8,
  /** The queue has no keys to give. */
  NO_PREKEYS: 9,
} as const;

/** One of {@linkcode MailboxCode}. */
export type MailboxCode = typeof MailboxCode[keyof typeof MailboxCode];

/** Codes with which connections are closed. */
export const CloseCode = {
  /** A malformed frame. */
  BAD_FRAME: 1,
  /** More requests at once than may be. */
  REQUESTS: 2,
  /** Nothing was asked for a while. */
  IDLE: 3,
} as const;
