/**
 * The key that a node is: Ed25519, with its node id, its fingerprint and its certificate.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { AlknetError } from "../errors.ts";
import { type CertificateKeyPair, IDENTITY_NAME_SUFFIX } from "./key_pair.ts";
import { pem } from "./der.ts";
import { ED25519_ALGORITHM, ED25519_SPKI_PREFIX, ed25519Fingerprint, nodeIdOf } from "./fingerprint.ts";
import { redact, REDACTED } from "./redacted.ts";
import { dnsName, selfSigned } from "./x509_writer.ts";

/** Bytes of an Ed25519 private key (RFC 8032 §5.1.5). */
export const SEED_LENGTH = 32;

/** PKCS #8 of Ed25519 up to the seed (RFC 8410 §7). */
const PKCS8_PREFIX = Uint8Array.fromHex("302e020100300506032b657004220420");
/** Dates in a node certificate mean nothing, so it never ends (RFC 5280 §4.1.2.5). */
const NOT_BEFORE = new Date("2020-01-01T00:00:00Z");
const NOT_AFTER = new Date("9999-12-31T23:59:59Z");

/**
 * An Ed25519 key pair. Prints its node id and `[redacted]`. Disposing of it wipes the seed; after that only the public
 * part works.
 */
export class NodeKey {
  /** 32 bytes. */
  readonly publicKey: Uint8Array;
  /** z-base-32 of the public key, 52 characters. */
  readonly id: string;
  /** `ed25519:<64 hex>`. */
  readonly fingerprint: string;
  readonly #seed: Uint8Array;
  #privateKey?: KeyObject;
  #certificateDer?: Uint8Array;
  #certificate?: CertificateKeyPair;

  private constructor(seed: Uint8Array) {
    this.#seed = seed;
    const pkcs8 = Buffer.concat([PKCS8_PREFIX, seed]);
    this.#privateKey = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
    pkcs8.fill(0);
    const spki = createPublicKey(this.#privateKey).export({ type: "spki", format: "der" });
    this.publicKey = new Uint8Array(spki.subarray(ED25519_SPKI_PREFIX.byteLength));
    this.id = nodeIdOf(this.publicKey);
    this.fingerprint = ed25519Fingerprint(this.publicKey);
  }

  static {
    redact(this.prototype, (key) => `NodeKey ${key.id} ${REDACTED}`);
  }

  /** A new random key. */
  static generate(): NodeKey {
    return new NodeKey(crypto.getRandomValues(new Uint8Array(SEED_LENGTH)));
  }

  /**
   * The key of a seed, which is copied.
   *
   * @param seed 32 bytes.
   * @throws {RangeError} It has another length.
   */
  static fromSeed(seed: Uint8Array): NodeKey {
    if (seed.byteLength !== SEED_LENGTH) {
      throw new RangeError(`a seed has ${SEED_LENGTH} bytes, not ${seed.byteLength}`);
    }
    return new NodeKey(new Uint8Array(seed));
  }

  /**
   * Reads an unencrypted Ed25519 key in PKCS #8 PEM (`-----BEGIN PRIVATE KEY-----`), as {@linkcode toPem} and
   * `openssl genpkey -algorithm ed25519` write it.
   *
   * @throws {AlknetError} `INVALID_KEY`, saying what was found instead.
   */
  static fromPem(text: string): NodeKey {
    const label = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(text)?.[1];
    if (!label) throw invalid("found no PEM");
    if (label !== "PRIVATE KEY") throw invalid(`found "${label}"`);
    const key = parsePrivateKey(text);
    if (key.asymmetricKeyType !== "ed25519") throw invalid(`found a key for ${key.asymmetricKeyType}`);
    const der = key.export({ type: "pkcs8", format: "der" });
    const seed = new Uint8Array(der.subarray(PKCS8_PREFIX.byteLength, PKCS8_PREFIX.byteLength + SEED_LENGTH));
    der.fill(0);
    return new NodeKey(seed);
  }

  /** The private key, PKCS #8 PEM. A secret. */
  toPem(): string {
    this.#secret();
    const der = Buffer.concat([PKCS8_PREFIX, this.#seed]);
    const text = pem("PRIVATE KEY", der);
    der.fill(0);
    return text;
  }

  /** Signs with Ed25519 (RFC 8032 §5.1.6). 64 bytes. */
  sign(data: Uint8Array): Uint8Array {
    return new Uint8Array(sign(null, data, this.#secret()));
  }

  /** The node certificate, DER. The same one for as long as the object lives. */
  get certificateDer(): Uint8Array {
    return this.#certificateDer ??= selfSigned({
      commonName: this.id,
      names: [dnsName(this.id + IDENTITY_NAME_SUFFIX)],
      notBefore: NOT_BEFORE,
      notAfter: NOT_AFTER,
      spki: Buffer.concat([ED25519_SPKI_PREFIX, this.publicKey]),
      algorithm: ED25519_ALGORITHM,
      sign: (data) => this.sign(data),
    });
  }

  /** The node certificate and the private key, PEM, as transports take them. A secret. */
  certificate(): CertificateKeyPair {
    this.#secret();
    return this.#certificate ??= Object.freeze({
      certificate: pem("CERTIFICATE", this.certificateDer),
      privateKey: this.toPem(),
    });
  }

  /** Wipes the seed and forgets the rest; harmless when done twice. */
  [Symbol.dispose](): void {
    this.#seed.fill(0);
    this.#privateKey = undefined;
    this.#certificate = undefined;
  }

  #secret(): KeyObject {
    if (!this.#privateKey) throw new TypeError(`the key of node ${this.id} was disposed of`);
    return this.#privateKey;
  }
}

function parsePrivateKey(text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch {
    // The parser's own message is left out: it may quote what it read.
    throw invalid("found PEM that cannot be decoded");
  }
}

function invalid(found: string): AlknetError {
  return new AlknetError("INVALID_KEY", `expected an unencrypted Ed25519 key in PKCS #8 PEM, ${found}`);
}
