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

/** Events that wait for one who follows; who is slower than that is let go. */
const MOST_WAITING = 10_000;

interface Follower {
  readonly waiting: PushEvent[];
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
    for (const follower of this.#followers) {
      if (follower.waiting.length < MOST_WAITING) follower.waiting.push(event);
      else follower.slow = true;
      follower.wake();
    }
  }

  /**
   * Follows, from this call on, until the signal. It ends with `slow` where too many events wait.
   *
   * @param slow What is thrown then.
   */
  follow(signal: AbortSignal, slow: () => Error): AsyncIterableIterator<PushEvent, void, void> {
    const follower: Follower = { waiting: [], slow: false, wake: () => {} };
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

async function* eventsOf(
  follower: Follower,
  signal: AbortSignal,
  leave: () => void,
  slow: () => Error,
): AsyncIterableIterator<PushEvent, void, void> {
  try {
    while (!signal.aborted) {
      const event = follower.waiting.shift();
      if (event) yield event;
      else if (follower.slow) throw slow();
      else await new Promise<void>((resolve) => follower.wake = resolve);
    }
  } finally {
    leave();
  }
}
