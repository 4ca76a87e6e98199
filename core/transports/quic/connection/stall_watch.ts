/**
 * Notices when writers wait for room in their connection's account and the peer takes nothing.
 *
 * @module
 */
import { clearTimeout, setTimeout } from "node:timers";

/** Milliseconds without a byte taken after which something is cut. */
const STALLED = 30_000;

/** What the watch asks and does. */
export interface StallWatchParts {
  /** Whether writers wait for room. */
  stands(): boolean;
  /** Makes room. */
  cut(): void;
}

/** A clock that runs while an account is empty. */
export class StallWatch {
  readonly #parts: StallWatchParts;
  readonly #after: number;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param parts What it asks and does.
   * @param after Milliseconds without a byte taken.
   */
  constructor(parts: StallWatchParts, after: number = STALLED) {
    this.#parts = parts;
    this.#after = after;
  }

  /** The account is empty: the time begins, unless it runs. */
  watch(): void {
    this.#timer ??= setTimeout(() => this.#passed(), this.#after);
  }

  /** The peer took something: the time begins anew. */
  moved(): void {
    if (!this.#timer) return;
    if (this.#parts.stands()) this.#timer.refresh();
    else this.end();
  }

  /** Nothing is to be watched any more. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #passed(): void {
    this.#timer = undefined;
    if (!this.#parts.stands()) return;
    this.#parts.cut();
    this.watch();
  }
}
