/**
 * Connections to a PostgreSQL, so many at a time, made when they are needed and the tables with them.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { getLogger } from "@logtape/logtape";
import { TreeUnavailableError } from "../errors.ts";
import { Connection } from "./connection.ts";
import { isLost, treeError, unavailable } from "./faults.ts";
import type { PostgresOptions, PostgresPassword, PostgresPlace } from "./options.ts";
import { postgresPlace } from "./options.ts";
import { ensureTables } from "./schema.ts";

const log = getLogger(["alknet", "fs"]);

/** Keeps connections. */
export class Pool implements AsyncDisposable {
  /** Where they lead. */
  readonly place: PostgresPlace;
  readonly #options: PostgresOptions;
  readonly #met: (id: string) => void;
  readonly #idle: Connection[] = [];
  readonly #waiting: (() => void)[] = [];
  readonly #all = new Set<Connection>();
  #used = 0;
  #closed = false;
  /** Why it could not be used, as long as it cannot. */
  #outage: string | undefined;

  /**
   * Nothing is connected to yet.
   *
   * @param met Told which database it is, whenever one is met; it throws if it is another than it should be.
   * @throws {RangeError} Something in the options is none.
   */
  constructor(options: PostgresOptions, met: (id: string) => void) {
    this.place = postgresPlace(options);
    this.#options = options;
    this.#met = met;
  }

  /**
   * Uses a connection. One that was lost while nobody used it is replaced, and the work begun again.
   *
   * @throws {AlknetError} `TREE_UNAVAILABLE`, `STORE_NEWER`, `STORE_FULL`. What the work throws.
   */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    await this.#turn();
    try {
      for (let known = this.#idle.length;; known--) {
        const connection = await this.#connection();
        try {
          const result = await work(connection);
          this.#isBack();
          return result;
        } catch (error) {
          // Each of those that were idle may have been lost with the server; a fresh one was not.
          if (known <= 0 || !isLost(error)) throw error;
        } finally {
          await this.#giveBack(connection);
        }
      }
    } catch (error) {
      const fault = treeError(error, this.place.name);
      this.#isOut(fault);
      throw fault;
    } finally {
      this.#used--;
      this.#waiting.shift()?.();
    }
  }

  /**
   * A connection of its own that listens to what commits say.
   *
   * @throws {AlknetError} `TREE_UNAVAILABLE`.
   */
  async listening(notified: () => void): Promise<Connection> {
    try {
      const connection = await this.#open(notified);
      await connection.query("LISTEN alknet_fs");
      return connection;
    } catch (error) {
      throw treeError(error, this.place.name);
    }
  }

  /** Ends them all. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const wake of this.#waiting.splice(0)) wake();
    await Promise.all([...this.#all].map((one) => one[Symbol.asyncDispose]()));
  }

  #isBack(): void {
    if (this.#outage !== undefined) log.info("{name}: it is back", { name: this.place.name });
    this.#outage = undefined;
  }

  #isOut(fault: unknown): void {
    const { code, message } = fault as { code?: unknown; message: string };
    if (code !== "TREE_UNAVAILABLE" || this.#closed || this.#outage === message) return;
    this.#outage = message;
    log.warn("branches are not to be had: {reason}", { reason: message });
  }

  async #turn(): Promise<void> {
    while (!this.#closed && this.#used >= this.place.connections) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    if (this.#closed) throw unavailable(this.place.name, "the store was closed");
    this.#used++;
  }

  async #connection(): Promise<Connection> {
    for (let one = this.#idle.pop(); one; one = this.#idle.pop()) {
      if (!one.isLost) return one;
      await this.#forget(one);
    }
    return await this.#open();
  }

  async #open(notified?: () => void): Promise<Connection> {
    const connection = await Connection.open(
      this.place,
      { ...this.#options, password: () => this.#password() },
      notified,
    );
    this.#all.add(connection);
    try {
      if (this.#closed) throw unavailable(this.place.name, "the store was closed");
      this.#met(await ensureTables(connection, this.place.name));
      return connection;
    } catch (error) {
      await this.#forget(connection);
      throw error;
    }
  }

  async #password(): Promise<PostgresPassword | undefined> {
    try {
      return await this.#options.password?.();
    } catch (cause) {
      if (!(cause instanceof AlknetError)) throw cause;
      throw new TreeUnavailableError(`${this.place.name}: its password is not to be had: ${cause.message}`, { cause });
    }
  }

  async #giveBack(connection: Connection): Promise<void> {
    if (connection.isLost || this.#closed) await this.#forget(connection);
    else this.#idle.push(connection);
  }

  async #forget(connection: Connection): Promise<void> {
    this.#all.delete(connection);
    await connection[Symbol.asyncDispose]();
  }
}
