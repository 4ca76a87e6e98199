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
import { createPrivateKey, X509Certificate } from "node:crypto";
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
import { profileByServerName, type ProfileName } from "../tls_profile.ts";
import type { Listener, ListenRequest } from "../transport.ts";
import { provenPeer } from "../verify.ts";
import { alpnList } from "./alpn_list.ts";
import { HelloReader } from "./hello_reader.ts";
import { NativeReads } from "./native_reads.ts";
import { connectionOver } from "./socket_link.ts";

const log = logger("tls");
/** Alert record: fatal, no_application_protocol (RFC 7301 §3.2). */
const NO_APPLICATION_PROTOCOL = Uint8Array.of(21, 3, 3, 0, 2, 2, 120);
/** Connections that the system completes before we take them; above it, it drops SYNs. */
const BACKLOG = 1024;

/**
 * Listens for TLS over TCP.
 *
 * @throws {AlknetError} `BIND_FAILED` with who holds the port where that can be known; `TLS_CONFIG` when a certificate
 * and its key do not fit.
 */
export async function listenTls(request: ListenRequest): Promise<Listener> {
  const listener = new TlsListener(request);
  await listener.bind();
  return listener;
}

class TlsListener implements Listener {
  readonly transport = "tls";
  readonly #request: ListenRequest;
  readonly #contexts = new Map<ProfileName, SecureContext>();
  /** What the protocols are called on the wire, byte by byte, in the server's order. */
  readonly #alpns: readonly { readonly name: string; readonly wire: string }[];
  readonly #server: Server;
  readonly #handshakes = new Set<Socket>();
  readonly #sockets = new Set<Socket>();
  #address: SocketAddress;
  #closed?: Promise<void>;

  constructor(request: ListenRequest) {
    this.#request = request;
    this.#address = request.address;
    this.#alpns = request.alpns.map((name) => ({ name, wire: Buffer.from(name).toString("latin1") }));
    for (const name of ["identity", "public"] as const) {
      const pair = request.profiles[name];
      if (pair) this.#contexts.set(name, contextOf(name, pair));
    }
    this.#server = createServer({ allowHalfOpen: true }, (raw) => this.#accept(raw));
  }

  get address(): SocketAddress {
    return this.#address;
  }

  async bind(): Promise<void> {
    const { hostname, port } = this.#request.address;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once("error", reject);
    this.#server.listen({ host: hostname, port, backlog: BACKLOG }, () => resolve());
    try {
      await promise;
    } catch (cause) {
      throw await bindFailed(this.#request.address, cause as NodeJS.ErrnoException);
    }
    this.#server.off("error", reject);
    this.#server.on("error", (error) => log.warn("accepting failed: {error}", { error: foreign(error.message) }));
    const bound = this.#server.address();
    if (bound && typeof bound === "object") this.#address = { hostname, port: bound.port };
  }

  /** The gate is the endpoint's own. */
  adjustLimits(): void {}

  stopAccepting(): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()));
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
    // Errors of a socket that nobody answers for yet; "close" follows.
    raw.on("error", ignore);
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
      this.#greet(raw, { hostname, port: remotePort }, state, () => {
        clearTimeout(timer);
        this.#handshakes.delete(raw);
        admission.handshakeDone();
      });
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
    const chosen = this.#alpns.find(({ wire }) => hello.alpns.includes(wire));
    if (!chosen) {
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
        ALPNProtocols: alpnList(chosen.name),
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
      if (!peer || tls.alpnProtocol !== chosen.name) return void raw.destroy();
      handshakeDone();
      const facts = { alpn: chosen.name, peer, remoteAddress };
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

function contextOf(name: ProfileName, { certificate, privateKey }: CertificateKeyPair): SecureContext {
  try {
    if (!new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey))) {
      throw new AlknetError("TLS_CONFIG", `the private key does not belong to the certificate of the ${name} profile`);
    }
    return createSecureContext({
      cert: certificate,
      key: privateKey,
      minVersion: name === "identity" ? "TLSv1.3" : "TLSv1.2",
    });
  } catch (cause) {
    if (cause instanceof AlknetError) throw cause;
    // The parser's words are left to the cause: they may quote what it read.
    throw new AlknetError("TLS_CONFIG", `the certificate or key of the ${name} profile is not readable PEM`, { cause });
  }
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
