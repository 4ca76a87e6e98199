/**
 * Parts of contents that are not whole yet, as they are kept (msg.md §3.2).
 *
 * @module
 */
import { joined } from "@alknet/core/crypto";
import { MOST_WHOLE, type Part } from "../content/part.ts";
import type { MessageStore } from "./message_store.ts";

/** Days that a part waits for the others. */
const KEPT_DAYS = 30;
/** Contents of a contact that are not whole; the oldest goes when one more begins. */
const MOST_PARTIALS = 8;
/** A nonce and a tag. */
const SEALED = 28;

interface Raw {
  readonly idx: number;
  readonly count: number;
  readonly secret: Uint8Array;
}

/** Parts of a store. What changes something is called in a transaction. */
export class Partials {
  readonly #store: MessageStore;

  /** Those of a store. */
  constructor(store: MessageStore) {
    this.#store = store;
  }

  /**
   * Takes a part in. One that is there already, or does not go with those that are there, changes nothing; where all together
   * are too many bytes, they are forgotten.
   *
   * @returns The whole, once this was the last that was missing.
   */
  add(contact: number, part: Part, day: number): Uint8Array | undefined {
    const { database } = this.#store;
    const { id, index, count, bytes } = part;
    this.sweep(day);
    const sql = "SELECT idx, count, secret FROM part WHERE contact = ? AND id = ? ORDER BY idx";
    const rows = database.all<Raw>(sql, contact, id);
    if (rows.some((row) => row.count !== count || row.idx === index)) return undefined;
    const length = rows.reduce((sum, { secret }) => sum + secret.byteLength - SEALED, bytes.byteLength);
    if (length > MOST_WHOLE) {
      this.#forget(contact, id);
      return undefined;
    }
    if (rows.length + 1 < count) {
      if (rows.length === 0) this.#makeRoom(contact);
      const secret = this.#store.seal("part", [contact, id, index], bytes);
      const put = "INSERT INTO part (contact, id, idx, count, day, secret) VALUES (?, ?, ?, ?, ?, ?)";
      database.run(put, contact, id, index, count, day, secret);
      return undefined;
    }
    const pieces = rows.map(({ idx, secret }) => this.#store.open("part", [contact, id, idx], secret));
    this.#forget(contact, id);
    return joined(...pieces.toSpliced(index, 0, bytes));
  }

  /** Forgets those whose others did not come in time. */
  sweep(day: number): void {
    this.#store.database.run("DELETE FROM part WHERE day < ?", day - KEPT_DAYS);
  }

  #makeRoom(contact: number): void {
    const sql = "SELECT id FROM part WHERE contact = ? GROUP BY id ORDER BY max(day) DESC, id LIMIT -1 OFFSET ?";
    const over = this.#store.database.all<{ id: Uint8Array }>(sql, contact, MOST_PARTIALS - 1);
    for (const { id } of over) this.#forget(contact, id);
  }

  #forget(contact: number, id: Uint8Array): void {
    this.#store.database.run("DELETE FROM part WHERE contact = ? AND id = ?", contact, id);
  }
}
