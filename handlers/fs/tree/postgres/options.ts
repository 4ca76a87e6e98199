/**
 * How a PostgreSQL is reached that keeps the trees of several nodes.
 *
 * @module
 */
import { redact, REDACTED } from "@alknet/core/crypto";
import { AlknetError } from "@alknet/core/handler";

/** The password of a user of a database. Prints `[redacted]`. */
export class PostgresPassword {
  readonly #text: string;

  static {
    redact(this.prototype, () => REDACTED);
  }

  /**
   * A password, without the end of its line.
   *
   * @throws {AlknetError} `CREDENTIAL_INVALID`, without repeating it.
   */
  constructor(text: string) {
    const password = text.replace(/\r?\n$/, "");
    // It ends at the first NUL on the wire.
    if (password === "" || password.length > 1000 || /[\0\r\n]/.test(password)) {
      throw new AlknetError(
        "CREDENTIAL_INVALID",
        "the password of a database is 1 to 1000 characters on one line; it is not repeated here",
      );
    }
    this.#text = password;
  }

  /** Uses it; it is not to be kept. */
  reveal(): string {
    return this.#text;
  }

  /** `[redacted]`. */
  toString(): string {
    return REDACTED;
  }
}

/** A database that nodes share. */
export interface PostgresOptions {
  /** Its machine; or, absolute, the folder of its socket on this one. */
  readonly host: string;
  /** Default 5432. */
  readonly port?: number;
  /** Its name there. */
  readonly database: string;
  /** As whom it is asked. */
  readonly user: string;
  /** The password, where one is needed. Asked for whenever it is connected to, so that it may be changed. */
  readonly password?: () => PostgresPassword | Promise<PostgresPassword>;
  /** Whether TLS is spoken, and the server's certificate believed only if it is for `host`. Default `true`. */
  readonly tls?: boolean;
  /** Certificates, PEM, that are believed beside those of the system. */
  readonly ca?: string;
  /** Connections at a time, beside one that listens; 1 to 100. Default 8. */
  readonly connections?: number;
}

/** Connections unless told otherwise: several nodes share the 100 that a server has. */
const CONNECTIONS = 8;
const PORT = 5432;
const LOOPBACK = /^(?:localhost|.+\.localhost|127(?:\.\d+){3}|::1|\/.*)$/;

/** Where a database is, checked. */
export interface PostgresPlace extends Required<Omit<PostgresOptions, "password" | "ca">> {
  /** The socket on this machine, where it is one. */
  readonly path?: string;
  /** What messages call it. */
  readonly name: string;
}

/**
 * Where a database is, checked.
 *
 * @throws {RangeError} Something in it is none.
 */
export function postgresPlace(options: PostgresOptions): PostgresPlace {
  const { host, port = PORT, database, user, connections = CONNECTIONS } = options;
  const isSocket = host.startsWith("/");
  if (isSocket ? host.length > 90 || host.includes("\0") : !/^[A-Za-z0-9._:-]{1,253}$/.test(host)) {
    throw new RangeError(
      `host ${
        JSON.stringify(host)
      } is none; a name, an address or the folder of a socket is needed, the port beside it`,
    );
  }
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new RangeError(`port ${port} is none`);
  for (const [what, name] of [["database", database], ["user", user]]) {
    // deno-lint-ignore no-control-regex
    if (!name || new TextEncoder().encode(name).byteLength > 63 || /[\x00-\x1f\x7f]/.test(name)) {
      throw new RangeError(`${what} ${JSON.stringify(name)} is none: 1 to 63 bytes without control characters`);
    }
  }
  if (!Number.isInteger(connections) || connections < 1 || connections > 100) {
    throw new RangeError(`connections ${connections}: 1 to 100 are`);
  }
  // A socket speaks no TLS, nor need it.
  const tls = isSocket ? false : options.tls ?? true;
  if (!tls && !LOOPBACK.test(host)) {
    throw new RangeError(`host ${host}: a database on another machine is not asked without TLS; leave tls true`);
  }
  const at = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  return {
    host,
    port,
    database,
    user,
    tls,
    connections,
    ...isSocket && { path: `${host}/.s.PGSQL.${port}` },
    name: `database ${JSON.stringify(database)} at ${isSocket ? `${host} (port ${port})` : at}`,
  };
}
