/**
 * Grants in the database of a store.
 *
 * @module
 */
import type { Hash } from "../../../wire/hash_text.ts";
import {
  type Grant,
  grantId,
  type Grants,
  idOfSecret,
  type NewGrant,
  noGrant,
  type PushGrant,
  SEALED,
  type SecretGrant,
  type Subject,
} from "../../grants.ts";
import type { StoreDatabase } from "./database.ts";

const ACTION = { read: 1, push: 2 } as const;

interface GrantRow {
  readonly subject: string;
  readonly action: number;
  readonly bytes: number | null;
  readonly hash: Uint8Array;
  readonly expires: number;
  readonly owner: string | null;
}

/** Keeps grants in the database. */
export class DiskGrants implements Grants {
  readonly #database: StoreDatabase;

  /** @param database That of the store; it is not closed here. */
  constructor(database: StoreDatabase) {
    this.#database = database;
  }

  // Async, so that a fault of the database rejects rather than throws.
  // deno-lint-ignore require-await
  async grant(wanted: NewGrant): Promise<Grant> {
    const { subject, expires = 0, action = "read", bytes = null } = wanted;
    return this.#database.transaction(() => {
      const there = this.#database.get<{ id: Uint8Array }>(
        "SELECT id FROM grants WHERE hash=? AND subject=? AND action=? AND expires=? AND bytes IS ?",
        Uint8Array.fromHex(wanted.hash),
        subject,
        ACTION[action],
        expires,
        bytes,
      );
      if (there) return { ...wanted, id: there.id.toHex() };
      const id = grantId();
      this.#insert(id, subject, wanted);
      return { ...wanted, id };
    });
  }

  // deno-lint-ignore require-await
  async grantSecret(wanted: Omit<NewGrant, "subject">): Promise<SecretGrant> {
    const secret = crypto.getRandomValues(new Uint8Array(32));
    const id = idOfSecret(secret);
    this.#database.transaction(() => this.#insert(id, SEALED, wanted));
    return { id, secret };
  }

  // deno-lint-ignore require-await
  async redeem(secret: Uint8Array, key: string): Promise<Grant> {
    const id = idOfSecret(secret);
    const subject: Subject = `key:${key}`;
    return this.#database.transaction(() => {
      const { subject: before, hash, action, bytes, expires, owner } = this.#find(id);
      const isOver = expires !== 0 && expires <= Date.now() / 1000;
      if (isOver || (before !== SEALED && before !== subject)) throw noGrant();
      if (before === SEALED) {
        this.#database.run("UPDATE grants SET subject=? WHERE id=?", subject, Uint8Array.fromHex(id));
      }
      return {
        id,
        hash: hash.toHex(),
        subject,
        ...action === ACTION.push && { action: "push" as const },
        ...bytes !== null && { bytes },
        ...expires !== 0 && { expires },
        ...owner !== null && { owner },
      };
    });
  }

  // deno-lint-ignore require-await
  async revoke(id: string, may: (owner: string | undefined) => boolean): Promise<void> {
    this.#database.transaction(() => {
      if (!may(this.#find(id).owner ?? undefined)) throw noGrant();
      this.#database.run("DELETE FROM grants WHERE id=?", Uint8Array.fromHex(id));
    });
  }

  #find(id: string): GrantRow {
    const row = this.#database.get<GrantRow>(
      "SELECT subject,action,bytes,hash,expires,owner FROM grants WHERE id=?",
      Uint8Array.fromHex(id),
    );
    if (!row) throw noGrant();
    return row;
  }

  #insert(
    id: string,
    subject: string,
    { hash, action = "read", bytes, expires = 0, owner }: Omit<NewGrant, "subject">,
  ): void {
    // What has ended is of no use to anybody, and goes with the next one of its blob.
    this.#database.run(
      "DELETE FROM grants WHERE hash=? AND expires<>0 AND expires<=?",
      Uint8Array.fromHex(hash),
      Date.now() / 1000,
    );
    this.#database.run(
      "INSERT INTO grants(id,subject,action,hash,bytes,expires,owner) VALUES(?,?,?,?,?,?,?)",
      Uint8Array.fromHex(id),
      subject,
      ACTION[action],
      Uint8Array.fromHex(hash),
      bytes ?? null,
      expires,
      owner ?? null,
    );
  }

  // deno-lint-ignore require-await
  async mayRead(hash: Hash, subjects: readonly Subject[]): Promise<boolean> {
    const key = Uint8Array.fromHex(hash);
    const now = Date.now() / 1000;
    return subjects.some((subject) =>
      this.#database.get(
        "SELECT 1 FROM grants WHERE hash=?1 AND subject=?2 AND action=?3 AND (expires=0 OR expires>?4)" +
          " UNION ALL SELECT 1 FROM members m JOIN grants g ON g.hash=m.root WHERE m.child=?1 AND g.subject=?2" +
          " AND g.action=?3 AND (g.expires=0 OR g.expires>?4) LIMIT 1",
        key,
        subject,
        ACTION.read,
        now,
      ) !== undefined
    );
  }

  // deno-lint-ignore require-await
  async mayPush(hash: Hash, subjects: readonly Subject[]): Promise<PushGrant | undefined> {
    const key = Uint8Array.fromHex(hash);
    const found = subjects.flatMap((subject) =>
      this.#database.get<Pick<GrantRow, "bytes" | "owner">>(
        "SELECT bytes,owner FROM grants WHERE hash=? AND subject=? AND action=? AND (expires=0 OR expires>?)" +
          " ORDER BY bytes IS NOT NULL,bytes DESC LIMIT 1",
        key,
        subject,
        ACTION.push,
        Date.now() / 1000,
      ) ?? []
    );
    const [best] = found.sort((one, other) => (other.bytes ?? Infinity) - (one.bytes ?? Infinity) || 0);
    return best && { ...best.bytes !== null && { bytes: best.bytes }, ...best.owner !== null && { owner: best.owner } };
  }
}
