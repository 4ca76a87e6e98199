/**
 * Another place where the blobs of a store lie, some of them there alone: what the store asks of it. Which row is how far
 * is said in the column `bucket`.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { shortHash } from "../../errors.ts";
import type { Hash } from "../../wire/hash_text.ts";
import type { Held, OpenSource } from "../blob_store.ts";
import type { DiskParts } from "./parts.ts";
import type { BlobRow } from "./tables/rows.ts";

/** The other place. */
export interface Elsewhere extends AsyncDisposable {
  /**
   * Opens a blob that lies there alone.
   *
   * @throws {AlknetError} `BLOB_ABSENT`: it cannot be reached now.
   */
  source(row: BlobRow): Promise<OpenSource>;
  /** Looks whether somebody put a blob there, which the store then has. Whether it is so. */
  find(hash: Hash): Promise<boolean>;
  /** Takes a blob away that is going. Nothing happens to what others have there. */
  remove(hash: Hash): Promise<void>;
  /** Sends what is not there yet, and lets go here what may. What could not be sent is told. */
  settle(): Promise<Settled>;
  /** Looks again at what was found wrong there and is nowhere else: what is right again is there again. */
  review(): Promise<void>;
  /** Says that something in a blob there did not verify. */
  doubt(hash: Hash): void;
}

/** What a pass did. */
export interface Settled {
  /** Blobs that were sent. */
  readonly sent: number;
  /** Blobs that are still to be sent. */
  readonly left: number;
  /** Why. */
  readonly failure?: string;
}

/** What the other place needs of a store. */
export interface ElsewhereParts extends DiskParts {
  /** Whether this process looks after the store. */
  readonly isKeeper: boolean;
  /** Keeps a blob. */
  readonly hold: (hash: Hash) => Promise<Held>;
  /** Opens a blob. */
  readonly source: (hash: Hash) => Promise<OpenSource>;
}

/**
 * The other place of a blob that lies there alone.
 *
 * @throws {AlknetError} `BLOB_ABSENT`: the store has none any more.
 */
export function elsewhereOf(hash: Hash, elsewhere: Elsewhere | undefined): Elsewhere {
  if (elsewhere) return elsewhere;
  const what = "it lies in a bucket alone; say in handlers.fs.bucket which it is";
  throw new AlknetError("BLOB_ABSENT", `blob ${shortHash(hash)}: ${what}`);
}
