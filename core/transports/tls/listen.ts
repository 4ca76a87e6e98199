/**
 * The listening side of TLS over TCP.
 *
 * A newcomer is counted when TCP accepts it, and has until the handshake timeout to become a connection. Its ClientHello
 * is read before TLS sees it: a hello without a protocol that is served here is answered with alert 120; the server name
 * picks the profile, and with it the certificate and whether the client's is asked for (core.md §10).
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createServer, type Server, type Socket } from "node:net";
import { createSecureContext, type SecureContext, TLSSocket } from "node:tls";
import { formatSocketAddress } from "../../handler/address.ts";
import { canonicalIp } from "../../ip.ts";
import { AlknetError } from "../../errors.ts";
import type { SocketAddress } from "../../handler/connection.ts";
import type { Peer } from "../../identity/identity.ts";
import { foreign, logger } from "../../log.ts";
import { portOwner } from "../port_owner.ts";
import type { ClientHello } from "../tls_client_hello.ts";
import type { CertificateKeyPair } from "../../identity/key_pair.ts";
import { assertPair, profileByServerName, type ProfileName } from "../tls_profile.ts";
import type { Listener, ListenRequest } from "../transport.ts";
import { provenPeer } from "../verify.ts";
import { alpnList } from "./alpn_list.ts";
import { HelloReader } from "./hello_reader.ts";
import { ListenerWatch, type WatchTimes } from "./listener_watch.ts";
import { assertReadsCanStop, NativeReads } from "./native_reads.ts";
import { connectionOver } from "./socket_link.ts";

const log = logger("tls");
/** Alert record: fatal, no_application_protocol (RFC 7301 §3.2). */
const NO_APPLICATION_PROTOCOL = Uint8Array.of(21, 3, 3, 0, 2, 2, 120);
/** Connections that the system completes before we take them; above it, it drops SYNs. */
const BACKLOG = 1024;
/** Between attempts to open a listener again, in milliseconds. */
const REOPEN_DELAY = 1000;

/**
 * Listens for TLS over TCP.
 *
 * @param request What to listen for.
 * @param times When the listener is called up, to see whether it takes newcomers; for tests.
 * @throws {AlknetError} `BIND_FAILED` with who holds the port where that can be known; `TLS_CONFIG` when a certificate
 * and its key do not fit.
 */
export async function listenTls(request: ListenRequest, times?: WatchTimes): Promise<Listener> {
  const listener = new TlsListener(request, times);
  await listener.bind();
  return listener;
}

class TlsListener implements Listener {
  readonly transport = "tls";
  readonly #request: ListenRequest;
  readonly #times: WatchTimes | undefined;
  readonly #contexts = new Map<ProfileName, SecureContext>();
  /** What the protocols are called on the wire, byte by byte, in the server's order. */
  readonly #alpns: readonly { readonly name: string; readonly wire: string }[];
  /** The one that takes newcomers; and those before it whose connections still run. */
  #server: Server;
  readonly #servers = new Set<Server>();
  #watch?: ListenerWatch;
  readonly #handshakes = new Set<Socket>();
  readonly #sockets = new Set<Socket>();
  #address: SocketAddress;
  #closed?: Promise<void>;

  constructor(request: ListenRequest, times?: WatchTimes) {
    this.#request = request;
    this.#times = times;
    this.#address = request.address;
    this.#alpns = request.alpns.map((name) => ({ name, wire: Buffer.from(name).toString("latin1") }));
    for (const name of ["identity", "public"] as const) {
      const pair = request.profiles[name];
      if (pair) this.#contexts.set(name, contextOf(name, pair));
    }
    this.#server = this.#newServer();
  }

  get address(): SocketAddress {
    return this.#address;
  }

  async bind(): Promise<void> {
    try {
      this.#address = await listenAt(this.#server, this.#request.address);
    } catch (cause) {
      throw await bindFailed(this.#request.address, cause as NodeJS.ErrnoException);
    }
    try {
      await assertReadsCanStop(this.#address.hostname);
    } catch (error) {
      await this.close();
      throw error;
    }
    this.#watch = new ListenerWatch(this.#address, () => this.#reopen(), this.#times);
  }

  #newServer(): Server {
    const server = createServer({ allowHalfOpen: true }, (raw) => {
      // Errors of a socket that nobody answers for yet; "close" follows.
      raw.on("error", ignore);
      if (this.#watch) this.#watch.took(raw, () => this.#accept(raw));
      else this.#accept(raw);
    });
    server.once("listening", () => {
      server.on("error", (error) => log.warn("accepting failed: {error}", { error: foreign(error.message) }));
    });
    this.#servers.add(server);
    server.once("close", () => this.#servers.delete(server));
    return server;
  }

  /** Opens another listener in the place of one that takes nobody any more. */
  async #reopen(): Promise<void> {
    log.error("the TCP listener {address} took nobody any more, and is opened again", {
      address: formatSocketAddress(this.#address),
    });
    this.#server.close();
    this.#server = this.#newServer();
    while (!this.#closed) {
      try {
        await listenAt(this.#server, this.#address);
        return;
      } catch {
        await new Promise((resolve) => setTimeout(resolve, REOPEN_DELAY));
      }
    }
    this.#server.close();
  }

  /** The gate is the endpoint's own. */
  adjustLimits(): void {}

  adjustCertificate(certificate: CertificateKeyPair): void {
    this.#contexts.set("public", contextOf("public", certificate));
  }

  stopAccepting(): Promise<void> {
    this.#watch?.end();
    this.#closed ??= Promise.all([...this.#servers].map((server) =>
      new Promise<void>((resolve) => {
        server.once("close", () => resolve());
        server.close();
      })
    )).then(() => {});
    // Not yet connections; they would become some after the drain began.
    for (const raw of this.#handshakes) raw.destroy();
    return Promise.resolve();
  }

  async close(): Promise<void> {
    await this.stopAccepting();
    for (const raw of this.#sockets) raw.destroy();
    await this.#closed;
  }

  #accept(raw: Socket): void {
    const { remoteAddress, remotePort = 0 } = raw;
    if (remoteAddress === undefined) return void raw.destroy();
    const hostname = canonicalIp(remoteAddress);
    const admission = this.#request.gate.admit(hostname);
    if (typeof admission === "string") return void raw.destroy();
    this.#sockets.add(raw);
    this.#handshakes.add(raw);
    const timer = setTimeout(() => raw.destroy(), this.#request.limits.handshakeTimeout);
    raw.once("close", () => {
      clearTimeout(timer);
      this.#sockets.delete(raw);
      this.#handshakes.delete(raw);
      admission.release();
    });
    const reader = new HelloReader(this.#request.limits.maxHandshakeBytes);
    const onData = (chunk: Buffer): void => {
      const state = reader.read(chunk);
      if (state.kind === "more") return;
      raw.off("data", onData);
      if (state.kind === "invalid") return void raw.destroy();
      raw.pause();
      try {
        this.#greet(raw, { hostname, port: remotePort }, state, () => {
          clearTimeout(timer);
          this.#handshakes.delete(raw);
          admission.handshakeDone();
        });
      } catch (error) {
        // What a newcomer brings must not end the node.
        log.error("a handshake could not begin: {error}", { error: foreign((error as Error).message) });
        raw.destroy();
      }
    };
    raw.on("data", onData);
    // A half-closed socket before its handshake is over wants nothing that we have.
    raw.once("end", () => {
      if (this.#handshakes.has(raw)) raw.destroy();
    });
  }

  /** Answers a ClientHello: with the alert, or with a handshake that ends in a connection. */
  #greet(
    raw: Socket,
    remoteAddress: SocketAddress,
    { hello, bytes }: { hello: ClientHello; bytes: Uint8Array },
    handshakeDone: () => void,
  ): void {
    const unnamed = hello.alpns.length === 0 ? this.#request.withoutAlpn : undefined;
    const chosen = unnamed ?? this.#alpns.find(({ wire }) => hello.alpns.includes(wire))?.name;
    if (chosen === undefined) {
      this.#request.gate.note(remoteAddress.hostname, hello.alpns.length === 0 ? "no-protocol" : "unknown-protocol");
      raw.end(NO_APPLICATION_PROTOCOL, () => raw.destroy());
      return;
    }
    const profile = profileByServerName(hello.serverName, this.#request.nodeId, this.#request.profiles);
    raw.unshift(bytes);
    const tls = new TLSSocket(
      raw,
      {
        isServer: true,
        secureContext: this.#contexts.get(profile),
        requestCert: profile === "identity",
        rejectUnauthorized: false,
        // Who names none is told none.
        ...unnamed === undefined && { ALPNProtocols: alpnList(chosen) },
        allowHalfOpen: true,
      } as ConstructorParameters<typeof TLSSocket>[1],
    );
    tls.on("error", ignore);
    tls.once("close", () => raw.destroy());
    const reads = new NativeReads(raw, bytes);
    const { maxHandshakeBytes } = this.#request.limits;
    reads.count((total) => {
      if (total > maxHandshakeBytes) raw.destroy();
    });
    tls.once("secure", () => {
      reads.count(undefined);
      const peer = this.#peerOf(tls, remoteAddress.hostname);
      if (!peer || (tls.alpnProtocol || unnamed) !== chosen) return void raw.destroy();
      handshakeDone();
      const facts = { alpn: chosen, peer, remoteAddress };
      this.#request.onConnection(connectionOver({ tls, raw, reads, dialled: false }, facts));
    });
  }

  /**
   * What the client's certificate proves; nothing when one was presented that proves nothing, or none was: the runtime gives
   * a resumed session the certificate of the first one, and whoever has the ticket need not have the key.
   */
  #peerOf(tls: TLSSocket, hostname: string): Peer | undefined {
    try {
      const peer = provenPeer(tls.getPeerX509Certificate()?.raw);
      if (peer.fingerprint === undefined || !tls.isSessionReused()) return peer;
      this.#request.gate.count("resumed-session");
    } catch (error) {
      this.#request.gate.note(hostname, "certificate");
      log.debug("certificate of {address}: {error}", { address: hostname, error: foreign((error as Error).message) });
    }
  }
}

function contextOf(name: ProfileName, pair: CertificateKeyPair): SecureContext {
  assertPair(name, pair);
  const minVersion = name === "identity" ? "TLSv1.3" : "TLSv1.2";
  return createSecureContext({ cert: pair.certificate, key: pair.privateKey, minVersion });
}

/** Listens, and says where: the port may have been left open. */
async function listenAt(server: Server, { hostname, port }: SocketAddress): Promise<SocketAddress> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen({ host: hostname, port, backlog: BACKLOG }, () => resolve());
  try {
    await promise;
  } finally {
    server.off("error", reject);
  }
  const bound = server.address();
  return { hostname, port: bound && typeof bound === "object" ? bound.port : port };
}

async function bindFailed(address: SocketAddress, cause: NodeJS.ErrnoException): Promise<AlknetError> {
  const where = `TCP ${formatSocketAddress(address)}`;
  if (cause.code === "EADDRINUSE") {
    const owner = await portOwner("tcp", address.port);
    const by = owner ? `${owner} holds it` : "another process holds it";
    return new AlknetError("BIND_FAILED", `cannot listen on ${where}: ${by}; stop it or choose another port`, {
      cause,
    });
  }
  const why = {
    EACCES: "ports below 1024 need privileges; choose a higher one",
    EADDRNOTAVAIL: "this machine does not have that address",
  }[cause.code ?? ""] ?? cause.message;
  return new AlknetError("BIND_FAILED", `cannot listen on ${where}: ${why}`, { cause });
}

function ignore(): void {}
