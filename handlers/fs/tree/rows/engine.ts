/**
 * Where the tables of trees are: in the database of a store, or in one that several nodes share (fs.md §5, §7).
 *
 * @module
 */
import type { Quota, Used } from "../../blobs/disk/tables/usage.ts";
import type { Hash } from "../../wire/hash_text.ts";
import type { SqlValue, Steps } from "./steps.ts";
import type { Level, Row } from "./row.ts";

/** The database that has them. What it is told is SQL that SQLite and PostgreSQL both understand. */
export interface TreeDatabase {
  /** Ends a statement whose rows nobody else may change until the transaction is over. */
  readonly forUpdate: string;
  /** Finds a path below the root in one statement, where a statement is dear. */
  readonly resolve?: (levels: readonly Level[], parts: readonly string[]) => Steps<Row | undefined>;
  /**
   * Finds a path in a version, by the number of its branch, in one statement; likewise.
   *
   * @throws {AlknetError} `BRANCH_NOT_FOUND`: it was taken away meanwhile.
   */
  readonly find?: (branch: number, v: number, parts: readonly string[]) => Steps<Row | undefined>;
  /** The first row. */
  get<T>(sql: string, ...values: readonly SqlValue[]): Steps<T | undefined>;
  /** All rows. */
  all<T>(sql: string, ...values: readonly SqlValue[]): Steps<T[]>;
  /** Changes rows. */
  run(sql: string, ...values: readonly SqlValue[]): Steps<void>;
  /** The next number of a folder: no other has it, on whatever node. */
  newNode(): Steps<number>;
}

/** How much identities keep. */
export interface TreeUsage {
  /**
   * Counts files that came to the branches of an identity, or went from them, in a transaction of the caller's.
   *
   * @throws {AlknetError} `QUOTA_EXCEEDED`: more came than may.
   */
  entries(owner: string, bytes: number, files: number): Steps<void>;
  /** How much an identity keeps. */
  total(owner: string): Steps<Used>;
  /** How much it may. */
  quota(owner: string): Quota;
}

/** What trees are written into. */
export interface TreeTables {
  /** The database. */
  readonly database: TreeDatabase;
  /** How much identities keep. */
  readonly usage: TreeUsage;
  /** Says, in a transaction, that something refers to a blob no more. */
  readonly dropped: (hash: Uint8Array) => Steps<void>;
  /** The bytes of a blob that is complete in the store of this node; nothing if it is not. */
  readonly sizeOf: (hash: Uint8Array) => number | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Whether this process is one that looks after them. */
  readonly isKeeper: boolean;
}

/** How a transaction is made. */
export interface TransactionOptions {
  /** The branch, by its name, that commits come to; others wait for their turn. */
  readonly branch?: string;
  /** Blobs that come to be referred to: they stay until it is known whether they are. */
  readonly links?: readonly Hash[];
}

/** Runs work on the tables. */
export interface TreeEngine extends AsyncDisposable {
  /** They. */
  readonly tables: TreeTables;
  /** Milliseconds after which it is looked whether others committed, if nobody said so. */
  readonly look: number;
  /**
   * Reads rows; each statement as they are then.
   *
   * @throws {AlknetError} `TREE_UNAVAILABLE`.
   */
  run<T>(work: () => Steps<T>): Promise<T>;
  /**
   * Reads several rows as they are at one time.
   *
   * @throws {AlknetError} `TREE_UNAVAILABLE`.
   */
  reading<T>(work: () => Steps<T>): Promise<T>;
  /**
   * Does some work as one change: all of it, or none. It may be begun again, where others were in its way.
   *
   * @throws {AlknetError} `STORE_FULL`, `TREE_UNAVAILABLE`. What the work throws.
   */
  transaction<T>(work: () => Steps<T>, options?: TransactionOptions): Promise<T>;
  /** Is told of commits that others make, where they say so. */
  listen(wake: () => void): void;
}
