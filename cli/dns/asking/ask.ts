/**
 * One question to one server, by each way there is.
 *
 * @module
 */
import type { Connection } from "@alknet/core/handler";
import { AlknetError, ConnectionClosedError } from "@alknet/core/handler";
import { exchange, type Message } from "@alknet/handlers/dns";
import { prepareDials } from "../../reaching/reach.ts";
import { askHttps } from "./https.ts";
import { askPlain } from "./plain.ts";
import type { Server, Via } from "./server.ts";

/** Who is believed, and for how long it is waited. */
export interface AskOptions {
  /** Skip the check of the server. */
  readonly insecure: boolean;
  /** File of certificate authorities. */
  readonly ca?: string;
  /** Milliseconds for all of it. */
  readonly timeout: number;
  /** Home folder, whose key proves who we are. */
  readonly home?: string;
  /** File with the passphrase of the vault. */
  readonly passphraseFile?: string;
}

/** What each way is dialled by. */
const TRANSPORTS: Readonly<Record<Exclude<Via, "udp">, "quic" | "tls" | "auto">> = {
  dot: "tls",
  doq: "quic",
  doh: "tls",
  alknet: "auto",
};
const ALPNS: Readonly<Record<Exclude<Via, "udp">, string>> = {
  dot: "dot",
  doq: "doq",
  doh: "http/1.1",
  alknet: "alknet/dns",
};

/**
 * Asks.
 *
 * @param signal Ends it.
 * @returns The answer's bytes.
 * @throws {AlknetError} `DialError`; `TIMEOUT`; `HTTP_STATUS`; the stream's or network's own failure.
 */
export async function ask(
  { address, via, path }: Server,
  query: Message,
  options: AskOptions,
  signal: AbortSignal,
): Promise<Uint8Array> {
  const late = AbortSignal.timeout(options.timeout);
  const ended = AbortSignal.any([signal, late]);
  try {
    if (via === "udp") return await askPlain(address, query, ended);
    const dial = await prepareDials({ ...options, address, transport: TRANSPORTS[via] });
    await using connection = await dial(address, ALPNS[via], ended);
    return await until(ended, connection, async () => {
      const stream = await connection.open();
      return via === "doh"
        ? await askHttps(stream, address, path, query)
        : await exchange(stream, query, via === "doq");
    });
  } catch (error) {
    if (!late.aborted || signal.aborted) throw error;
    throw new AlknetError("TIMEOUT", `${address} did not answer within ${options.timeout} ms`, { cause: error });
  }
}

/** Runs until a signal closes the connection below. */
async function until<T>(signal: AbortSignal, connection: Connection, action: () => Promise<T>): Promise<T> {
  const close = (): void => connection.close(0, "");
  signal.addEventListener("abort", close, { once: true });
  try {
    return await Promise.race([
      action(),
      connection.closed.then((info): never => {
        throw new ConnectionClosedError(info);
      }),
    ]);
  } finally {
    signal.removeEventListener("abort", close);
  }
}
