/**
 * What the parts of a store on disk share.
 *
 * @module
 */
import type { Hash } from "../../wire/hash_text.ts";
import type { Going } from "./going.ts";
import type { StoreDatabase } from "./tables/database.ts";
import type { BlobRows } from "./tables/rows.ts";
import type { Usage } from "./tables/usage.ts";

/** The parts of one store. */
export interface DiskParts {
  /** Its folder. */
  readonly root: string;
  /** Its database. */
  readonly database: StoreDatabase;
  /** Its rows. */
  readonly rows: BlobRows;
  /** Blobs that are being taken away. */
  readonly going: Going;
  /** How much identities keep. */
  readonly usage: Usage;
  /** A fresh path for a file that this process works on. */
  readonly newPath: () => string;
  /** Where a file of a complete blob is. */
  readonly pathOf: (hash: Hash, kind: "data" | "obao4") => string;
  /** Whether it was closed. */
  readonly isClosed: () => boolean;
}

/** What a store shares with the trees in its database. */
export interface Tables {
  /** The database. */
  readonly database: StoreDatabase;
  /** How much identities keep. */
  readonly usage: Usage;
  /** Says, in a transaction, that something refers to a blob no more. */
  readonly dropped: (hash: Uint8Array) => void;
  /** Keeps blobs, those of them that are complete, until it is disposed of. */
  readonly hold: (hashes: readonly Hash[]) => Disposable;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Whether this process is the one that looks after the store. */
  readonly isKeeper: boolean;
}
