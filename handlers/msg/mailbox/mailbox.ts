/**
 * The handler of `alknet/msg`: queues that hold sealed envelopes for those who are away (msg.md §4).
 *
 * @module
 */
import { defineHandler, type Handler } from "@alknet/core/handler";
import { dayOf } from "../agreement/labels.ts";
import { type MailboxLimits, mailboxLimitsWith } from "../limits.ts";
import type { MailboxStore } from "./mailbox_store.ts";
import { Rates } from "./rates.ts";
import { MailboxFront, type ServeParts } from "./serving.ts";

/** The protocol between mailboxes and those who read and write. */
export const MSG_ALPN = "alknet/msg";

/** Options of {@linkcode mailbox}. */
export interface MailboxOptions {
  /** The queues. Disposing of it is the caller's. */
  readonly store: MailboxStore;
  /** Fingerprint of the node's own key, which may make queues. Default: none. */
  readonly own?: string;
  /** Whether anyone may make queues. Default `false`. */
  readonly open?: boolean;
  /** Changes to {@linkcode MAILBOX_LIMITS}. */
  readonly limits?: Partial<MailboxLimits>;
  /** Time. Default: the machine's. */
  readonly clock?: MailboxClock;
}

/** Time as a mailbox uses it. */
export interface MailboxClock {
  /** Milliseconds that only go forward. */
  now(): number;
  /** Milliseconds since 1970. */
  wall(): number;
}

const SWEEP = 3_600_000;
const MACHINE: MailboxClock = { now: () => performance.now(), wall: () => Date.now() };

/**
 * Serves a mailbox. Old items and queues go at the first connection of each hour.
 *
 * @throws {RangeError} A limit is none.
 */
export function mailbox(options: MailboxOptions): Handler<readonly ["alknet/msg"]> {
  const { store, own, open = false, clock = MACHINE } = options;
  const limits = mailboxLimitsWith(options.limits);
  const rates = new Rates(limits.rateEntries, () => clock.now());
  const parts: ServeParts = { store, own, open, limits, rates, wall: () => clock.wall() };
  let swept = -Infinity;
  return defineHandler({
    alpns: [MSG_ALPN],
    description: "mailbox of sealed messages",
    async handle(connection, context) {
      if (clock.now() - swept >= SWEEP) {
        swept = clock.now();
        await store.sweep(dayOf(clock.wall())).catch((error) => {
          context.log.error("cannot sweep the mailbox: {why}", { why: (error as { code?: string }).code ?? "defect" });
        });
      }
      await new MailboxFront(connection, context, parts).serve();
    },
  });
}
