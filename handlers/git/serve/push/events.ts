/**
 * Pushes that are done, for those who follow: each gets all, in the order in which refs moved, at its own pace.
 *
 * @module
 */
import type { Push } from "./hooks.ts";

/** A push that is done: the refs that have moved. */
export interface PushEvent extends Omit<Push, "objects" | "front"> {
  /** When. */
  readonly at: Date;
}

/** What of events may wait for one who follows, in bytes, about; who is slower than that is let go. */
const MOST_WAITING = 16 * 1024 * 1024;
/** Bytes of an event and of a ref in it, beside texts. */
const EVENT = 500;
const REF = 200;

interface Follower {
  readonly waiting: { readonly event: PushEvent; readonly size: number }[];
  size: number;
  slow: boolean;
  wake(): void;
}

/** Tells of pushes, and waits for nobody. */
export class PushEvents {
  readonly #followers = new Set<Follower>();

  /** Whether anybody follows. */
  get followed(): boolean {
    return this.#followers.size > 0;
  }

  /** Tells everybody who follows. */
  publish(event: PushEvent): void {
    if (!this.followed) return;
    const size = sizeOf(event);
    for (const follower of this.#followers) {
      // One event alone may be as large as it is.
      follower.slow ||= follower.waiting.length > 0 && follower.size + size > MOST_WAITING;
      if (!follower.slow) {
        follower.waiting.push({ event, size });
        follower.size += size;
      }
      follower.wake();
    }
  }

  /**
   * Follows, from this call on, until the signal. It ends with `slow` where too many events wait.
   *
   * @param slow What is thrown then.
   */
  follow(signal: AbortSignal, slow: () => Error): AsyncIterableIterator<PushEvent, void, void> {
    const follower: Follower = { waiting: [], size: 0, slow: false, wake: () => {} };
    const leave = (): void => {
      signal.removeEventListener("abort", leave);
      this.#followers.delete(follower);
      follower.wake();
    };
    if (!signal.aborted) this.#followers.add(follower);
    signal.addEventListener("abort", leave);
    return eventsOf(follower, signal, leave, slow);
  }
}

function sizeOf({ updates, options }: PushEvent): number {
  const texts = [...updates.map(({ name }) => name), ...options];
  return texts.reduce((sum, { length }) => sum + length * 2, EVENT + updates.length * REF);
}

async function* eventsOf(
  follower: Follower,
  signal: AbortSignal,
  leave: () => void,
  slow: () => Error,
): AsyncIterableIterator<PushEvent, void, void> {
  try {
    while (!signal.aborted) {
      const next = follower.waiting.shift();
      if (next) {
        follower.size -= next.size;
        yield next.event;
      } else if (follower.slow) throw slow();
      else await new Promise<void>((resolve) => follower.wake = resolve);
    }
  } finally {
    leave();
  }
}
