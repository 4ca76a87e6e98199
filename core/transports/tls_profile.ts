/**
 * The two faces of an endpoint. Which one a handshake gets is decided before a certificate is sent.
 *
 * @module
 */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
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

/**
 * The profile of a TLS handshake over TCP, by the server name that the client sends: in any case (RFC 4343), with or without
 * the dot of the root.
 */
export function profileByServerName(name: string | undefined, nodeId: string, profiles: TlsProfiles): ProfileName {
  const same = name?.toLowerCase().replace(/\.$/, "") === nodeId + IDENTITY_NAME_SUFFIX;
  return available(same ? "identity" : "public", profiles);
}

function available(wanted: ProfileName, profiles: TlsProfiles): ProfileName {
  if (profiles[wanted]) return wanted;
  return wanted === "identity" ? "public" : "identity";
}

/** Keys that both transports can show. */
const SERVED = "RSA of 2048 bits or more, P-256, P-384 or Ed25519";
const MIN_RSA_BITS = 2048;

/**
 * Looks whether a certificate and a key can serve a profile, over either transport: a handshake is too late to find out.
 *
 * @throws {AlknetError} `TLS_CONFIG`: they are not readable PEM, of a kind that is not served, or do not belong together.
 */
export function assertPair(name: ProfileName, { certificate, privateKey }: CertificateKeyPair): void {
  let fits: boolean;
  let served: boolean;
  try {
    const key = createPrivateKey(privateKey);
    served = isServed(key);
    fits = new X509Certificate(certificate).checkPrivateKey(key);
  } catch (cause) {
    // The parser's words are left to the cause: they may quote what it read.
    const message =
      `the certificate or key of the ${name} profile is not readable PEM of a kind that is served: ${SERVED}`;
    throw new AlknetError("TLS_CONFIG", message, { cause });
  }
  if (!served) {
    throw new AlknetError(
      "TLS_CONFIG",
      `the key of the ${name} profile is of a kind that is not served: use ${SERVED}`,
    );
  }
  if (!fits) {
    throw new AlknetError("TLS_CONFIG", `the private key does not belong to the certificate of the ${name} profile`);
  }
}

function isServed({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  if (type === "rsa") return (details?.modulusLength ?? 0) >= MIN_RSA_BITS;
  if (type === "ec") return details?.namedCurve === "prime256v1" || details?.namedCurve === "secp384r1";
  return type === "ed25519";
}
