/**
 * SSH (RFC 4251 to 4254) over the first stream of any connection.
 *
 * Participants: an SSH client such as OpenSSH's behind `alknet dial`, and this node. Messages: those of SSH, by the package
 * `ssh2`. Identity: a public key that the configuration knows, or the one that TLS has proven. Nothing is stored.
 *
 * @example A command that the node answers itself: `ssh NODE count-bytes < file`
 * ```ts
 * import type { SshProgram } from "@alknet/handlers/ssh";
 *
 * // For the `programs` of `ssh()`.
 * const countBytes: SshProgram = {
 *   name: "count-bytes",
 *   matches: (command, identity) => command[0] === "count-bytes" && identity !== undefined,
 *   async run(_command, { stdin, stdout }) {
 *     let count = 0;
 *     for await (const { length } of stdin) count += length;
 *     await stdout.getWriter().write(new TextEncoder().encode(`${count}\n`));
 *     return 0;
 *   },
 * };
 * console.assert(countBytes.matches(["count-bytes"], { id: "ada", scopes: [], resources: {} }));
 * ```
 *
 * @module
 */
import {
  type Connection,
  defineHandler,
  foreign,
  type Handler,
  type HandlerContext,
  type Identity,
  type Logger,
} from "@alknet/core/handler";
import { Admission } from "./login/admission.ts";
import { Authentication, MAX_ATTEMPTS } from "./login/authentication.ts";
import { Destinations } from "./forwarding/destinations.ts";
import { Forwarding } from "./forwarding/forwarding.ts";
import { policyOf, type SshPolicy } from "./login/policy.ts";
import type { Program } from "./session/program.ts";
import type { SshProgram } from "./session/served_program.ts";
import { serveSession } from "./session/session.ts";
import { ssh2, type Ssh2Authentication, type Ssh2Peer, type Ssh2Server, type Ssh2Session } from "./protocol/ssh2.ts";
import { guardInbound } from "./protocol/inbound.ts";
import { StreamSocket } from "./protocol/stream_socket.ts";
import type { SubsystemServer, SubsystemStream } from "./session/subsystem.ts";
import { takeTerminalModes } from "./session/terminal_modes.ts";

export type { SshPolicy } from "./login/policy.ts";
export type { SshProgram, SshProgramContext, SshProgramStreams } from "./session/served_program.ts";
export type { SubsystemStream } from "./session/subsystem.ts";

/** The protocol's name on the wire. */
export const SSH_ALPN = "alknet/ssh";

/** Who asks for a subsystem. */
export interface SubsystemClient {
  /** What it may do. */
  readonly policy: SshPolicy;
  /** Its address. */
  readonly address: string;
  /** The fingerprint of the key with which it has logged in. */
  readonly key: string;
  /** Tagged with its connection. */
  readonly log: Logger;
  /** Aborted when the endpoint begins to drain. */
  readonly signal: AbortSignal;
}

/** Serves a subsystem to a client until either is done. What it rejects with ends that session alone. */
export type Subsystem = (stream: SubsystemStream, client: SubsystemClient) => Promise<unknown>;

/** Options of {@linkcode ssh}. */
export interface SshOptions {
  /** Private keys of the host, in OpenSSH's format: Ed25519 first, others for old clients. */
  readonly hostKeys: readonly string[];
  /** What identities may do, by id. Who is not named has what its scopes give: `ssh:shell`, `ssh:exec`. */
  readonly policies?: Readonly<Record<string, SshPolicy>>;
  /**
   * Whether who was proven by TLS needs no key of SSH.
   *
   * @default {false}
   */
  readonly trustTlsIdentity?: boolean;
  /** What serves subsystems (RFC 4254 §6.5): `sftp`, to whose policy has a folder for it. Default: none is served. */
  readonly subsystems?: { readonly sftp?: Subsystem };
  /** Commands that the node answers itself, to everyone who has logged in: they are asked before the policy is. Default: none. */
  readonly programs?: readonly SshProgram[];
}

/** Time to log in, in milliseconds. */
const LOGIN_TIME = 30_000;
/** Programs of a connection at once, and sessions in which none runs yet. */
const MAX_SESSIONS = 64;
const PUBLIC_KEY_ONLY = ["publickey"];
/** Keys are exchanged anew after so many milliseconds, or bytes (RFC 4253 §9), as far as a look each second shows. */
const REKEY_TIME = 3_600_000;
const REKEY_BYTES = 2 ** 30;
const LOOK_INTERVAL = 1000;

/** What `ssh-audit` has nothing against, as far as ssh2 has it. chacha20 is the fastest here. */
const ALGORITHMS = {
  kex: [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "diffie-hellman-group16-sha512",
    "diffie-hellman-group18-sha512",
  ],
  cipher: ["chacha20-poly1305@openssh.com", "aes256-gcm@openssh.com", "aes128-gcm@openssh.com"],
  hmac: ["hmac-sha2-512-etm@openssh.com", "hmac-sha2-256-etm@openssh.com"],
  compress: ["none"],
} as const;

/**
 * The SSH handler.
 *
 * @throws {RangeError} A policy names a destination that cannot be read, or files for who runs programs as another user.
 * @throws {Error} A host key cannot be read.
 */
export function ssh(options: SshOptions): Handler<readonly [typeof SSH_ALPN]> {
  for (const [id, { forward = [], listen = [], sftp, user }] of Object.entries(options.policies ?? {})) {
    new Destinations([...forward, ...listen]);
    if (sftp && user !== undefined) {
      throw new RangeError(
        `policies.${id} has both sftp and user: files are served as the node's own user, so leave out one`,
      );
    }
  }
  const server = new ssh2.Server({ hostKeys: options.hostKeys, algorithms: ALGORITHMS, ident: "Alknet" });
  const arriving = new Map<string, (peer: Ssh2Peer) => void>();
  server.on("connection", (peer: Ssh2Peer, { ip }: { ip: string }) => arriving.get(ip)?.(peer));
  const admission = new Admission();
  return defineHandler({
    alpns: [SSH_ALPN],
    description: "shells, commands, forwarding",
    async handle(connection, context) {
      const admitted = admission.admit();
      if (!admitted) {
        const { hostname: src } = connection.remoteAddress;
        context.log.warn("dropped src={src} reason={reason}", { src, reason: "too-many-logins" });
        return;
      }
      try {
        await serve({ connection, context, server, options, arriving, admitted });
      } finally {
        admitted();
        arriving.delete(connection.id);
      }
    },
  });
}

interface Arrival {
  readonly connection: Connection;
  readonly context: HandlerContext;
  readonly server: Ssh2Server;
  readonly options: SshOptions;
  readonly arriving: Map<string, (peer: Ssh2Peer) => void>;
  readonly admitted: () => void;
}

async function serve(arrival: Arrival): Promise<void> {
  const { connection, context, server, arriving } = arrival;
  for await (const stream of connection) {
    const socket = new StreamSocket(stream, connection.id);
    const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
    const late = setTimeout(() => socket.destroy(), LOGIN_TIME);
    const programs = new Set<Program>();
    let forwarding: Forwarding | undefined;
    arriving.set(connection.id, (peer) => {
      peer.on("error", (error: Error) => context.log.debug("{message}", { message: foreign(error.message) }));
      const terminalModes = takeTerminalModes(peer);
      guardInbound(peer);
      logIn(peer, arrival, (identity, key) => {
        clearTimeout(late);
        rekeyInTime(peer, socket);
        forwarding = serveClient(peer, { identity, key, terminalModes }, arrival, programs);
      });
    });
    socket.on("error", () => {});
    server.injectSocket(socket);
    connection.closed.then(() => socket.destroy());
    const drain = (): void => {
      if (programs.size === 0) socket.end();
    };
    context.signal.addEventListener("abort", drain);
    await closed;
    context.signal.removeEventListener("abort", drain);
    clearTimeout(late);
    forwarding?.close();
    for (const program of programs) program.hangUp();
    return;
  }
}

function rekeyInTime(peer: Ssh2Peer, socket: StreamSocket): void {
  let last = { at: performance.now(), bytes: socket.transferred };
  const looking = setInterval(() => {
    const now = performance.now();
    if (now - last.at < REKEY_TIME && socket.transferred - last.bytes < REKEY_BYTES) return;
    last = { at: now, bytes: socket.transferred };
    peer.rekey();
  }, LOOK_INTERVAL);
  socket.once("close", () => clearInterval(looking));
}

/** Answers attempts until one is right, or there were too many. */
function logIn(
  peer: Ssh2Peer,
  { connection, context, options, admitted }: Arrival,
  then: (identity: Identity, key: string) => void,
): void {
  const trusted = options.trustTlsIdentity ? connection.identity : undefined;
  const authentication = new Authentication({ context, trusted });
  let failures = 0;
  peer.on("authentication", (attempt: Ssh2Authentication) => {
    if (context.authenticationRefused()) return void peer.end();
    const result = authentication.decide(attempt);
    if (result.kind === "offer accepted") return attempt.accept();
    if (result.kind === "accepted") {
      const { identity, fingerprint } = result;
      context.authenticated();
      context.log.info("login of {id} with {fingerprint}", { id: identity.id, fingerprint });
      admitted();
      peer.once("ready", () => then(identity, fingerprint));
      return attempt.accept();
    }
    // `none` is how clients ask what there is.
    if (attempt.method !== "none") {
      failures++;
      const { reason, fingerprint: key = "-" } = result;
      const { hostname: src } = connection.remoteAddress;
      context.log.warn("authentication failed src={src} reason={reason} key={key}", { src, reason, key });
      context.authenticationFailed();
    }
    attempt.reject(PUBLIC_KEY_ONLY);
    if (failures >= MAX_ATTEMPTS) peer.end();
  });
}

/** Who has logged in. */
interface Client {
  readonly identity: Identity;
  readonly key: string;
  readonly terminalModes: () => Uint8Array;
}

/** What is served to who has logged in. */
function serveClient(
  peer: Ssh2Peer,
  { identity, key, terminalModes }: Client,
  arrival: Arrival,
  programs: Set<Program>,
): Forwarding {
  const { connection: { remoteAddress, id }, context, options } = arrival;
  const policy = policyOf(identity, options.policies ?? {});
  const refused = (what: string): void => {
    const { hostname: src } = remoteAddress;
    context.log.warn("not allowed src={src} what={what} key={key}", { src, what, key });
  };
  const env = { SSH_CONNECTION: `${remoteAddress.hostname} ${remoteAddress.port} 127.0.0.1 0`, ALKNET_CONNECTION: id };
  const subsystems = new Map<string, SubsystemServer>();
  const { log, signal } = context;
  const serveFiles = policy.sftp && options.subsystems?.sftp;
  if (serveFiles) {
    const client = { policy, address: remoteAddress.hostname, key, log, signal };
    subsystems.set("sftp", async (stream) => {
      await serveFiles(stream, client).catch((error) => {
        log.error("the subsystem failed: {message}", { message: foreign(String(error?.message)) });
      });
    });
  }
  let sessions = 0;
  peer.on("session", (accept: () => Ssh2Session, reject: () => void) => {
    if (Math.max(programs.size, sessions) >= MAX_SESSIONS || context.signal.aborted) return reject();
    const started = (program: Program): void => {
      programs.add(program);
      program.ended.then(() => programs.delete(program));
    };
    const client = { identity, log };
    const { programs: offered = [] } = options;
    const session = accept();
    sessions++;
    session.once("close", () => {
      sessions--;
      closeUnused(peer, session);
    });
    serveSession(session, { policy, env, terminalModes, subsystems, programs: offered, client, refused, started });
  });
  return new Forwarding(peer, { policy, refused });
}

/** ssh2 neither answers nor forgets a session that is closed before anything ran in it. */
function closeUnused(peer: Ssh2Peer, { _channel, _chanInfo: { incoming, outgoing } }: Ssh2Session): void {
  if (_channel) return;
  peer._chanMgr.remove(incoming.id);
  peer._protocol.channelClose(outgoing.id);
}
