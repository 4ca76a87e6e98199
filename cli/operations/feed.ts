/**
 * Values for everyone who follows, each at its own pace: who is slow misses some, and is told how many.
 *
 * @module
 */

/** A value, and how many before it this follower missed. */
export interface FeedItem<T> {
  /** What was published. */
  readonly value: T;
  /** Values that were published after the item before this one and are lost to this follower. */
  readonly missed: number;
}

/** Options of {@linkcode Feed}. */
export interface FeedOptions {
  /** Past values kept for those who come later. Default 0. */
  readonly keep?: number;
  /** Values that wait for one follower; beyond that the oldest are dropped. Default 1000. */
  readonly backlog?: number;
}

interface Follower<T> {
  readonly waiting: FeedItem<T>[];
  missed: number;
  wake: () => void;
}

/** Publishes to its followers and never waits for one. */
export class Feed<T> {
  readonly #keep: number;
  readonly #backlog: number;
  readonly #recent: T[] = [];
  readonly #followers = new Set<Follower<T>>();

  /** @param options How much is kept. */
  constructor({ keep = 0, backlog = 1000 }: FeedOptions = {}) {
    this.#keep = keep;
    this.#backlog = backlog;
  }

  /** How many follow. */
  get followers(): number {
    return this.#followers.size;
  }

  /** Gives a value to everyone who follows. */
  publish(value: T): void {
    this.#recent.push(value);
    if (this.#recent.length > this.#keep) this.#recent.shift();
    for (const follower of this.#followers) this.#give(follower, value);
  }

  /**
   * Follows, from this call on, until the signal.
   *
   * @param recent Past values to begin with, at most as many as are kept.
   */
  follow(signal: AbortSignal, recent = 0): AsyncIterableIterator<FeedItem<T>, void, void> {
    const follower: Follower<T> = { waiting: [], missed: 0, wake: () => {} };
    if (recent > 0) { for (const value of this.#recent.slice(-recent)) follower.waiting.push({ value, missed: 0 }); }
    // All of this before the generator's first step: what is published until then counts, and it may never come to one.
    const leave = (): void => {
      signal.removeEventListener("abort", leave);
      this.#followers.delete(follower);
      follower.wake();
    };
    if (!signal.aborted) this.#followers.add(follower);
    signal.addEventListener("abort", leave);
    return items(follower, signal, leave);
  }

  #give(follower: Follower<T>, value: T): void {
    const { waiting } = follower;
    if (waiting.length >= this.#backlog) {
      const [{ missed }] = waiting.splice(0, 1);
      if (waiting.length > 0) waiting[0] = { ...waiting[0], missed: waiting[0].missed + missed + 1 };
      else follower.missed += missed + 1;
    }
    waiting.push({ value, missed: follower.missed });
    follower.missed = 0;
    follower.wake();
  }
}

async function* items<T>(
  follower: Follower<T>,
  signal: AbortSignal,
  leave: () => void,
): AsyncIterableIterator<FeedItem<T>, void, void> {
  try {
    while (!signal.aborted) {
      const item = follower.waiting.shift();
      if (item) yield item;
      else await new Promise<void>((resolve) => follower.wake = resolve);
    }
  } finally {
    leave();
  }
}
