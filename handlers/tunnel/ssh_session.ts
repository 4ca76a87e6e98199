/**
 * One SSH session as a tunnel uses it: proves who it is, opens channels, and has the far side listen.
 *
 * @module
 */
import { AlknetError, type Connection } from "@alknet/core/handler";
import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import { type AuthMethod, type Done, ssh2, type Ssh2Client } from "../ssh/protocol/ssh2.ts";
import { boundOutput } from "../ssh/protocol/channel_output.ts";
import type { Place } from "./forward.ts";
import { StreamSocket } from "../ssh/protocol/stream_socket.ts";

/** Who logs in, and how it is proven. */
export interface SshLogin {
  /** The name at the far side. */
  readonly user: string;
  /** Private keys in OpenSSH's format or in PEM, tried in order. */
  readonly keys?: readonly { readonly text: string; readonly passphrase?: string }[];
  /** Path of an agent's socket, tried after the keys. */
  readonly agent?: string;
  /**
   * Decides about the host key, by its fingerprint, `SHA256:` and base64 as `ssh-keygen -l` prints it, or by the key as
   * RFC 4253 §6.6 encodes it. Default: any, for the connection beneath has proven the node already.
   */
  readonly hostKey?: (fingerprint: string, key: Uint8Array) => boolean;
}

/** Why a channel was not opened (RFC 4254 §5.1). */
export class ChannelRefused extends Error {
  /** 1 prohibited, 2 connect failed, 3 unknown type, 4 out of resources; 0 the session is gone. */
  readonly reason: number;

  /**
   * A refusal.
   *
   * @param reason RFC 4254 §5.1.
   * @param message For people.
   */
  constructor(reason: number, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** Time to log in, in milliseconds. */
const READY_TIMEOUT = 30_000;
/** Between questions whether the far side is there, in milliseconds, and how many may stay without an answer. */
const KEEP_ALIVE = 15_000;
const KEEP_ALIVE_MISSES = 3;

/** Told of connections at the far side's listeners. */
export type OnForwarded = (listen: Place, accept: () => Duplex, refuse: () => void) => void;

/** A session that is logged in. */
export class SshSession {
  /** Resolves with the reason when it is over. */
  readonly closed: Promise<string>;
  readonly #client: Ssh2Client;
  #over = false;

  private constructor(client: Ssh2Client, connection: Connection, onForwarded: OnForwarded) {
    this.#client = client;
    let reason = "the far side ended the session";
    client.on("error", (error) => reason = error.message);
    this.closed = new Promise((resolve) =>
      client.on("close", () => {
        this.#over = true;
        connection.close(0, "");
        resolve(reason);
      })
    );
    client.on("tcp connection", ({ destIP, destPort }, accept, reject) => {
      onForwarded({ hostname: destIP, port: destPort }, () => boundOutput(accept()), reject);
    });
    client.on("unix connection", ({ socketPath }, accept, reject) => {
      onForwarded({ path: socketPath }, () => boundOutput(accept()), reject);
    });
  }

  /**
   * Logs in over the first stream of an `alknet/ssh` connection, which becomes the session's.
   *
   * @throws {AlknetError} `SSH_REFUSED`: the host key, or who we are; `SSH_FAILED`: anything else.
   */
  static async open(connection: Connection, login: SshLogin, onForwarded: OnForwarded): Promise<SshSession> {
    const { user, hostKey } = login;
    const sock = new StreamSocket(await connection.open());
    const client = new ssh2.Client();
    const session = new SshSession(client, connection, onForwarded);
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    client.once("ready", resolve);
    client.on("error", reject);
    session.closed.then((reason) => reject(new Error(reason)));
    client.connect({
      sock,
      username: user,
      authHandler: methods(login),
      hostVerifier: (key: Buffer) => hostKey ? hostKey(fingerprintOf(key), key) : true,
      algorithms: { cipher: ["chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com"] },
      readyTimeout: READY_TIMEOUT,
      keepaliveInterval: KEEP_ALIVE,
      keepaliveCountMax: KEEP_ALIVE_MISSES,
    });
    try {
      await ready;
    } catch (cause) {
      client.destroy();
      throw loginError(cause as Error & { level?: string }, user);
    }
    return session;
  }

  /**
   * A channel to a place at the far side (`direct-tcpip`, `direct-streamlocal@openssh.com`).
   *
   * @throws {ChannelRefused}
   */
  connect(to: Place, from: { readonly hostname: string; readonly port: number }): Promise<Duplex> {
    return this.#ask<Duplex>((done) =>
      "path" in to
        ? this.#client.openssh_forwardOutStreamLocal(to.path, done)
        : this.#client.forwardOut(from.hostname, from.port, to.hostname, to.port, done)
    ).then(boundOutput);
  }

  /**
   * Has the far side listen (`tcpip-forward`, `streamlocal-forward@openssh.com`).
   *
   * @returns Where, with the port that was free if 0 was asked for.
   * @throws {ChannelRefused}
   */
  async listen(at: Place): Promise<Place> {
    if ("path" in at) {
      await this.#ask<void>((done) => this.#client.openssh_forwardInStreamLocal(at.path, done));
      return at;
    }
    // RFC 4254 §7.1: an empty address is every one.
    const bind = at.hostname === "0.0.0.0" ? "" : at.hostname;
    const port = await this.#ask<number>((done) => this.#client.forwardIn(bind, at.port, done));
    return { hostname: at.hostname, port };
  }

  /** Ends it. */
  close(): void {
    this.#client.end();
  }

  #ask<T>(ask: (done: Done<T>) => unknown): Promise<T> {
    return new Promise((resolve, reject) => {
      const refused = (error: Error & { reason?: unknown }): void => {
        reject(new ChannelRefused(typeof error.reason === "number" ? error.reason : 0, error.message));
      };
      if (this.#over) return refused(new Error("the session is over"));
      try {
        ask((error, value) => error ? refused(error) : resolve(value));
      } catch (error) {
        refused(error as Error);
      }
    });
  }
}

/** `none` first: a node that trusts the identity of the connection asks for nothing else. */
function methods({ user: username, keys = [], agent }: SshLogin): AuthMethod[] {
  return [
    { type: "none", username },
    ...keys.map(({ text: key, passphrase }) => ({ type: "publickey" as const, username, key, passphrase })),
    ...agent === undefined ? [] : [{ type: "agent" as const, username, agent }],
  ];
}

function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash("sha256").update(key).digest("base64").replace(/=+$/, "")}`;
}

function loginError(cause: Error & { level?: string }, user: string): AlknetError {
  const refused = cause.level === "client-authentication";
  const message = refused
    ? `login as ${JSON.stringify(user)} was refused: no key that was tried is known there`
    : `no SSH session: ${cause.message}`;
  return new AlknetError(refused ? "SSH_REFUSED" : "SSH_FAILED", message, { cause });
}
