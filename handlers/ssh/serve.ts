/**
 * A connection of SSH: who logs in, and what is served to who has.
 *
 * @module
 */
import { type Connection, foreign, type HandlerContext, type Identity } from "@alknet/core/handler";
import { Forwarding } from "./forwarding/forwarding.ts";
import { Authentication, MAX_ATTEMPTS } from "./login/authentication.ts";
import { policyOf } from "./login/policy.ts";
import type { SshOptions } from "./options.ts";
import { guardInbound } from "./protocol/inbound.ts";
import type { Ssh2Authentication, Ssh2Peer, Ssh2Server, Ssh2Session } from "./protocol/ssh2.ts";
import { StreamSocket } from "./protocol/stream_socket.ts";
import type { Program } from "./session/program.ts";
import { serveSession } from "./session/session.ts";
import type { SubsystemServer } from "./session/subsystem.ts";
import { takeTerminalModes } from "./session/terminal_modes.ts";

/** Time to log in, in milliseconds. */
const LOGIN_TIME = 30_000;
/** Programs of a connection at once, and sessions in which none runs yet. */
const MAX_SESSIONS = 64;
const PUBLIC_KEY_ONLY = ["publickey"];
/** Keys are exchanged anew after so many milliseconds, or bytes (RFC 4253 §9), as far as a look each second shows. */
const REKEY_TIME = 3_600_000;
const REKEY_BYTES = 2 ** 30;
const LOOK_INTERVAL = 1000;

/** A connection that was let in at the door. */
export interface Arrival {
  readonly connection: Connection;
  readonly context: HandlerContext;
  /** Speaks SSH on it. */
  readonly server: Ssh2Server;
  readonly options: SshOptions;
  /** Who waits for the peers that the server will tell of, by the connection's id. */
  readonly arriving: Map<string, (peer: Ssh2Peer) => void>;
  /** Called when somebody has logged in. */
  readonly admitted: () => void;
}

/** Serves it to its end. */
export async function serve(arrival: Arrival): Promise<void> {
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
    const client = { policy, address: remoteAddress.hostname, key, identity, log, signal };
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
    const client = { identity, log, draining: signal, identityProvider: context.identityProvider };
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
