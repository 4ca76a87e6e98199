/**
 * Keys that were derived a short while ago.
 *
 * @module
 */
import type { SharedPublicKey } from "./derived_key.ts";
import type { KeyAndChain } from "./hmac.ts";
import { redact, wipe } from "../secret_bytes.ts";

/** One key of a cache. */
export interface CachedKey {
  /** The path it was derived by, in its one spelling. */
  readonly path: string;
  /** 64 bytes that belong to the cache, which wipes them. */
  readonly secret: KeyAndChain;
  /** Shared by the cached key and its copies. */
  readonly publicKey: SharedPublicKey;
}

interface Entry {
  readonly name: string;
  readonly key: CachedKey;
  readonly expires: number;
}

/** Settings of a {@linkcode KeyCache}. */
export interface KeyCacheOptions {
  /** Most keys held; at least 1. */
  readonly entries: number;
  /** How long a key is held after it was derived, in milliseconds. */
  readonly lifetime: number;
  /** The clock, in milliseconds. */
  readonly now: () => number;
}

/**
 * Keys by name; the one used least recently goes first. What leaves is overwritten with zeros.
 *
 * There is no timer, which would keep a program alive: keys past their lifetime are wiped at the next use of the cache,
 * whichever key that is for.
 */
export class KeyCache {
  /** In order of use, the one used last at the end. */
  readonly #entries = new Map<string, Entry>();
  readonly #options: KeyCacheOptions;
  /** The entry used last, which needs no moving to the end. */
  #last?: Entry;
  /** No entry expires before this. */
  #nextExpiry = Infinity;

  /**
   * An empty cache.
   *
   * @throws {RangeError} Settings out of range. A cache of no entries would wipe each key before its first use.
   */
  constructor(options: KeyCacheOptions) {
    if (!(Number.isInteger(options.entries) && options.entries >= 1)) {
      throw new RangeError(`a cache of keys has 1 entry or more, not ${options.entries}`);
    }
    if (!(options.lifetime > 0)) {
      throw new RangeError(`a cached key lives longer than 0 ms, not ${options.lifetime}`);
    }
    this.#options = { ...options };
  }

  static {
    redact(this.prototype);
  }

  /** The key of that name, if it is held. It stays the cache's own: copy what outlives this turn. */
  get(name: string): CachedKey | undefined {
    if (this.#options.now() >= this.#nextExpiry) this.#expire();
    if (this.#last?.name === name) return this.#last.key;
    const entry = this.#entries.get(name);
    if (!entry) return undefined;
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    this.#last = entry;
    return entry.key;
  }

  /** Holds a key, which becomes the cache's own. */
  put(name: string, key: CachedKey): void {
    const now = this.#options.now();
    if (now >= this.#nextExpiry) this.#expire();
    this.#remove(name);
    const entry: Entry = { name, key, expires: now + this.#options.lifetime };
    this.#entries.set(name, entry);
    this.#last = entry;
    this.#nextExpiry = Math.min(this.#nextExpiry, entry.expires);
    // Iteration is in order of use, and `entry` stands last.
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#options.entries) break;
      this.#remove(oldest);
    }
  }

  /** Wipes every key. */
  clear(): void {
    for (const { key } of this.#entries.values()) wipe(key.secret);
    this.#entries.clear();
    this.#last = undefined;
    this.#nextExpiry = Infinity;
  }

  #expire(): void {
    const now = this.#options.now();
    this.#nextExpiry = Infinity;
    for (const { name, expires } of this.#entries.values()) {
      if (expires <= now) this.#remove(name);
      else this.#nextExpiry = Math.min(this.#nextExpiry, expires);
    }
  }

  #remove(name: string): void {
    const entry = this.#entries.get(name);
    if (!entry) return;
    wipe(entry.key.secret);
    this.#entries.delete(name);
    if (this.#last === entry) this.#last = undefined;
  }
}
