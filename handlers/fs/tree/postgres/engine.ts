/**
 * Tables of trees in a PostgreSQL, which several nodes share (fs.md §7). What reads sees one time; what changes anything is
 * SERIALIZABLE, and begun again where others were in its way. Commits to a branch wait for each other, in the order in which
 * they came, on whatever node.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { setTimeout as delay } from "node:timers/promises";
import type { Tables } from "../../blobs/disk/parts.ts";
import type { TransactionOptions, TreeEngine, TreeTables } from "../rows/engine.ts";
import type { Steps } from "../rows/steps.ts";
import { sizeOf } from "../sqlite.ts";
import type { Connection } from "./connection.ts";
import { isConflict, isLost, treeError, unavailable, UncertainError } from "./faults.ts";
import type { SharedTrees } from "./shared.ts";
import { DROP } from "./shared.ts";
import { LOCKS } from "./schema.ts";
import { PostgresRows } from "./statements.ts";
import { SharedUsage } from "./usage.ts";

/** Milliseconds after which it is looked whether others committed, should their word not have come. */
const LOOK = 5000;
/** Milliseconds for which work is begun again, and that pass before it is, at most. */
const PATIENCE = 30_000;
const LONGEST_PAUSE = 200;
/** Milliseconds between tries to listen. */
const RETRY = 100;
const LONGEST_RETRY = 5000;
/** Statements that nobody has waited for yet, at most. */
const UNDER_WAY = 256;

/** Tells all nodes, once it is committed, in which branch there is something new. */
const NOTIFY = "SELECT pg_notify('alknet_fs',(SELECT id::text FROM branches WHERE name=$1))";

/** Runs work on tables in a PostgreSQL. */
export class PostgresEngine implements TreeEngine {
  readonly look: number = LOOK;
  readonly tables: TreeTables;
  readonly #shared: SharedTrees;
  readonly #hold: Tables["hold"];
  readonly #closed = new AbortController();
  #listening: Promise<void> | undefined;

  /**
   * @param shared Where they are; it is closed with the engine.
   * @param own What the store has for trees: its blobs are linked.
   */
  constructor(shared: SharedTrees, { database, usage, now, isKeeper, hold }: Tables) {
    this.#shared = shared;
    this.#hold = hold;
    const rows = new PostgresRows();
    this.tables = {
      database: rows,
      usage: new SharedUsage(rows, usage),
      dropped: (hash) => rows.run(DROP, hash),
      sizeOf: (hash) => sizeOf(database, hash),
      now,
      isKeeper,
    };
  }

  run<T>(work: () => Steps<T>): Promise<T> {
    return this.#shared.pool.use((connection) => driven(connection, work()));
  }

  reading<T>(work: () => Steps<T>): Promise<T> {
    return this.#shared.pool.use(async (connection) => {
      connection.send("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      try {
        return await driven(connection, work());
      } finally {
        if (!connection.isLost) connection.send("COMMIT");
      }
    });
  }

  async transaction<T>(work: () => Steps<T>, { branch, links = [] }: TransactionOptions = {}): Promise<T> {
    // What is linked here stays until the others' tables say that it is.
    using _held = this.#hold(links);
    const { pool } = this.#shared;
    const until = performance.now() + PATIENCE;
    for (let pause = 1;; pause = Math.min(LONGEST_PAUSE, pause * 2)) {
      const result = await pool.use(async (connection) => {
        try {
          return { value: await changed(connection, work, branch) };
        } catch (error) {
          if (!isConflict(error)) throw error;
          if (performance.now() > until) throw treeError(error, pool.place.name);
          return undefined;
        }
      });
      if (result) return result.value;
      await delay(pause * (0.5 + Math.random()));
      if (this.#closed.signal.aborted) throw unavailable(pool.place.name, "the store was closed");
    }
  }

  listen(wake: () => void): void {
    this.#listening ??= this.#listen(wake);
  }

  /** Ends its connections; what waits for them fails. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
    await this.#shared[Symbol.asyncDispose]();
    await this.#listening;
  }

  async #listen(wake: () => void): Promise<void> {
    const { signal } = this.#closed;
    for (let pause = RETRY; !signal.aborted; pause = Math.min(LONGEST_RETRY, pause * 2)) {
      try {
        const connection = await this.#shared.pool.listening(wake);
        pause = RETRY;
        // Of what was committed meanwhile nobody said anything.
        wake();
        await connection.gone;
      } catch (error) {
        // Whoever watches is told by what is read; this is tried again.
        if (!(error instanceof AlknetError)) throw error;
      }
      wake();
      await delay(pause, undefined, { signal, ref: false }).catch(() => {});
    }
  }
}

/** Does work as one change. */
async function changed<T>(connection: Connection, work: () => Steps<T>, branch: string | undefined): Promise<T> {
  // Before the transaction, so that it sees what those before it did.
  if (branch !== undefined) connection.send("SELECT pg_advisory_lock($1,hashtext($2))", [LOCKS, branch]);
  try {
    // Waited for: without it each statement would be a change of its own.
    await connection.query("BEGIN ISOLATION LEVEL SERIALIZABLE");
    let value: T;
    try {
      value = await driven(connection, work());
      // Waited for: to commit what has failed is to roll it back, and is no fault to the server.
      if (branch !== undefined) await connection.query(NOTIFY, [branch]);
    } catch (error) {
      if (!connection.isLost) connection.send("ROLLBACK");
      throw error;
    }
    try {
      await connection.query("COMMIT");
    } catch (cause) {
      if (isLost(cause)) throw new UncertainError("the connection was lost", { cause });
      throw cause;
    }
    return value;
  } finally {
    if (branch !== undefined && !connection.isLost) connection.send("SELECT pg_advisory_unlock_all()");
  }
}

/** Runs the statements that steps hand out; of those that only change rows, many are under way at once. */
async function driven<T>(connection: Connection, steps: Steps<T>): Promise<T> {
  let underWay: Promise<unknown>[] = [];
  const arrived = async (): Promise<void> => {
    const some = underWay;
    underWay = [];
    // The first that fails is the one to blame: those after it fail with it.
    for (const each of some) await each;
  };
  for (let next = steps.next();;) {
    if (next.done) {
      await arrived();
      return next.value;
    }
    const { sql, values, wants } = next.value;
    const answer = connection.query(sql, values);
    answer.catch(() => {});
    if (!wants) {
      if (underWay.push(answer) >= UNDER_WAY) await arrived();
      next = steps.next([]);
      continue;
    }
    if (underWay.length > 0) await arrived();
    next = steps.next(await answer);
  }
}
