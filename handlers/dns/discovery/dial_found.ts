/**
 * Dialling what was found: one address after the other, the next while the last is still silent, until one is the node.
 *
 * @module
 */
import type { Found } from "./discover.ts";

/** Options of {@linkcode dialFound}. */
export interface DialFoundOptions<T> {
  /**
   * One attempt, which pins the node's key; its signal is aborted when another has won.
   *
   * @param address `HOST:PORT`.
   */
  readonly attempt: (address: string, signal: AbortSignal) => Promise<T>;
  /**
   * Addresses to dial in place of one that was found; none, where it is not to be dialled.
   */
  readonly allowed: (address: string, source: Found["source"]) => Promise<readonly string[]>;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Waits so many milliseconds; rejects when the signal aborts. */
  readonly wait: (milliseconds: number, signal: AbortSignal) => Promise<void>;
}

/** What came of it where nothing could be reached. */
export interface NotReached {
  /** Addresses that are not to be dialled. */
  readonly skipped: number;
  /** What became of each attempt. */
  readonly failures: readonly unknown[];
}

/** Milliseconds before the next address is tried beside those that have not answered (RFC 8305 §5). */
const ATTEMPT_DELAY = 250;
/** Addresses that are dialled in all. */
const MAX_ATTEMPTS = 64;

/**
 * Dials what is found as it comes; what a newer packet says takes the place of what was not tried yet.
 *
 * @param find What is found; its signal is aborted when nothing more is asked.
 * @returns The first connection, or what became of all. Throws the reason of the signal.
 */
export async function dialFound<T extends AsyncDisposable>(
  find: (signal: AbortSignal) => AsyncIterable<Found>,
  { attempt, allowed, signal, wait }: DialFoundOptions<T>,
): Promise<T | NotReached> {
  const stop = new AbortController();
  const ended = AbortSignal.any([signal, stop.signal]);
  const tried = new Set<string>();
  const failures: unknown[] = [];
  const running = new Set<Promise<void>>();
  const won = Promise.withResolvers<T>();
  let untried: string[] = [];
  let newest = -1n;
  let skipped = 0;
  let hasWon = false;
  let news = Promise.withResolvers<void>();
  const tell = (): void => {
    news.resolve();
    news = Promise.withResolvers();
  };
  const start = (address: string): void => {
    tried.add(address);
    const one = attempt(address, ended).then(async (connection) => {
      if (hasWon) return await connection[Symbol.asyncDispose]();
      hasWon = true;
      won.resolve(connection);
    }, (error) => {
      failures.push(error);
    }).finally(() => {
      running.delete(one);
      tell();
    });
    running.add(one);
  };
  let isDone = false;
  const reading = (async () => {
    for await (const { addresses, source, timestamp } of find(ended)) {
      if (timestamp !== undefined && timestamp < newest) continue;
      const good: string[] = [];
      for (const address of addresses) {
        const dialled = await allowed(address, source);
        if (dialled.length === 0) skipped++;
        good.push(...dialled);
      }
      // What nobody has signed takes the place of nothing.
      const isNewer = timestamp !== undefined && timestamp > newest;
      untried = isNewer ? good : [...untried, ...good];
      if (isNewer) newest = timestamp;
      tell();
    }
  })().finally(() => {
    isDone = true;
    tell();
  });
  ended.addEventListener("abort", tell, { once: true });
  try {
    while (!hasWon) {
      signal.throwIfAborted();
      const { promise } = news;
      untried = untried.filter((address) => !tried.has(address));
      const next = tried.size < MAX_ATTEMPTS ? untried.shift() : undefined;
      if (next !== undefined) {
        const failed = failures.length;
        start(next);
        const pause = new AbortController();
        // The next one, when this one is silent for long or has failed.
        const later = wait(ATTEMPT_DELAY, AbortSignal.any([ended, pause.signal])).catch(() => {});
        while (!hasWon && !ended.aborted && failures.length === failed) {
          const ready = await Promise.race([later.then(() => true), news.promise.then(() => false)]);
          if (ready) break;
        }
        pause.abort();
      } else if (isDone && running.size === 0) return { skipped, failures };
      else await promise;
    }
    return await won.promise;
  } finally {
    stop.abort();
    await reading.catch(() => {});
    // Nothing is left open.
    await Promise.all(running);
  }
}
