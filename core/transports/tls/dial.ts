/**
 * The dialling side of TLS over TCP.
 *
 * @module
 */
import { connect as connectTcp, type Socket } from "node:net";
import { checkServerIdentity, connect as connectOverTls, type ConnectionOptions, type TLSSocket } from "node:tls";
import { formatSocketAddress, isIpAddress } from "../../handler/address.ts";
import { DialError } from "../../errors.ts";
import type { LinkedConnection, SocketAddress } from "../../handler/connection.ts";
import { logger } from "../../log.ts";
import { IDENTITY_NAME_SUFFIX } from "../../identity/key_pair.ts";
import type { DialRequest } from "../transport.ts";
import { checkPeer, trustedAuthorities } from "../verify.ts";
import { alpnList } from "./alpn_list.ts";
import { NativeReads } from "./native_reads.ts";
import { connectionOver } from "./socket_link.ts";

/** What {@linkcode dialTls} needs. */
export interface TlsDialRequest extends DialRequest {
  /** A connected socket to use, such as one through a proxy; it is destroyed when the dial fails. */
  readonly socket?: Socket;
}

const log = logger("tls");
/** What OpenSSL and Node call a chain that does not hold, and what it means. */
const REJECTED: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: "it is self-signed; to trust it, pin its fingerprint or its node id",
  SELF_SIGNED_CERT_IN_CHAIN: "its chain ends at an authority that is not trusted here",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "no trusted authority vouches for it",
  UNABLE_TO_GET_ISSUER_CERT: "no trusted authority vouches for it",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "no trusted authority vouches for it",
  CERT_HAS_EXPIRED: "it has expired",
  CERT_NOT_YET_VALID: "it is not valid yet",
  CERT_REVOKED: "it was revoked",
  INVALID_PURPOSE: "it was not issued for servers",
  ERR_TLS_CERT_ALTNAME_INVALID: "it is for another name",
};

/**
 * Dials one address over TCP and TLS. The connection is given out only when the server is the one expected and has
 * agreed to the protocol.
 *
 * @throws {DialError} `UNREACHABLE`, `HANDSHAKE_FAILED`, `FINGERPRINT_MISMATCH`, `CERTIFICATE_REJECTED` or
 * `ALPN_REFUSED`; or the reason of the signal, as it is.
 */
export async function dialTls(request: TlsDialRequest): Promise<LinkedConnection> {
  request.signal.throwIfAborted();
  const raw = request.socket ?? connectTcp({
    host: request.address.hostname,
    port: request.address.port,
    allowHalfOpen: true,
  });
  const abort = (): void => void raw.destroy();
  request.signal.addEventListener("abort", abort);
  try {
    if (!request.socket) await connected(raw, request.address);
    return await handshake(raw, request);
  } catch (error) {
    raw.destroy();
    request.signal.throwIfAborted();
    throw error;
  } finally {
    request.signal.removeEventListener("abort", abort);
  }
}

/** Resolves when a TCP socket is connected. */
export function connected(raw: Socket, address: SocketAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error?: NodeJS.ErrnoException): void => {
      const why = error?.code === "ECONNREFUSED" ? "nothing listens there" : error?.message ?? "the socket closed";
      const message = `cannot reach ${formatSocketAddress(address)} over TCP: ${why}`;
      reject(new DialError("UNREACHABLE", message, { cause: error }));
    };
    raw.once("error", failed);
    raw.once("close", () => failed());
    raw.once("connect", () => {
      raw.off("error", failed);
      raw.removeAllListeners("close");
      resolve();
    });
  });
}

async function handshake(raw: Socket, request: TlsDialRequest): Promise<LinkedConnection> {
  const { alpn, expectation, address } = request;
  const where = formatSocketAddress(address);
  raw.on("error", ignore);
  const tls = connectOverTls(tlsOptions(raw, request));
  const reads = new NativeReads(raw);
  reads.count((total) => {
    if (total > request.limits.maxHandshakeBytes) raw.destroy();
  });
  await secured(tls, raw).catch((error) => {
    throw handshakeError(error, where, alpn, expectation.kind === "authorities");
  });
  reads.count(undefined);
  const chain = chainOf(tls, where);
  if (expectation.kind === "insecure") log.warn("the certificate of {where} is not checked", { where });
  const peer = checkPeer(expectation, chain, where);
  const isAgreed = tls.alpnProtocol === alpn || request.alpnOptional && !tls.alpnProtocol;
  if (!isAgreed) throw new DialError("ALPN_REFUSED", refusedAlpn(where, alpn));
  // The dial's own listeners go before the link adds its own.
  tls.removeAllListeners("error");
  return connectionOver({ tls, raw, reads, dialled: true }, { alpn, peer, remoteAddress: address });
}

function tlsOptions(raw: Socket, { serverName, alpn, expectation, certificate }: TlsDialRequest): ConnectionOptions {
  const trusts = expectation.kind === "authorities";
  const options: ConnectionOptions & { allowHalfOpen: boolean } = {
    socket: raw,
    // RFC 6066 §3: an IP address is no server name.
    servername: serverName === undefined || isIpAddress(serverName) ? "" : serverName,
    ALPNProtocols: alpnList(alpn) as ConnectionOptions["ALPNProtocols"],
    minVersion: serverName?.endsWith(IDENTITY_NAME_SUFFIX) ? "TLSv1.3" : "TLSv1.2",
    rejectUnauthorized: trusts,
    checkServerIdentity: (_name, presented) => trusts ? checkServerIdentity(expectation.host, presented) : undefined,
    allowHalfOpen: true,
  };
  if (trusts) options.ca = expectation.authorities ?? trustedAuthorities();
  if (certificate) Object.assign(options, { cert: certificate.certificate, key: certificate.privateKey });
  return options;
}

/** Resolves when the handshake is complete. */
function secured(tls: TLSSocket, raw: Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    tls.once("secureConnect", resolve);
    tls.once("error", reject);
    tls.once("close", () => reject());
    raw.once("close", () => reject());
  });
}

function handshakeError(
  error: NodeJS.ErrnoException | undefined,
  where: string,
  alpn: string,
  trusts: boolean,
): DialError {
  const code = error?.code ?? "";
  const options = { cause: error };
  if (/no.application.protocol/i.test(`${code} ${error?.message}`)) {
    return new DialError("ALPN_REFUSED", refusedAlpn(where, alpn), options);
  }
  // Deno gives the same codes to a server that cannot prove its key, which has nothing to do with authorities.
  if (REJECTED[code]) {
    return trusts
      ? new DialError("CERTIFICATE_REJECTED", `the certificate of ${where} is refused: ${REJECTED[code]}`, options)
      : new DialError("HANDSHAKE_FAILED", `${where} did not prove that it has the key of its certificate`, options);
  }
  const why = error && code !== "ECONNRESET" ? error.message : "the other end closed the connection";
  return new DialError("HANDSHAKE_FAILED", `TLS handshake with ${where} failed: ${why}`, options);
}

function refusedAlpn(where: string, alpn: string): string {
  return `${where} does not serve ${JSON.stringify(alpn)}`;
}

function chainOf(tls: TLSSocket, where: string): Uint8Array[] {
  try {
    const leaf = tls.getPeerX509Certificate()?.raw;
    return leaf ? [leaf] : [];
  } catch (cause) {
    throw new DialError("CERTIFICATE_REJECTED", `the certificate of ${where} cannot be read`, { cause });
  }
}

function ignore(): void {}
