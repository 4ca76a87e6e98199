/**
 * Answers of upstreams, by question and what else changes them: DO and CD. No answer serves another question.
 *
 * What is over is still kept for a day, for when nobody answers (RFC 8767). Memory is bounded in bytes, and what was not
 * asked for in the longest time goes first.
 *
 * @module
 */
import type { Message } from "../codec/types.ts";
import type { Kept } from "./reply.ts";

/** What is known of a question. Times are milliseconds that only go forward. */
export interface Entry {
  /** The answer; absent: it failed. */
  readonly kept?: Kept;
  /** When it came. */
  readonly at: number;
  /** Until when it is the answer. */
  readonly until: number;
  /** When it is asked for again, which is done once; and for what is over, not before. */
  askAgainAt: number;
}

/**
 * Bytes that an entry costs beside its own: objects, buffers of their own, the place in the map, and what a heap of many
 * such has to spare; as a process weighs that holds a hundred thousand.
 */
const ENTRY_COST = 1500;
/** What is left of a full cache, from 0 to 1. */
const KEPT = 0.9;
/** Bytes of the place of a TTL. */
const TTL_COST = 8;

/** The key of a query, by which equal ones are found. */
export function questionKey({ question, flags, edns }: Message): string {
  return `${question!.type} ${edns?.dnssecOk ? 1 : 0}${flags.cd ? 1 : 0} ${question!.name.key}`;
}

/** The cache. */
export class ForwardCache {
  readonly #limit: number;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  /** @param limit Bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many questions it knows. */
  get size(): number {
    return this.#entries.size;
  }

  /** What it takes of memory, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What is known of a question. */
  get(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry;
  }

  /** Keeps what is known of a question now. */
  set(key: string, entry: Entry): void {
    this.delete(key);
    this.#entries.set(key, entry);
    this.#bytes += cost(key, entry);
    if (this.#bytes <= this.#limit) return;
    // Many at once: a map remembers the places of what was deleted, and whoever looks for its first entry passes them all.
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= KEPT * this.#limit) break;
      this.delete(oldest);
    }
  }

  /** Forgets a question. */
  delete(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= cost(key, entry);
  }

  /**
   * Forgets all, or what was asked of a name and of those below it.
   *
   * @param nameKey The key of the name.
   * @returns How many were forgotten.
   */
  flush(nameKey = ""): number {
    const before = this.#entries.size;
    for (const key of [...this.#entries.keys()]) {
      if (key.slice(key.indexOf(" ", key.indexOf(" ") + 1) + 1).startsWith(nameKey)) this.delete(key);
    }
    return before - this.#entries.size;
  }
}

function cost(key: string, { kept }: Entry): number {
  return ENTRY_COST + 2 * key.length + (kept ? kept.bytes.byteLength + TTL_COST * kept.ttls.length : 0);
}
