/**
 * One connection to a PostgreSQL. It is never made anew behind one's back: what a transaction has begun, no other connection
 * goes on with.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type postgres from "postgres";
import { isIP } from "node:net";
import { rootCertificates } from "node:tls";
import type { SqlValue } from "../rows/steps.ts";
import type { PostgresOptions, PostgresPassword, PostgresPlace } from "./options.ts";

/** Seconds within which it is made. */
const CONNECT_TIMEOUT = 10;
/** Seconds after which it is looked whether a silent server is still there. */
const KEEP_ALIVE = 15;
/** Milliseconds that a statement may take, wait for others, and that one may wait for the next. */
const STATEMENT_TIMEOUT = 120_000;
const LOCK_TIMEOUT = 30_000;
const IDLE_TIMEOUT = 60_000;
/** Milliseconds after which a server that should have answered long ago is taken for gone. */
const SILENCE = STATEMENT_TIMEOUT + 30_000;
const BIGINT = 20;

type Secret = PostgresPassword | undefined | Promise<PostgresPassword | undefined>;

/** A connection. */
export class Connection implements AsyncDisposable {
  readonly #sql: postgres.Sql;
  readonly #gone: Promise<never>;
  readonly #ends: (why: Error) => void;
  #reserved: postgres.ReservedSql | undefined;
  #lost: Error | undefined;

  private constructor(client: typeof postgres, options: postgres.Options<Record<string, postgres.PostgresType>>) {
    ({ promise: this.#gone, reject: this.#ends } = Promise.withResolvers<never>());
    this.#gone.catch(() => {});
    this.#sql = client({
      ...options,
      onclose: () => this.#lose("CONNECTION_CLOSED"),
    });
  }

  /**
   * Makes one.
   *
   * @param notified Told of what it listens to.
   * @throws {Error} As the client says: see `faults.ts`.
   */
  static async open(
    place: PostgresPlace,
    { password, ca }: Pick<PostgresOptions, "ca"> & { readonly password?: () => Secret },
    notified?: () => void,
  ): Promise<Connection> {
    const { default: client } = await import("postgres");
    const secret = (await password?.())?.reveal() ?? "";
    const { path, host, port, database, user, tls } = place;
    const connection = new Connection(client, {
      // As lists they are taken as they are; and nothing is left to the environment.
      host: [host] as unknown as string,
      port: [port] as unknown as number,
      ...path !== undefined && { path },
      database,
      user,
      password: () => secret,
      ssl: tls && {
        rejectUnauthorized: true,
        ...ca !== undefined && { ca: [...rootCertificates, ca] },
        // An address too: left to itself, the client has the certificate be for localhost.
        host,
        ...isIP(host) === 0 && { servername: host },
      },
      max: 1,
      max_lifetime: null,
      idle_timeout: undefined,
      connect_timeout: CONNECT_TIMEOUT,
      keep_alive: KEEP_ALIVE,
      fetch_types: false,
      prepare: true,
      debug: false,
      backoff: () => 0,
      target_session_attrs: undefined,
      onnotice: () => {},
      connection: {
        application_name: "alknet",
        search_path: "alknet_fs",
        client_min_messages: "error",
        statement_timeout: STATEMENT_TIMEOUT,
        lock_timeout: LOCK_TIMEOUT,
        idle_in_transaction_session_timeout: IDLE_TIMEOUT,
      },
      // Our numbers are below 2^53.
      types: { bigint: { to: BIGINT, from: [BIGINT], parse: Number, serialize: String } },
      ...notified && { onnotify: notified },
    });
    try {
      // The client reserves one that is open, and waits for ever for one that it has to make.
      await connection.#sql.unsafe("SELECT 1");
      connection.#reserved = await Promise.race([connection.#sql.reserve(), connection.#gone]);
      return connection;
    } catch (error) {
      await connection[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Whether it is gone. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Runs a statement after those that were asked for before; the rows. */
  async query<T>(sql: string, values: readonly SqlValue[] = []): Promise<T[]> {
    if (this.#lost) throw this.#lost;
    const asked = this.#reserved!.unsafe(sql, values as (Buffer | string)[], { prepare: true });
    // A machine that vanished says nothing, nor does its network.
    const timer = setTimeout(() => this.#lose("ETIMEDOUT"), SILENCE);
    try {
      return await Promise.race([asked, this.#gone]) as unknown as T[];
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs a statement that nobody waits for: what it says, those after it will. */
  send(sql: string, values: readonly SqlValue[] = []): void {
    this.query(sql, values).catch(() => {});
  }

  /** Settles when it is gone. */
  get gone(): Promise<void> {
    return this.#gone.catch(() => {});
  }

  /** Ends it. Twice is harmless. */
  async [Symbol.asyncDispose](): Promise<void> {
    const wasLost = this.isLost;
    this.#lost ??= Object.assign(new Error("the connection was ended"), { code: "CONNECTION_ENDED" });
    // One that is gone must not be given back: the client would take it for one that is there.
    if (!wasLost) this.#reserved?.release();
    await this.#sql.end({ timeout: wasLost ? 0 : 1 });
  }

  #lose(code: string): void {
    this.#lost ??= Object.assign(new Error("the connection was lost"), { code });
    this.#ends(this.#lost);
  }
}
