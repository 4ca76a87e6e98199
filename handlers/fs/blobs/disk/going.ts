/**
 * Blobs that are being taken away: their rows say so before their files go, and go after them, so that a process that dies
 * between leaves word of what is to be done. One process at a time takes files away, under the lock `COLLECT`.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Hash } from "../../wire/hash_text.ts";
import type { Collected } from "../blob_store.ts";
import { THERE } from "./tables/rows.ts";
import type { StoreDatabase } from "./tables/database.ts";
import { type FileLock, lockIfFree } from "./holder.ts";
import { removePartial } from "./places.ts";

/** `state` of such a blob. */
export const GOING = 2;
/** Milliseconds between two looks at one that another process takes away. */
const LOOK = 10;

/** It began to go. */
class GoingError extends AlknetError {
  /** The class, as it stands before the message. */
  override readonly name = "GoingError";
}

/** Takes away what is going, and waits until it has gone. */
export class Going {
  readonly #root: string;
  readonly #database: StoreDatabase;
  readonly #pathOf: (hash: Hash, kind: "data" | "obao4") => string;
  /** Takes away what lies elsewhere; nothing where nothing does. Until it is known, what may lie there stays. */
  elsewhere: { readonly remove: (hash: Hash) => Promise<void> } | "unknown" | undefined;

  /** @param pathOf Where a file of a complete blob is. */
  constructor(root: string, database: StoreDatabase, pathOf: (hash: Hash, kind: "data" | "obao4") => string) {
    this.#root = root;
    this.#database = database;
    this.#pathOf = pathOf;
  }

  /** The right to take away, for as long as it is held; nothing where another process has it. */
  async lock(): Promise<FileLock | undefined> {
    return await lockIfFree(join(this.#root, "COLLECT"), true);
  }

  /** Whether a blob is going. */
  has(hash: Hash): boolean {
    return this.#database.get("SELECT 1 FROM blobs WHERE hash=? AND state=?", Uint8Array.fromHex(hash), GOING) !==
      undefined;
  }

  /**
   * Does work on a blob once it is not going.
   *
   * @param work Calls {@linkcode refuse} in its transaction; it is done again where that threw.
   */
  async whenGone<T>(hash: Hash, work: () => T | Promise<T>): Promise<T> {
    for (;;) {
      await this.#untilGone(hash);
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof GoingError)) throw error;
      }
    }
  }

  /** Throws if a blob is going: in a transaction, so that it cannot come to be meanwhile. */
  refuse(hash: Hash): void {
    if (this.has(hash)) throw new GoingError("BLOB_NOT_FOUND", "the blob is being taken away");
  }

  async #untilGone(hash: Hash): Promise<void> {
    while (this.has(hash)) {
      using lock = await this.lock();
      // Whoever began may have died.
      if (lock) await this.takeAway();
      else await delay(LOOK);
    }
  }

  /**
   * Takes away what is going. The caller has the lock.
   *
   * @returns What stays, because it cannot be taken away elsewhere: it is a candidate again.
   */
  async takeAway(): Promise<Collected> {
    const sum = { blobs: 0, bytes: 0 };
    let isReached = true;
    const all = this.#database.all<{ hash: Uint8Array; size: number; bucket: number }>(
      "SELECT hash,size,bucket FROM blobs WHERE state<>1 AND state=?",
      GOING,
    );
    for (const { hash, size, bucket } of all) {
      const hex = hash.toHex();
      if (this.elsewhere !== undefined && bucket !== THERE.no) {
        if (this.elsewhere === "unknown") continue;
        isReached = isReached && await this.elsewhere.remove(hex).then(() => true, () => false);
        if (!isReached) {
          this.#stays(hash);
          sum.blobs++;
          sum.bytes += size;
          continue;
        }
      }
      for (const kind of ["data", "obao4"] as const) await removeIfThere(this.#pathOf(hex, kind));
      await removePartial(this.#root, hex);
      this.#database.transaction(() => {
        this.#database.run("DELETE FROM blobs WHERE hash=? AND state=?", hash, GOING);
        this.#database.run("DELETE FROM candidates WHERE hash=?", hash);
      });
    }
    return sum;
  }

  /** What is nowhere but elsewhere may be there in part: it is looked at there before it is believed again. */
  #stays(hash: Uint8Array): void {
    this.#database.transaction(() => {
      this.#database.run(
        "UPDATE blobs SET state=CASE place WHEN 3 THEN 0 ELSE 1 END, bucket=CASE place WHEN 3 THEN ? ELSE ? END " +
          "WHERE hash=? AND state=?",
        THERE.wrong,
        THERE.begun,
        hash,
        GOING,
      );
      this.#database.run("INSERT OR IGNORE INTO candidates(hash,since) VALUES(?,0)", hash);
    });
  }
}

/** A file that cannot be removed, for another reason than that it is not there, keeps its row. */
async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
