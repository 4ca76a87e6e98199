/**
 * Grants: who may read or push one blob, beside those whose scopes let them do so with all.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { createHash } from "node:crypto";
import type { Hash } from "../wire/hash_text.ts";

/** Whom a grant is for: everybody, an identity of the node's configuration, or whoever has proven a key. */
export type Subject = "anyone" | `id:${string}` | `key:${string}`;

/** The subject of a grant whose secret was not redeemed. */
export const SEALED = "secret";

/** What a grant allows: to read a blob and what it lists, or to push them. */
export type GrantAction = "read" | "push";

/** A grant to be made. */
export interface NewGrant {
  /** The blob. */
  readonly hash: Hash;
  /** What it allows. Default `read`. */
  readonly action?: GrantAction;
  /** Most bytes of a push, with what the blob lists; absent: as many as the quota of the owner takes. */
  readonly bytes?: number;
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

/** A grant for whoever redeems its secret first. */
export interface SecretGrant {
  /** Names it: 64 hex digits. */
  readonly id: string;
  /** What is redeemed, 32 bytes; it is not kept, and not told again. */
  readonly secret: Uint8Array;
}

/** Keeps grants. */
export interface Grants {
  /** Makes a grant, or finds the one that says the same. */
  grant(grant: NewGrant): Promise<Grant>;
  /** Makes a grant that nobody has until its secret is redeemed. Of the secret its SHA-256 is kept, which names the grant. */
  grantSecret(grant: Omit<NewGrant, "subject">): Promise<SecretGrant>;
  /**
   * Gives a grant to whoever has its secret; again to the same key.
   *
   * @param key Fingerprint of the key that has it from then on.
   * @throws {AlknetError} `GRANT_EXPIRED`: it has ended, was redeemed by another key, or there is none.
   */
  redeem(secret: Uint8Array, key: string): Promise<Grant>;
  /**
   * Takes a grant away.
   *
   * @param may Whether it may be, by whoever asks.
   * @throws {AlknetError} `GRANT_EXPIRED`: there is none, or it may not.
   */
  revoke(id: string, may: (owner: string | undefined) => boolean): Promise<void>;
  /**
   * Whether one of these has a grant to read the blob, or a sequence that is known to list it, that has not ended. A lookup,
   * whatever is stored.
   */
  mayRead(hash: Hash, subjects: readonly Subject[]): Promise<boolean>;
  /**
   * The grant by which one of these may push the blob, that has not ended; of several the one that takes most. What a blob
   * lists goes with a push of the blob itself. A lookup, whatever is stored.
   */
  mayPush(hash: Hash, subjects: readonly Subject[]): Promise<PushGrant | undefined>;
}

/** What a grant to push says. */
export interface PushGrant {
  /** Most bytes; absent: no limit of its own. */
  readonly bytes?: number;
  /** Who granted it, in whose quota the blob is counted. */
  readonly owner?: string;
}

/** `GRANT_EXPIRED`. */
export function noGrant(): AlknetError {
  return new AlknetError("GRANT_EXPIRED", "the grant has ended, is another's, or there is none");
}

/** The id of a grant by its secret. */
export function idOfSecret(secret: Uint8Array): string {
  return createHash("sha256").update(secret).digest("hex");
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
    const there = all.find((one) =>
      one.subject === wanted.subject && one.expires === wanted.expires && isPush(one) === isPush(wanted) &&
      one.bytes === wanted.bytes
    );
    if (there) return Promise.resolve(there);
    const made = { ...wanted, id: grantId() };
    this.#grants.set(wanted.hash, [...all, made]);
    return Promise.resolve(made);
  }

  grantSecret(wanted: Omit<NewGrant, "subject">): Promise<SecretGrant> {
    const secret = crypto.getRandomValues(new Uint8Array(32));
    const id = idOfSecret(secret);
    // No asker is this subject, and so it gives no right.
    const made = { ...wanted, id, subject: SEALED as Subject };
    this.#grants.set(wanted.hash, [...this.#grants.get(wanted.hash) ?? [], made]);
    return Promise.resolve({ id, secret });
  }

  // Async, so that it rejects rather than throws.
  // deno-lint-ignore require-await
  async redeem(secret: Uint8Array, key: string): Promise<Grant> {
    const [all, at] = this.#find(idOfSecret(secret));
    const { subject, expires = Infinity } = all[at];
    if (expires <= Date.now() / 1000 || ![SEALED, `key:${key}`].includes(subject)) throw noGrant();
    return all[at] = { ...all[at], subject: `key:${key}` };
  }

  // deno-lint-ignore require-await
  async revoke(id: string, may: (owner: string | undefined) => boolean): Promise<void> {
    const [all, at] = this.#find(id);
    if (!may(all[at].owner)) throw noGrant();
    all.splice(at, 1);
  }

  #find(id: string): [all: Grant[], at: number] {
    for (const all of this.#grants.values()) {
      const at = all.findIndex((one) => one.id === id);
      if (at >= 0) return [all, at];
    }
    throw noGrant();
  }

  mayRead(hash: Hash, subjects: readonly Subject[]): Promise<boolean> {
    const now = Date.now() / 1000;
    const all = [hash, ...this.#rootsOf(hash)].flatMap((one) => this.#grants.get(one) ?? []);
    return Promise.resolve(
      all.some((one) => !isPush(one) && subjects.includes(one.subject) && (one.expires ?? Infinity) > now),
    );
  }

  mayPush(hash: Hash, subjects: readonly Subject[]): Promise<PushGrant | undefined> {
    const now = Date.now() / 1000;
    const found = (this.#grants.get(hash) ?? []).filter((one) =>
      isPush(one) && subjects.includes(one.subject) && (one.expires ?? Infinity) > now
    );
    const [best] = found.sort((one, other) => (other.bytes ?? Infinity) - (one.bytes ?? Infinity) || 0);
    return Promise.resolve(best && { bytes: best.bytes, owner: best.owner });
  }
}

function isPush({ action }: NewGrant): boolean {
  return action === "push";
}
