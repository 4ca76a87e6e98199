/**
 * Limits of a mailbox, each with its reason (msg.md §7).
 *
 * @module
 */

/** Limits of {@linkcode mailbox}. */
export interface MailboxLimits {
  /** Items of a queue: a full one is refused, so that nothing is lost unseen. */
  readonly queueItems: number;
  /** Items of a queue that a token names: whoever has the token may fill it. */
  readonly contactItems: number;
  /** Days that an item waits: holidays. */
  readonly itemDays: number;
  /** Days that a queue stays which nobody reads. */
  readonly queueDays: number;
  /** Queues of the mailbox. */
  readonly queues: number;
  /** Bytes of all items. */
  readonly bytes: number;
  /** Envelopes a minute into a queue, twice as many at once. */
  readonly sendRate: number;
  /** The same into a queue that a token names. */
  readonly contactRate: number;
  /** Times an hour that a queue's keys are taken, twice as many at once: each costs its reader a key. */
  readonly takeRate: number;
  /** Requests of a connection at a time. */
  readonly requests: number;
  /** Queues that a connection listens to. */
  readonly subscriptions: number;
  /** Frames a minute from an address, twice as many at once. */
  readonly frames: number;
  /** Queues an hour that one identity makes, twice as many at once. */
  readonly newRate: number;
  /** Keys for one use that a queue holds. */
  readonly prekeys: number;
  /** Milliseconds after which a connection that asks nothing is closed. */
  readonly idle: number;
  /** Rates that are remembered; the oldest go first. */
  readonly rateEntries: number;
}

/** The defaults. */
export const MAILBOX_LIMITS: MailboxLimits = Object.freeze({
  queueItems: 128,
  contactItems: 32,
  itemDays: 30,
  queueDays: 90,
  queues: 100_000,
  bytes: 2 * 1024 * 1024 * 1024,
  sendRate: 60,
  contactRate: 6,
  takeRate: 6,
  requests: 64,
  subscriptions: 1024,
  frames: 600,
  newRate: 60,
  prekeys: 200,
  idle: 60_000,
  rateEntries: 65_536,
});

/**
 * The defaults with some limits changed.
 *
 * @throws {RangeError} A limit is none of these, or not a positive whole number.
 */
export function mailboxLimitsWith(changes: Partial<MailboxLimits> = {}): MailboxLimits {
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(MAILBOX_LIMITS, name)) throw new RangeError(`there is no limit ${name}`);
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${name} is a whole number from 1`);
  }
  return { ...MAILBOX_LIMITS, ...changes };
}
