/**
 * Blobs that stay while somebody works with them, or something comes to refer to them elsewhere.
 *
 * @module
 */
import type { Hash } from "../../wire/hash_text.ts";
import type { HashAndFormat, Held } from "../blob_store.ts";
import type { DiskParts, Tables } from "./parts.ts";
import type { StoreDatabase } from "./tables/database.ts";
import type { BlobRows } from "./tables/rows.ts";

/** A blob that is held until it is disposed of. Twice is harmless. */
export function held(what: HashAndFormat & { readonly size: number }, release: () => void): Held {
  let holds = true;
  return {
    ...what,
    [Symbol.asyncDispose]: () => {
      if (holds) release();
      holds = false;
      return Promise.resolve();
    },
  };
}

/** What a store shares with the trees over it. */
export function tablesOf({ database, rows, usage }: DiskParts, now: () => number, isKeeper: boolean): Tables {
  return {
    database,
    usage,
    dropped: (key) => rows.dropped(key),
    hold: (hashes) => holdAll(database, rows, hashes),
    now,
    isKeeper,
  };
}

/** Holds those of some blobs that are complete, in one transaction, until it is disposed of. */
function holdAll(database: StoreDatabase, rows: BlobRows, hashes: readonly Hash[]): Disposable {
  const held = new Set<Hash>();
  if (hashes.length > 0) {
    database.transaction(() => {
      held.clear();
      for (const hash of new Set(hashes)) {
        if (!rows.find(hash)) continue;
        rows.writeHold(hash);
        held.add(hash);
      }
    });
    for (const hash of held) rows.count(hash);
  }
  return {
    [Symbol.dispose]: () => {
      for (const hash of held) rows.release(hash);
      held.clear();
    },
  };
}
