/**
 * Grants: who may read one blob, beside those whose scopes let them read all.
 *
 * @module
 */
import type { Hash } from "../wire/hash_text.ts";

/** Whom a grant is for: everybody, an identity of the node's configuration, or whoever has proven a key. */
export type Subject = "anyone" | `id:${string}` | `key:${string}`;

/** A grant to be made. */
export interface NewGrant {
  /** The blob. */
  readonly hash: Hash;
  /** For whom. */
  readonly subject: Subject;
  /** When it ends, Unix seconds; absent: never. */
  readonly expires?: number;
  /** Who grants. */
  readonly owner?: string;
}

/** A grant that was made. */
export interface Grant extends NewGrant {
  /** Names it: 64 hex digits. */
  readonly id: string;
}

/** Keeps grants. */
export interface Grants {
  /** Makes a grant, or finds the one that says the same. */
  grant(grant: NewGrant): Promise<Grant>;
  /**
   * Whether one of these has a grant to read the blob, or a sequence that is known to list it, that has not ended. A lookup,
   * whatever is stored.
   */
  mayRead(hash: Hash, subjects: readonly Subject[]): Promise<boolean>;
}

/** A fresh id. */
export function grantId(): string {
  return crypto.getRandomValues(new Uint8Array(32)).toHex();
}

/** Grants in memory. */
export class MemoryGrants implements Grants {
  readonly #grants = new Map<Hash, Grant[]>();
  readonly #rootsOf: (child: Hash) => Iterable<Hash>;

  /** @param rootsOf The sequences that are known to list a blob. */
  constructor(rootsOf: (child: Hash) => Iterable<Hash> = () => []) {
    this.#rootsOf = rootsOf;
  }

  grant(wanted: NewGrant): Promise<Grant> {
    const all = this.#grants.get(wanted.hash) ?? [];
    const there = all.find((one) => one.subject === wanted.subject && one.expires === wanted.expires);
    if (there) return Promise.resolve(there);
    const made = { ...wanted, id: grantId() };
    this.#grants.set(wanted.hash, [...all, made]);
    return Promise.resolve(made);
  }

  mayRead(hash: Hash, subjects: readonly Subject[]): Promise<boolean> {
    const now = Date.now() / 1000;
    const all = [hash, ...this.#rootsOf(hash)].flatMap((one) => this.#grants.get(one) ?? []);
    return Promise.resolve(all.some(({ subject, expires = Infinity }) => subjects.includes(subject) && expires > now));
  }
}
