/**
 * Dialling over QUIC, with the engine in this process.
 *
 * @module
 */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { AlknetError, type CloseInfo, DialError } from "../../../errors.ts";
import type { LinkedConnection, SocketAddress } from "../../../handler/connection.ts";
import { canonicalIp } from "../../../ip.ts";
import { NodeKey } from "../../../identity/node_key.ts";
import type { DialRequest } from "../../transport.ts";
import { checkPeer, trustedAuthorities } from "../../verify.ts";
import type { QuicheError } from "../engine/binding.ts";
import type { Session } from "../engine/session/session.ts";
import type { DialOptions } from "../engine/socket.ts";
import type { UdpOptions } from "../engine/udp/udp_socket.ts";
import { type DialSocket, dialSocket } from "./dial_socket.ts";
import type { Driver } from "./driver.ts";
import { QuicConnection } from "../connection/quic_connection.ts";

/** How a dial sends. */
export interface QuicDialOptions {
  /** Longest UDP payload to send, in bytes. Default: tens of kilobytes on loopback, 1350 elsewhere. */
  readonly datagramSize?: number;
  /** How UDP is done. Default: the fastest way there is here. */
  readonly udp?: UdpOptions["implementation"];
}

/** RFC 9001 §4.8: a TLS alert is carried as 0x100 and its number. */
const ALERT = 0x100;
const NO_APPLICATION_PROTOCOL = ALERT + 120;
/** Alerts about the server's certificate: bad, unsupported, revoked, expired, unknown, unknown authority. */
const CERTIFICATE_ALERTS: ReadonlySet<number> = new Set([42, 43, 44, 45, 46, 48].map((alert) => ALERT + alert));
const CONNECTION_REFUSED = 0x02;

/**
 * Dials one address.
 *
 * @throws {DialError} See its codes.
 */
export async function dialQuic(request: DialRequest, options: QuicDialOptions = {}): Promise<LinkedConnection> {
  const { signal } = request;
  signal.throwIfAborted();
  // Answers are known by where they come from, as the system writes it.
  const address = { ...request.address, hostname: canonicalIp(request.address.hostname) };
  const { driver, release } = await socketFor(address, options.udp);
  try {
    return await handshake(driver, { ...request, address }, release, options.datagramSize);
  } catch (error) {
    await release();
    throw error;
  }
}

/** A socket to dial an address from. Where this machine has none for its family, that address alone is out of reach. */
async function socketFor(
  { hostname, port }: SocketAddress,
  implementation: QuicDialOptions["udp"],
): Promise<DialSocket> {
  try {
    return await dialSocket(hostname.includes(":") ? "::" : "0.0.0.0", implementation);
  } catch (cause) {
    if (cause instanceof AlknetError && cause.code === "NO_TRANSPORT") throw cause;
    const why = (cause as Error).message;
    throw new DialError("UNREACHABLE", `${hostname} port ${port} cannot be dialled over QUIC: ${why}`, { cause });
  }
}

function handshake(
  driver: Driver,
  request: DialRequest,
  release: () => Promise<void>,
  datagramSize?: number,
): Promise<LinkedConnection> {
  const { address, alpn, expectation, signal, limits } = request;
  const where = `${address.hostname} port ${address.port} over QUIC`;
  const { promise, resolve, reject } = Promise.withResolvers<LinkedConnection>();
  const named = expectation.kind === "authorities" ? expectation.host : undefined;
  // quiche compares a server name with the DNS names of the certificate alone: an IP address is compared here.
  const ip = named !== undefined && isIP(named) !== 0 ? named : undefined;
  const session = dial(driver, where, {
    remote: address,
    serverName: request.serverName ?? (ip === undefined ? named : undefined),
    limits,
    datagramSize,
    tls: {
      alpns: [alpn],
      // A server of the identity profile requires a certificate: who has none takes a throw-away key and is anonymous.
      certificate: request.certificate ?? NodeKey.generate().certificate(),
      peer: expectation.kind === "authorities" ? "authorities" : "require",
      authorities: expectation.kind === "authorities" ? expectation.authorities ?? trustedAuthorities() : undefined,
    },
    established: (session, facts) => {
      try {
        // Before a byte of the application is sent.
        checkPeer(expectation, facts.certificate ? [facts.certificate] : [], where);
        if (ip !== undefined) checkAddress(facts.certificate!, ip, where);
      } catch (error) {
        session.close(0, "");
        reject(error);
        return;
      }
      // From here on the connection is closed through itself, or it would never hear of its end.
      signal.removeEventListener("abort", abort);
      const connection = new QuicConnection(facts, session, release);
      resolve(connection.connection);
      return connection;
    },
    failed: (info, error) => reject(dialError(info, error, where, alpn)),
  });
  const abort = () => {
    session.close(0, "");
    reject(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  return promise.finally(() => signal.removeEventListener("abort", abort));
}

function dial({ socket }: Driver, where: string, options: DialOptions): Session {
  try {
    return socket.dial(options);
  } catch (error) {
    if (error instanceof AlknetError) throw error;
    throw new DialError("UNREACHABLE", `${where} cannot be dialled: ${(error as Error).message}`, { cause: error });
  }
}

/** RFC 9110 §4.3.5: an IP address must be among the certificate's addresses, exactly. */
function checkAddress(certificate: Uint8Array, ip: string, where: string): void {
  if (new X509Certificate(certificate).checkIP(ip.split("%")[0]) === undefined) throw invalidCertificate(where);
}

function invalidCertificate(where: string): DialError {
  const how = "no authority known here vouches for it; pin the node's id, ID@HOST:PORT, or name its authority";
  return new DialError("CERTIFICATE_REJECTED", `certificate of ${where} is not valid for this host: ${how}`);
}

function dialError(info: CloseInfo, error: QuicheError | undefined, where: string, alpn: string): DialError {
  if (info.by === "timeout" || !error) return new DialError("UNREACHABLE", `${where} does not answer`);
  const { errorCode } = error;
  if (errorCode === NO_APPLICATION_PROTOCOL) {
    return new DialError("ALPN_REFUSED", `${where} does not serve ${JSON.stringify(alpn)}`);
  }
  if (CERTIFICATE_ALERTS.has(errorCode)) return invalidCertificate(where);
  if (errorCode === CONNECTION_REFUSED) return new DialError("HANDSHAKE_FAILED", `${where} refused the connection`);
  const alert = errorCode >= ALERT && errorCode < 2 * ALERT ? `TLS alert ${errorCode - ALERT}` : `error ${errorCode}`;
  const cause = new AlknetError("INTERNAL", new TextDecoder().decode(error.reason) || alert);
  return new DialError("HANDSHAKE_FAILED", `handshake with ${where} failed: ${alert}`, { cause });
}
