/**
 * What was refused to whom: counted, and told of in one line an address group, reason and minute. No line holds a name that
 * somebody asked for.
 *
 * @module
 */
import { type Logger, RecentMap } from "@alknet/core/handler";
import { type DnsCaller, groupOf } from "../caller.ts";

/** Why something is refused; stable words for logs and counters. */
export type RefusalReason =
  | "query-rate"
  | "negative-rate"
  | "recursion-rate"
  | "publish-rate"
  | "bad-packet"
  | "in-flight"
  | "protocol"
  | "transfer";

/** Options of {@linkcode Refusals}. */
export interface RefusalsOptions {
  /** Address groups and reasons that are remembered; the oldest go. */
  readonly entries: number;
  /** Milliseconds that only go forward. */
  readonly now: () => number;
  /** Gets the lines. */
  readonly log?: Logger;
}

const MINUTE = 60_000;

/** Refusals of a node. */
export class Refusals {
  /** How many so far, by reason. */
  readonly counts: Map<string, number> = new Map();
  readonly #options: RefusalsOptions;
  /** When a line was written. */
  readonly #told: RecentMap<string, number>;

  /** @param options What it remembers, and where it tells. */
  constructor(options: RefusalsOptions) {
    this.#options = options;
    this.#told = new RecentMap({ most: options.entries });
  }

  /** Counts a refusal, and tells of it where that was not done in this minute. */
  add(caller: DnsCaller, reason: RefusalReason): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
    const key = `${reason} ${groupOf(caller)}`;
    const now = this.#options.now();
    const told = this.#told.get(key);
    if (told !== undefined && now - told < MINUTE) return;
    this.#told.set(key, now);
    const { front: proto } = caller;
    // Nobody is to be banned for what others write as their address.
    const src = caller.unproven ? "-" : caller.address;
    this.#options.log?.warn("refused src={src} reason={reason} proto={proto}", { src, reason, proto });
  }
}
