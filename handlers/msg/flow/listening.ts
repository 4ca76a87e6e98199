/**
 * Listening to own queues: what comes into them is opened and kept as it comes, over lost connections too (msg.md §4, SUB).
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { OwnQueue } from "../store/queues.ts";
import type { Bell } from "../bell.ts";
import { freshQueue, madeQueue, readerOf } from "./own_queues.ts";
import type { Parts } from "./parts.ts";
import { receive, takeIn, type Taken } from "./receiving.ts";
import { renewedQueue } from "./restoring.ts";
import { asFault } from "./sending.ts";

/** Milliseconds from one try to reach a mailbox to the next, doubling. */
const FIRST_TRY = 1000;
const LAST_TRY = 60_000;
/** Time to make a queue and fill up its keys. */
const PREPARING = 20_000;
/** Keys are filled up, and signed ones replaced, so often. */
const REFRESH = 3_600_000;
/** After another reader took a queue over, and after a mailbox refused something of one. */
const TAKEN_OVER = 60_000;
const REFUSED = 600_000;
const TOO_OFTEN = 10_000;

/** Queues that a mailbox does not have, after which it is left alone for a while. */
const MOST_MISSING = 3;

/** What a listener tells. */
export interface Listener {
  /** Something came, was kept, and is taken from the mailbox. */
  came(queue: OwnQueue, outcome: Taken): void;
  /** Something could not be done; a mailbox tells each once until it is well again. */
  fault(fault: AlknetError): void;
}

/** Listens to all own queues at a mailbox. */
export class MailboxListener {
  readonly #parts: Parts;
  readonly #mailbox: string;
  readonly #bell: Bell;
  readonly #listener: Listener;
  /** Queues that are listened to, by their ids as hex. */
  readonly #running = new Map<string, Promise<void>>();
  /** When those that are not are tried again, and when the others are looked after. */
  readonly #due = new Map<string, number>();
  readonly #told = new Set<string>();

  /** Of a mailbox; the bell says that there may be other queues. */
  constructor(parts: Parts, mailbox: string, bell: Bell, listener: Listener) {
    this.#parts = parts;
    this.#mailbox = mailbox;
    this.#bell = bell;
    this.#listener = listener;
  }

  /**
   * Listens until the signal.
   *
   * @throws {AlknetError} `MESSAGE_STORE`, `DISK_FULL`: what comes cannot be kept.
   */
  async run(signal: AbortSignal): Promise<void> {
    for (let wait = FIRST_TRY; !signal.aborted; wait = Math.min(wait * 2, LAST_TRY)) {
      const round = new AbortController();
      let isLost = false;
      try {
        await this.#round(AbortSignal.any([signal, round.signal]), () => wait = FIRST_TRY);
      } catch (error) {
        if (signal.aborted) return;
        const fault = faultOf(error);
        isLost = fault.code === "MAILBOX_NO_QUEUE";
        this.#tell(fault);
      } finally {
        round.abort();
        await Promise.allSettled(this.#running.values());
      }
      this.#due.clear();
      await this.#bell.pause(isLost ? REFUSED : wait, signal);
    }
  }

  /** As long as the mailbox can be reached. */
  async #round(signal: AbortSignal, isWell: () => void): Promise<void> {
    const broken = Promise.withResolvers<never>();
    broken.promise.catch(() => {});
    while (!signal.aborted) {
      const rung = this.#bell.count;
      // Whoever asks for many queues that are not there is taken for one who guesses.
      let missing = 0;
      for (const queue of this.#parts.queues.list().filter(({ mailbox }) => mailbox === this.#mailbox)) {
        const key = queue.rid.toHex();
        if (this.#parts.now() < (this.#due.get(key) ?? 0)) continue;
        this.#due.set(key, this.#parts.now() + REFRESH);
        try {
          const prepared = await this.#prepared(queue, signal);
          if (this.#running.has(key)) continue;
          const listening = this.#listen(prepared, signal).catch(broken.reject);
          this.#running.set(key, listening.finally(() => this.#running.delete(key)));
        } catch (error) {
          this.#refused(queue, error);
          if ((error as AlknetError).code === "MAILBOX_NO_QUEUE" && ++missing >= MOST_MISSING) {
            throw new AlknetError(
              "MAILBOX_NO_QUEUE",
              `mailbox ${this.#mailbox} has lost our queues, or has another disk`,
            );
          }
        }
      }
      isWell();
      this.#told.delete("");
      const next = Math.min(...this.#due.values(), this.#parts.now() + REFRESH) - this.#parts.now();
      await Promise.race([broken.promise, this.#bell.wait(Math.max(next, FIRST_TRY), signal, rung)]);
    }
  }

  /** A queue that is made, with keys enough. */
  async #prepared(queue: OwnQueue, signal: AbortSignal): Promise<OwnQueue> {
    const stop = { signal: AbortSignal.any([signal, AbortSignal.timeout(PREPARING)]) };
    const renewed = await renewedQueue(this.#parts, queue, stop);
    if (renewed.received.messages > 0) this.#listener.came(queue, "message");
    const fresh = await freshQueue(this.#parts, await madeQueue(this.#parts, renewed.queue, stop), stop);
    if (fresh.wasDrained && queue.token !== undefined) this.#listener.fault(drained());
    return fresh.queue;
  }

  /** Listens to one, until another reader takes over. */
  async #listen(queue: OwnQueue, signal: AbortSignal): Promise<void> {
    const { carrier } = this.#parts;
    const key = queue.rid.toHex();
    try {
      if (carrier.listen) {
        for await (const arrival of carrier.listen(readerOf(queue), { signal })) {
          const outcome = takeIn(this.#parts, queue, arrival);
          await arrival.ack();
          this.#listener.came(queue, outcome);
        }
      } else if ((await receive(this.#parts, queue, { signal })).messages > 0) this.#listener.came(queue, "message");
      this.#due.set(key, this.#parts.now() + TAKEN_OVER);
    } catch (error) {
      this.#refused(queue, error);
    }
    this.#bell.ring();
  }

  /** Where a mailbox refuses something of one queue, the others go on. */
  #refused({ rid }: OwnQueue, error: unknown): void {
    if (!(error instanceof AlknetError)) throw error;
    const { code } = error;
    if (!code.startsWith("MAILBOX_") || code === "MAILBOX_AWAY") throw error;
    this.#due.set(rid.toHex(), this.#parts.now() + (code === "MAILBOX_RATE" ? TOO_OFTEN : REFUSED));
    if (code !== "MAILBOX_RATE") this.#tell(error, code);
  }

  #tell(fault: AlknetError, what = ""): void {
    if (this.#told.has(what)) return;
    this.#told.add(what);
    this.#listener.fault(fault);
  }
}

/** Why a mailbox cannot be listened to. What is wrong here is thrown. */
function faultOf(error: unknown): AlknetError {
  const isTime = (error as Error).name === "TimeoutError";
  if (!isTime && !(error instanceof AlknetError)) throw error;
  const fault = asFault(error);
  if (fault.code === "MESSAGE_STORE" || fault.code === "DISK_FULL") throw fault;
  return fault;
}

function drained(): AlknetError {
  return new AlknetError(
    "KEYS_DRAINED",
    "the keys for one use of a token had run out, so that first messages were sealed without; there are new ones. Many " +
      "wrote, or somebody who has the token takes them",
  );
}
