/**
 * Watching what is there of a blob.
 *
 * @module
 */
import type { Hash } from "../wire/hash_text.ts";
import type { BlobStatus } from "./blob_store.ts";

/** Milliseconds between two looks: at what this process changes, and at what others may. */
const QUICK = 100;
const SLOW = 250;

/** Who changes what, as far as it is this process. */
export class Changes {
  readonly #running = new Map<Hash, number>();

  /** Says that a blob changes until the result is disposed of. */
  during(hash: Hash): Disposable {
    this.#running.set(hash, (this.#running.get(hash) ?? 0) + 1);
    return {
      [Symbol.dispose]: () => {
        const left = this.#running.get(hash)! - 1;
        if (left === 0) this.#running.delete(hash);
        else this.#running.set(hash, left);
      },
    };
  }

  /** A state, and then each that differs from the one before, until the signal. */
  async *observe(status: () => Promise<BlobStatus>, hash: Hash, signal: AbortSignal): AsyncGenerator<BlobStatus> {
    let last: BlobStatus | undefined;
    while (!signal.aborted) {
      const now = await status();
      if (!last || !isSame(last, now)) yield last = now;
      await pause(this.#running.has(hash) ? QUICK : SLOW, signal);
    }
  }
}

function isSame(one: BlobStatus, other: BlobStatus): boolean {
  return one.state === other.state && one.size === other.size && one.have.length === other.have.length &&
    one.have.every((at, i) => at === other.have[i]);
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  const end = (): void => resolve();
  signal.addEventListener("abort", end, { once: true });
  try {
    if (!signal.aborted) await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", end);
  }
}
