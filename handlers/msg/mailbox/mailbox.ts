/**
 * The handler of `alknet/msg`: queues that hold sealed envelopes for those who are away (msg.md §4).
 *
 * @module
 */
import { equalBytes, sha256 } from "@alknet/core/crypto";
import { AlknetError, defineHandler, type Handler } from "@alknet/core/handler";
import { dayOf } from "../agreement/labels.ts";
import { Bell } from "../bell.ts";
import { type MailboxLimits, mailboxLimitsWith } from "../limits.ts";
import type { MailboxStore } from "./mailbox_store.ts";
import { Rates } from "./rates.ts";
import { MailboxFront, type ServeParts } from "./serving.ts";
import { Subscriptions } from "./subscriptions.ts";

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

/** What lies in a mailbox, and what was refused since it began. */
export interface MailboxStatus {
  /** Queues. */
  readonly queues: number;
  /** Items in all of them. */
  readonly items: number;
  /** Bytes of all items. */
  readonly bytes: number;
  /** Requests that were refused. */
  readonly refused: number;
}

/** The handler of a mailbox, and what its operator does with it. */
export interface Mailbox extends Handler<readonly ["alknet/msg"]> {
  /**
   * Takes away what is too old. It is done at the first connection of each hour; a node does it at its start and hourly too.
   */
  sweep(): Promise<void>;
  /** Counts; no ids. */
  status(): MailboxStatus;
  /**
   * How many items lie in a queue, now and whenever that changes, once a second at most; until the signal, or the queue is no
   * more.
   *
   * @param rcap The capability to read it.
   * @throws {AlknetError} `NO_QUEUE`: there is none, or it is another's; `TOO_BUSY`.
   */
  watch(rid: Uint8Array, rcap: Uint8Array, signal: AbortSignal): AsyncIterable<number>;
}

const SWEEP = 3_600_000;
/** Milliseconds from one number of a watched queue to the next. */
const WATCH_EVERY = 1000;
/** Those who watch queues at a time. */
const MOST_WATCHERS = 1024;
const MACHINE: MailboxClock = { now: () => performance.now(), wall: () => Date.now() };

/**
 * Serves a mailbox.
 *
 * @throws {RangeError} A limit is none.
 */
export function mailbox(options: MailboxOptions): Mailbox {
  const { store, own, open = false, clock = MACHINE } = options;
  const limits = mailboxLimitsWith(options.limits);
  const rates = new Rates(limits.rateEntries, () => clock.now());
  const subscriptions = new Subscriptions(store);
  let refused = 0;
  const parts: ServeParts = {
    store,
    own,
    open,
    limits,
    rates,
    subscriptions,
    refused: () => refused++,
    wall: () => clock.wall(),
  };
  let swept = -Infinity;
  const sweep = async (): Promise<void> => {
    swept = clock.now();
    const today = dayOf(clock.wall());
    // Who listens is there, however long ago that began.
    const listened = subscriptions.queues().filter((rid) => (store.find("rid", rid)?.used ?? today) !== today);
    await Promise.all(listened.map((rid) => store.touch(rid, today)));
    await store.sweep(today);
    subscriptions.swept();
  };
  const handler = defineHandler({
    alpns: [MSG_ALPN],
    description: "mailbox of sealed messages",
    async handle(connection, context) {
      if (clock.now() - swept >= SWEEP) {
        await sweep().catch((error) => {
          context.log.error("cannot sweep the mailbox: {why}", { why: (error as { code?: string }).code ?? "defect" });
        });
      }
      await new MailboxFront(connection, context, parts).serve();
    },
  });
  let watchers = 0;
  async function* watch(rid: Uint8Array, rcap: Uint8Array, signal: AbortSignal): AsyncGenerator<number> {
    const held = store.find("rid", rid)?.rcap;
    // The same work for a queue that is not there.
    if (!equalBytes(sha256(rcap), held ?? new Uint8Array(32)) || !held) {
      throw new AlknetError("NO_QUEUE", "there is no such queue, or the capability is not its own");
    }
    if (watchers >= MOST_WATCHERS) throw new AlknetError("TOO_BUSY", `${MOST_WATCHERS} watch queues; try again`);
    watchers++;
    const bell = new Bell();
    const end = subscriptions.watch(rid, () => bell.ring());
    let told = -1;
    try {
      while (!signal.aborted && store.find("rid", rid)) {
        const rung = bell.count;
        const waiting = store.waiting(rid);
        if (waiting !== told) {
          yield told = waiting;
          await bell.pause(WATCH_EVERY, signal);
        }
        await bell.wait(SWEEP, signal, rung);
      }
    } finally {
      watchers--;
      end();
    }
  }
  return { ...handler, sweep, status: () => ({ ...store.held, refused }), watch };
}
