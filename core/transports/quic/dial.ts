/**
 * Dialling over QUIC, with the engine in this process.
 *
 * @module
 */
import { AlknetError, type CloseInfo, DialError } from "../../errors.ts";
import type { LinkedConnection } from "../../handler/connection.ts";
import { NodeKey } from "../../identity/node_key.ts";
import type { DialRequest } from "../transport.ts";
import { checkPeer, trustedAuthorities } from "../verify.ts";
import { loadQuiche, type QuicheError } from "./engine/binding.ts";
import { bindUdp } from "./engine/udp.ts";
import type { UdpOptions } from "./engine/udp_socket.ts";
import { Driver } from "./driver.ts";
import { QuicConnection } from "./quic_connection.ts";

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
  const { signal, address, limits } = request;
  signal.throwIfAborted();
  const quiche = await loadQuiche();
  const any = address.hostname.includes(":") ? "::" : "0.0.0.0";
  const udp = await bindUdp({ hostname: any, port: 0 }, { implementation: options.udp });
  const driver = new Driver({ quiche, udp, limits, datagramSize: options.datagramSize });
  try {
    return await handshake(driver, request);
  } catch (error) {
    await driver.close();
    throw error;
  }
}

function handshake(driver: Driver, request: DialRequest): Promise<LinkedConnection> {
  const { address, alpn, expectation, signal } = request;
  const where = `${address.hostname} port ${address.port} over QUIC`;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const settled = () => signal.removeEventListener("abort", abort);
    driver.socket.dial({
      remote: address,
      serverName: request.serverName ?? (expectation.kind === "authorities" ? expectation.host : undefined),
      tls: {
        alpns: [alpn],
        // A server of the identity profile requires a certificate: who has none takes a throw-away key and is anonymous.
        certificate: request.certificate ?? NodeKey.generate().certificate(),
        peer: expectation.kind === "authorities" ? "authorities" : "require",
        authorities: expectation.kind === "authorities" ? expectation.authorities ?? trustedAuthorities() : undefined,
      },
      established: (session, facts) => {
        settled();
        try {
          // Before a byte of the application is sent.
          checkPeer(expectation, facts.certificate ? [facts.certificate] : [], where);
        } catch (error) {
          session.close(0, "");
          reject(error);
          return;
        }
        const connection = new QuicConnection(facts, session);
        connection.connection.closed.then(() => driver.close());
        resolve(connection.connection);
        return connection;
      },
      failed: (info, error) => {
        settled();
        reject(dialError(info, error, where, alpn));
      },
    });
  });
}

function dialError(info: CloseInfo, error: QuicheError | undefined, where: string, alpn: string): DialError {
  if (info.by === "timeout" || !error) return new DialError("UNREACHABLE", `${where} does not answer`);
  const { errorCode } = error;
  if (errorCode === NO_APPLICATION_PROTOCOL) {
    return new DialError("ALPN_REFUSED", `${where} does not serve ${JSON.stringify(alpn)}`);
  }
  if (CERTIFICATE_ALERTS.has(errorCode)) {
    const how = "no authority known here vouches for it; pin the node's id, ID@HOST:PORT, or name its authority";
    return new DialError("CERTIFICATE_REJECTED", `certificate of ${where} is not valid for this host: ${how}`);
  }
  if (errorCode === CONNECTION_REFUSED) return new DialError("HANDSHAKE_FAILED", `${where} refused the connection`);
  const alert = errorCode >= ALERT && errorCode < 2 * ALERT ? `TLS alert ${errorCode - ALERT}` : `error ${errorCode}`;
  const cause = new AlknetError("INTERNAL", new TextDecoder().decode(error.reason) || alert);
  return new DialError("HANDSHAKE_FAILED", `handshake with ${where} failed: ${alert}`, { cause });
}
