/**
 * What a certificate chain proves: about a server to a dialler that expects it, and about a client to a server.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { getCACertificates, rootCertificates } from "node:tls";
import { AlknetError, DialError } from "../errors.ts";
import { type Element, readElement, readElements, Tag } from "../identity/der.ts";
import { fingerprintOf } from "../identity/fingerprint.ts";
import type { Peer } from "../identity/identity.ts";
import type { Expectation } from "./transport.ts";

/** Where systems without a certificate interface keep their authorities. */
const BUNDLES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];
/** webpki gives up on longer certificates (two-byte DER lengths). */
const MAX_CERTIFICATE = 0xffff;
/** `[0] { INTEGER 2 }`: X.509 version 3 (RFC 5280 §4.1.2.1). */
const VERSION_3 = "a003020102";

/**
 * The peer that a certificate presented in a completed handshake proves.
 *
 * Under Deno, `node:tls` takes a handshake signature as valid when webpki cannot read the certificate or when it is not
 * X.509 version 3, so such a certificate proves no possession of its key: anyone may present a copy of someone's
 * certificate with a byte appended. Everything that webpki cannot read is therefore refused here.
 *
 * @param certificate The leaf, DER; absent when the peer presented none.
 * @throws {AlknetError} `VERIFIER`: the certificate is not one that can prove anything.
 */
export function provenPeer(certificate: Uint8Array | undefined): Peer {
  if (!certificate || certificate.byteLength === 0) return {};
  const leaf = new Uint8Array(certificate);
  if (!isReadable(leaf)) {
    throw new AlknetError("VERIFIER", "the peer's certificate is not a well-formed X.509 version 3 certificate");
  }
  return { fingerprint: fingerprintOf(leaf), certificate: leaf };
}

/**
 * Checks a server's chain against what the dialler expects. Authorities are checked by the TLS libraries, which know
 * names, dates and chains; this checks the rest.
 *
 * @param expectation How the server is recognised.
 * @param chain Leaf first, DER.
 * @param host What was dialled, for messages.
 * @returns What is now known about the peer.
 * @throws {DialError} `FINGERPRINT_MISMATCH` with what was expected and seen, or `CERTIFICATE_REJECTED`.
 */
export function checkPeer(expectation: Expectation, chain: readonly Uint8Array[], host = "the server"): Peer {
  if (chain.length === 0) throw new DialError("CERTIFICATE_REJECTED", `${host} presented no certificate`);
  let peer: Peer;
  try {
    peer = provenPeer(chain[0]);
  } catch (cause) {
    if (expectation.kind === "insecure") return {};
    throw new DialError("CERTIFICATE_REJECTED", `${host}: ${(cause as Error).message}`, { cause });
  }
  if (expectation.kind === "fingerprints" && !expectation.fingerprints.includes(peer.fingerprint!)) {
    throw new DialError(
      "FINGERPRINT_MISMATCH",
      `${host} has fingerprint ${peer.fingerprint}, expected ${expectation.fingerprints.join(" or ") || "none"}`,
    );
  }
  return peer;
}

let authorities: string | undefined;

/** The authorities that a dialler trusts by default, PEM: the system's, or those built into the runtime. */
export function trustedAuthorities(): string {
  return authorities ??= systemAuthorities() ?? rootCertificates.join("\n");
}

function systemAuthorities(): string | undefined {
  try {
    const found = getCACertificates("system");
    if (found.length > 0) return found.join("\n");
  } catch { /* the runtime cannot tell */ }
  for (const path of BUNDLES) {
    try {
      const text = readFileSync(path, "utf8");
      if (text.includes("BEGIN CERTIFICATE")) return text;
    } catch { /* not there, or not for us */ }
  }
}

/*
 * Certificate ::= SEQUENCE {                                                    RFC 5280 §4.1
 *   tbsCertificate SEQUENCE { [0] version, serialNumber, signature, issuer, validity, subject,
 *                             subjectPublicKeyInfo, [3] extensions OPTIONAL },
 *   signatureAlgorithm SEQUENCE, signatureValue BIT STRING }
 *
 * The same steps as webpki's `Cert::from_der` and its SubjectPublicKeyInfo, so that nothing passes which it cannot read.
 */
function isReadable(der: Uint8Array): boolean {
  if (der.byteLength > MAX_CERTIFICATE) return false;
  const outer = readElement(der, 0, der.byteLength);
  if (outer?.tag !== Tag.SEQUENCE || outer.end !== der.byteLength) return false;
  const parts = readElements(der, outer.body, outer.end);
  if (!parts || !tagsAre(parts, [Tag.SEQUENCE, Tag.SEQUENCE, Tag.BIT_STRING])) return false;
  const [tbs, algorithm, signature] = parts;
  const fields = readElements(der, tbs.body, tbs.end);
  if (!fields || !hasNoUnusedBits(der, signature)) return false;
  const extensions = fields[7] ? [Tag.CONTEXT_3] : [];
  const { CONTEXT_0, INTEGER, SEQUENCE } = Tag;
  if (!tagsAre(fields, [CONTEXT_0, INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE, ...extensions])) {
    return false;
  }
  const [version, serial, innerAlgorithm] = fields;
  return hex(der, version) === VERSION_3 && serial.end > serial.body &&
    hex(der, algorithm) === hex(der, innerAlgorithm) &&
    isPublicKey(der, fields[6]) && (!fields[7] || areExtensions(der, fields[7]));
}

function isPublicKey(der: Uint8Array, spki: Element): boolean {
  const parts = readElements(der, spki.body, spki.end);
  return parts !== undefined && tagsAre(parts, [Tag.SEQUENCE, Tag.BIT_STRING]) && hasNoUnusedBits(der, parts[1]);
}

/** `SEQUENCE OF SEQUENCE { OID, BOOLEAN OPTIONAL, OCTET STRING }` within its explicit tag, none twice. */
function areExtensions(der: Uint8Array, tagged: Element): boolean {
  const inner = readElements(der, tagged.body, tagged.end);
  if (!inner || !tagsAre(inner, [Tag.SEQUENCE])) return false;
  const seen = new Set<string>();
  const list = readElements(der, inner[0].body, inner[0].end);
  return list !== undefined && list.length > 0 && list.every((extension) => {
    const fields = extension.tag === Tag.SEQUENCE && readElements(der, extension.body, extension.end);
    if (!fields || seen.has(hex(der, fields[0] ?? extension))) return false;
    seen.add(hex(der, fields[0]));
    if (tagsAre(fields, [Tag.OID, Tag.OCTET_STRING])) return true;
    return tagsAre(fields, [Tag.OID, Tag.BOOLEAN, Tag.OCTET_STRING]) && /^0101(00|ff)$/.test(hex(der, fields[1]));
  });
}

function tagsAre(elements: readonly Element[], tags: readonly number[]): boolean {
  return elements.length === tags.length && elements.every((element, i) => element.tag === tags[i]);
}

function hasNoUnusedBits(der: Uint8Array, { body, end }: Element): boolean {
  return end > body && der[body] === 0;
}

function hex(der: Uint8Array, { start, end }: Element): string {
  return der.subarray(start, end).toHex();
}
