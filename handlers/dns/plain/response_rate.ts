/**
 * How often the same answer goes to one address group over UDP, where anybody may write any address as theirs: what is
 * more is cut short or dropped by turns, so that nobody is flooded through us and who really asks comes back by TCP.
 *
 * @module
 */
import { RecentMap } from "@alknet/core/handler";

/** What becomes of an answer. */
export type Verdict = "whole" | "short" | "none";

/** Answers of one kind to one address group a second. */
const PER_SECOND = 5;

interface Kind {
  left: number;
  at: number;
  surplus: number;
}

/** Options of {@linkcode ResponseRate}. */
export interface ResponseRateOptions {
  /** Kinds that are remembered; the oldest go. */
  readonly entries: number;
  /** Milliseconds that only go forward. Default `performance.now`. */
  readonly now?: () => number;
}

/** Judges answers by what they are and to whom. */
export class ResponseRate {
  readonly #now: () => number;
  readonly #kinds: RecentMap<string, Kind>;

  /** @param options What it remembers. */
  constructor({ entries, now = () => performance.now() }: ResponseRateOptions) {
    this.#now = now;
    this.#kinds = new RecentMap({ most: entries });
  }

  /**
   * What becomes of one more.
   *
   * @param group To whom.
   * @param kind What it says: its code, and the name, or the zone where there is nothing to be said of the name.
   */
  judge(group: string, kind: string): Verdict {
    const key = `${group} ${kind}`;
    const now = this.#now();
    let entry = this.#kinds.get(key);
    if (!entry) this.#kinds.set(key, entry = { left: PER_SECOND, at: now, surplus: 0 });
    entry.left = Math.min(PER_SECOND, entry.left + (now - entry.at) / 1000 * PER_SECOND);
    entry.at = now;
    if (entry.left >= 1) {
      entry.left--;
      entry.surplus = 0;
      return "whole";
    }
    return entry.surplus++ % 2 === 0 ? "short" : "none";
  }
}
