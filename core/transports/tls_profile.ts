/**
 * The two faces of an endpoint. Which one a handshake gets is decided before a certificate is sent.
 *
 * @module
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { AlknetError } from "../errors.ts";
import { type CertificateKeyPair, IDENTITY_NAME_SUFFIX } from "../identity/key_pair.ts";

/**
 * The certificates of an endpoint. The *identity* profile proves the node's key and asks for the client's; the *public*
 * profile carries a certificate that browsers accept and asks for none. An endpoint with one serves both with it.
 */
export interface TlsProfiles {
  /** The node certificate. */
  readonly identity?: CertificateKeyPair;
  /** An X.509 certificate for ordinary clients. */
  readonly public?: CertificateKeyPair;
}

/** Name of a profile. */
export type ProfileName = keyof TlsProfiles;

/** ALPN strings of this prefix are Alknet's own. */
const OWN_ALPN = "alknet/";
/** Registered for one transport alone (RFC 9113 §3.2, RFC 7301 §6, RFC 7858 §3.1, RFC 9250 §4.1.1): not offered over the other. */
const ONLY: ReadonlyMap<string, "quic" | "tls"> = new Map([
  ["h2", "tls"],
  ["http/1.1", "tls"],
  ["http/1.0", "tls"],
  ["dot", "tls"],
  ["doq", "quic"],
]);

/** Whether a transport carries a protocol. */
export function carries(transport: "quic" | "tls", alpn: string): boolean {
  return (ONLY.get(alpn) ?? transport) === transport;
}

/** The ALPN strings of a router that make sense on a transport, in the same order. */
export function alpnsFor(transport: "quic" | "tls", alpns: readonly string[]): string[] {
  return alpns.filter((alpn) => carries(transport, alpn));
}

/** Whether an ALPN is one of Alknet's own, which the identity profile serves. */
export function isOwnAlpn(alpn: string): boolean {
  return alpn.startsWith(OWN_ALPN);
}

/** The profile of a QUIC handshake, by what the client offers. */
export function profileByAlpn(offered: readonly string[], profiles: TlsProfiles): ProfileName {
  return available(offered.some(isOwnAlpn) ? "identity" : "public", profiles);
}

/** The profile of a TLS handshake over TCP, by the server name that the client sends. */
export function profileByServerName(name: string | undefined, nodeId: string, profiles: TlsProfiles): ProfileName {
  return available(name?.toLowerCase() === nodeId + IDENTITY_NAME_SUFFIX ? "identity" : "public", profiles);
}

function available(wanted: ProfileName, profiles: TlsProfiles): ProfileName {
  if (profiles[wanted]) return wanted;
  return wanted === "identity" ? "public" : "identity";
}

/**
 * Looks whether a certificate and a key can serve a profile.
 *
 * @throws {AlknetError} `TLS_CONFIG`: they are not readable PEM, or do not belong together.
 */
export function assertPair(name: ProfileName, { certificate, privateKey }: CertificateKeyPair): void {
  let fits: boolean;
  try {
    fits = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey));
  } catch (cause) {
    // The parser's words are left to the cause: they may quote what it read.
    throw new AlknetError("TLS_CONFIG", `the certificate or key of the ${name} profile is not readable PEM`, { cause });
  }
  if (!fits) {
    throw new AlknetError("TLS_CONFIG", `the private key does not belong to the certificate of the ${name} profile`);
  }
}
