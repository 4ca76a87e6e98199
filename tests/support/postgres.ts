/**
 * A PostgreSQL of a test's own: Debian's, on the loopback and a socket, as a user without rights. The folder of its data is
 * made once a process; each server has databases that are made anew.
 *
 * @module
 */
import { type PostgresOptions, PostgresPassword } from "@alknet/handlers/fs";
import { readFileSync } from "node:fs";
import { connect } from "node:net";
import { type Child, runProgram, start } from "./process.ts";
import { postgresPrograms } from "./programs.ts";

/** Who owns the databases that are made, with {@linkcode PASSWORD}. */
export const USER = "alknet";
/** Its password: digits of no meaning, to be looked for in logs. */
export const PASSWORD = "s3cr3t-7719204-pw";

const NOBODY = "postgres";

/** How it is started. */
export interface ServerOptions {
  /** More settings, as `name=value`. */
  readonly settings?: readonly string[];
  /** Certificate and key, PEM, with which it speaks TLS. */
  readonly tls?: { readonly certificate: string; readonly key: string };
}

let data: Promise<string> | undefined;

/** Starts one. */
export async function startPostgres(options: ServerOptions = {}): Promise<PostgresServer> {
  const server = new PostgresServer(await (data ??= makeData()), options);
  await server.start();
  return server;
}

/** A server. */
export class PostgresServer implements AsyncDisposable {
  /** Where it listens. */
  readonly port: number = freePort();
  /** The folder of its socket, and of all else. */
  readonly folder: string;
  readonly #options: ServerOptions;
  #child: Child | undefined;
  #databases = 0;

  /** See {@linkcode startPostgres}. */
  constructor(folder: string, options: ServerOptions) {
    this.folder = folder;
    this.#options = options;
  }

  /** Starts it where it is not running; it answers then. */
  async start(): Promise<void> {
    const { settings = [], tls } = this.#options;
    const files = tls ? await this.#certificate(tls) : [];
    const all = [
      "listen_addresses=127.0.0.1",
      `port=${this.port}`,
      `unix_socket_directories=${this.folder}`,
      // The machine goes on whatever becomes of the server: what it wrote is there.
      "fsync=off",
      "max_connections=60",
      "logging_collector=on",
      `log_directory=${this.folder}`,
      "log_filename=server.log",
      ...files,
      ...settings,
    ];
    const args = ["-D", `${this.folder}/data`, ...all.flatMap((one) => ["-c", one])];
    this.#child = start(...asNobody(`${postgresPrograms()}/postgres`, args), { signal: "SIGINT", grace: 10_000 });
    while (!await this.#answers()) await new Promise((done) => setTimeout(done, 20));
  }

  /** Ends it at once: it does not wait for who is connected, nor does it end well. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (!child) return;
    Deno.kill(child.pid, "SIGQUIT");
    await child[Symbol.asyncDispose]();
  }

  /** A new database of {@linkcode USER}'s: its name. */
  async database(tablespace = "pg_default"): Promise<string> {
    const name = `db${++this.#databases}_${this.port}`;
    await this.sql(`CREATE DATABASE ${name} OWNER ${USER} TABLESPACE ${tablespace}`, "postgres");
    return name;
  }

  /** How a database is reached. */
  options(database: string, more: Partial<PostgresOptions> = {}): PostgresOptions {
    const password = (): PostgresPassword => new PostgresPassword(PASSWORD);
    return { host: "127.0.0.1", port: this.port, database, user: USER, tls: false, password, ...more };
  }

  /** What a statement says, by another client: a line a row. */
  async sql(text: string, database: string): Promise<string> {
    const args = ["-h", this.folder, "-p", `${this.port}`, "-U", NOBODY, "-d", database, "-XAtq", "-c", text];
    const { code, stdout, stderr } = await runProgram(...asNobody(`${postgresPrograms()}/psql`, args));
    if (code !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  /** What it said so far. */
  said(): string {
    return readFileSync(`${this.folder}/server.log`, "utf8");
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child?.[Symbol.asyncDispose]();
    this.#child = undefined;
  }

  async #certificate({ certificate, key }: NonNullable<ServerOptions["tls"]>): Promise<string[]> {
    const paths = { ssl_cert_file: certificate, ssl_key_file: key };
    for (const [name, text] of Object.entries(paths)) {
      const path = `${this.folder}/${name}`;
      await Deno.writeTextFile(path, text, { mode: 0o600 });
      await owned(path);
    }
    return ["ssl=on", ...Object.keys(paths).map((name) => `${name}=${this.folder}/${name}`)];
  }

  async #answers(): Promise<boolean> {
    const child = this.#child!;
    const ended = await Promise.race([child.status.then(() => true), accepts(this.port).then(() => false)]);
    if (ended) throw new Error(`postgres ended: ${child.errors}`);
    return await this.sql("SELECT 1", "postgres").then(() => true, () => false);
  }
}

async function makeData(): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "alknet-pg-" });
  globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  await owned(folder);
  const args = ["-D", `${folder}/data`, "-U", NOBODY, "-A", "trust", "-N", "-E", "UTF8", "--locale=C"];
  const { code, stderr } = await runProgram(...asNobody(`${postgresPrograms()}/initdb`, args));
  if (code !== 0) throw new Error(stderr);
  const rules = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
  await Deno.writeTextFile(`${folder}/data/pg_hba.conf`, rules);
  const single = ["--single", "-D", `${folder}/data`, "postgres"];
  const role = `CREATE ROLE ${USER} LOGIN PASSWORD '${PASSWORD}'`;
  const made = await runProgram(...asNobody(`${postgresPrograms()}/postgres`, single), { stdin: `${role}\n` });
  if (made.code !== 0) throw new Error(made.stderr);
  return folder;
}

/** A command as a user without rights: the server refuses to be root. */
function asNobody(program: string, args: readonly string[]): [string, string[]] {
  if (Deno.uid() !== 0) return [program, [...args]];
  return ["setpriv", [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, "--clear-groups", program, ...args]];
}

/** Gives a file or a folder to whom the server runs as. */
export async function owned(path: string): Promise<void> {
  if (Deno.uid() !== 0) return;
  const [, , uid, gid] = readFileSync("/etc/passwd", "utf8").split("\n").find((line) => line.startsWith(`${NOBODY}:`))!
    .split(":");
  await Deno.chown(path, Number(uid), Number(gid));
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

async function accepts(port: number): Promise<void> {
  for (;;) {
    const isThere = await new Promise<boolean>((resolve) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(false));
    });
    if (isThere) return;
    await new Promise((done) => setTimeout(done, 10));
  }
}
