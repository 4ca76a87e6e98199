/**
 * How keys and certificates are named: node ids and fingerprints.
 *
 * - **Node id**: z-base-32 of the 32-byte Ed25519 public key, 52 characters.
 * - **Fingerprint** of a key certificate: `ed25519:` and the key in hex. A key certificate is an Ed25519 certificate that
 *   its own key signed; names, dates and extensions in it mean nothing.
 * - **Fingerprint** of any other certificate: `SHA256:` and the hash of its DER in hex.
 *
 * A fingerprint proves something only when it was taken from a completed handshake.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHash, createPublicKey, timingSafeEqual, verify } from "node:crypto";
import { AlknetError } from "../errors.ts";
import { foreign } from "../log.ts";
import { type Element, readElement, readElements, Tag } from "./der.ts";
import { decodeZBase32, encodeZBase32 } from "./z_base_32.ts";

/** Characters of a node id. */
export const NODE_ID_LENGTH = 52;
/** Bytes of an Ed25519 public key. */
export const PUBLIC_KEY_LENGTH = 32;
/** AlgorithmIdentifier of Ed25519 (RFC 8410 §3): the parameters are absent. */
export const ED25519_ALGORITHM: Uint8Array = Uint8Array.fromHex("300506032b6570");
/** SubjectPublicKeyInfo of Ed25519 up to the key (RFC 8410 §4). */
export const ED25519_SPKI_PREFIX: Uint8Array = Uint8Array.fromHex("302a300506032b6570032100");

const SIGNATURE_LENGTH = 64;

/**
 * The node id of a public key.
 *
 * @param publicKey 32 bytes.
 * @throws {RangeError} It has another length.
 */
export function nodeIdOf(publicKey: Uint8Array): string {
  return encodeZBase32(checkedKey(publicKey));
}

/**
 * The public key that a node id stands for.
 *
 * @throws {AlknetError} `INVALID_NODE_ID`, saying what is wrong with the text.
 */
export function parseNodeId(text: string): Uint8Array<ArrayBuffer> {
  if (text.length !== NODE_ID_LENGTH) {
    throw invalidNodeId(text, `it has ${text.length} characters, a node id has ${NODE_ID_LENGTH}`);
  }
  const key = decodeZBase32(text);
  if (key instanceof Uint8Array) return key;
  if (typeof key === "object") {
    const lower = /[A-Z]/.test(key.found) ? "; node ids are in lower case" : "";
    throw invalidNodeId(
      text,
      `character ${key.at + 1}, "${foreign(key.found)}", is not in the z-base-32 alphabet${lower}`,
    );
  }
  throw invalidNodeId(text, "the last character has bits that belong to no byte; it was cut or mistyped");
}

/**
 * The fingerprint of a public key.
 *
 * @param publicKey 32 bytes.
 * @throws {RangeError} It has another length.
 */
export function ed25519Fingerprint(publicKey: Uint8Array): string {
  return `ed25519:${checkedKey(publicKey).toHex()}`;
}

/**
 * The fingerprint of the node with this id.
 *
 * @throws {AlknetError} `INVALID_NODE_ID`.
 */
export function fingerprintOfNodeId(nodeId: string): string {
  return ed25519Fingerprint(parseNodeId(nodeId));
}

/** Fingerprints of node certificates by the SHA-256 of the certificate: to verify one costs thirty times as much. */
const nodes = new Map<string, string>();
/** A peer's certificate is looked at several times in a connection, and peers come back. */
const MAX_KNOWN = 256;

/**
 * The fingerprint of a leaf certificate. Bytes that are no certificate get the `SHA256:` of what they are.
 *
 * @param der The leaf, DER.
 */
export function fingerprintOf(der: Uint8Array): string {
  const digest = createHash("sha256").update(der).digest("hex");
  const known = nodes.get(digest);
  if (known !== undefined) return known;
  const key = keyOfKeyCertificate(der);
  if (!key) return `SHA256:${digest}`;
  const fingerprint = ed25519Fingerprint(key);
  if (nodes.size === MAX_KNOWN) nodes.clear();
  nodes.set(digest, fingerprint);
  return fingerprint;
}

/**
 * The fingerprint of a bare Ed25519 SubjectPublicKeyInfo (44 bytes of DER), for tools and tests.
 *
 * @throws {AlknetError} `INVALID_PUBLIC_KEY`.
 */
export function fingerprintOfSpki(spki: Uint8Array): string {
  const key = ed25519KeyOfSpki(spki);
  if (!key) {
    throw new AlknetError(
      "INVALID_PUBLIC_KEY",
      `${spki.byteLength} bytes are no Ed25519 public key in DER; 44 bytes of SubjectPublicKeyInfo were expected`,
    );
  }
  return ed25519Fingerprint(key);
}

/**
 * A fingerprint in its one exact form. Hex in upper case is lowered, and the prefix gets the case it should have; compare
 * with the input to tell whether something was corrected.
 *
 * @throws {AlknetError} `INVALID_FINGERPRINT`.
 */
export function parseFingerprint(text: string): string {
  const [, prefix, hex] = /^(ed25519|sha256):([0-9a-f]{64})$/i.exec(text) ?? [];
  if (!hex) {
    throw new AlknetError(
      "INVALID_FINGERPRINT",
      `"${foreign(text)}" is no fingerprint; expected "ed25519:" or "SHA256:" and 64 hex digits`,
    );
  }
  return `${prefix.toLowerCase() === "ed25519" ? "ed25519" : "SHA256"}:${hex.toLowerCase()}`;
}

/** Compares without telling, by its time, where the two differ. Only lengths are compared openly. */
export function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && timingSafeEqual(a, b);
}

/** {@linkcode equalInConstantTime} of texts. */
export function equalTextInConstantTime(a: string, b: string): boolean {
  return equalInConstantTime(Buffer.from(a), Buffer.from(b));
}

/*
 * Certificate ::= SEQUENCE {                                                    RFC 5280 §4.1
 *   tbsCertificate SEQUENCE { version [0] OPTIONAL, serialNumber, signature, issuer, validity, subject,
 *                             subjectPublicKeyInfo, … },
 *   signatureAlgorithm SEQUENCE, signatureValue BIT STRING }
 */

/** The key of a key certificate; nothing for every other certificate and for what is none. */
function keyOfKeyCertificate(der: Uint8Array): Uint8Array | undefined {
  const certificate = readElement(der, 0, der.byteLength);
  if (certificate?.tag !== Tag.SEQUENCE || certificate.end !== der.byteLength) return;
  const parts = readElements(der, certificate.body, certificate.end);
  if (parts?.length !== 3) return;
  const [tbs, algorithm, signature] = parts;
  if (tbs.tag !== Tag.SEQUENCE || !equal(bytesOf(der, algorithm), ED25519_ALGORITHM)) return;
  const key = keyOfItsOwnIssuer(der, tbs);
  if (!key || signature.tag !== Tag.BIT_STRING || signature.end - signature.body !== SIGNATURE_LENGTH + 1) return;
  // The first byte counts unused bits; a signature has none.
  if (der[signature.body] !== 0) return;
  const value = der.subarray(signature.body + 1, signature.end);
  return verifies(key, bytesOf(der, tbs), value) ? key : undefined;
}

/** The Ed25519 subject key of a certificate body whose subject and issuer are the same. */
function keyOfItsOwnIssuer(der: Uint8Array, tbs: Element): Uint8Array | undefined {
  const fields = readElements(der, tbs.body, tbs.end);
  if (!fields) return;
  if (fields[0]?.tag === Tag.CONTEXT_0) fields.shift();
  if (fields.length < 6) return;
  const [serial, algorithm, issuer, , subject, spki] = fields;
  if (serial.tag !== Tag.INTEGER || issuer.tag !== Tag.SEQUENCE) return;
  if (!equal(bytesOf(der, algorithm), ED25519_ALGORITHM)) return;
  if (!equal(bytesOf(der, issuer), bytesOf(der, subject))) return;
  return ed25519KeyOfSpki(bytesOf(der, spki));
}

function ed25519KeyOfSpki(spki: Uint8Array): Uint8Array | undefined {
  const at = ED25519_SPKI_PREFIX.byteLength;
  if (spki.byteLength !== at + PUBLIC_KEY_LENGTH || !equal(spki.subarray(0, at), ED25519_SPKI_PREFIX)) return;
  return spki.subarray(at);
}

function verifies(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  try {
    const spki = Buffer.concat([ED25519_SPKI_PREFIX, publicKey]);
    return verify(null, data, createPublicKey({ key: spki, format: "der", type: "spki" }), signature);
  } catch {
    // Not every 32 bytes are a point on the curve; such a key signed nothing.
    return false;
  }
}

function bytesOf(der: Uint8Array, { start, end }: Element): Uint8Array {
  return der.subarray(start, end);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && Buffer.compare(a, b) === 0;
}

function checkedKey(publicKey: Uint8Array): Uint8Array {
  if (publicKey.byteLength === PUBLIC_KEY_LENGTH) return publicKey;
  throw new RangeError(`a public key has ${PUBLIC_KEY_LENGTH} bytes, not ${publicKey.byteLength}`);
}

function invalidNodeId(text: string, why: string): AlknetError {
  return new AlknetError("INVALID_NODE_ID", `"${foreign(text)}" is no node id: ${why}`);
}
