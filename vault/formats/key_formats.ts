/**
 * Keys as other programs read them: OpenSSH, and PEM as `openssl pkey` reads it.
 *
 * The texts of private keys are strings, which cannot be wiped: make one only to hand it over.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { DerivedKey } from "../keys/derived_key.ts";
import type { KeyType } from "../keys/public_key.ts";
import { PKCS8_PREFIX, uncompressedPoint } from "../keys/public_key.ts";
import { wipe } from "../secret_bytes.ts";

/** A public key and its kind; a {@linkcode DerivedKey} is one. */
export interface PublicKeyParts {
  /** Which kind of key it is. */
  readonly keyType: KeyType;
  /** 32 bytes, or 33 for secp256k1. */
  readonly publicKey: Uint8Array;
}

const SSH_KEY_TYPE = "ssh-ed25519";
const SSH_MAGIC = "openssh-key-v1\0";
/** Multiple that the private part of an unencrypted key is padded to. */
const SSH_BLOCK_LENGTH = 8;
const PEM_WIDTH = 64;
const SSH_PEM_WIDTH = 70;

/** SubjectPublicKeyInfo up to the bytes of the key (RFC 8410 §4; RFC 5480 §2 with the curve of SEC 2 §2.4.1). */
const SPKI_PREFIX: Readonly<Record<KeyType, Uint8Array>> = {
  ed25519: Uint8Array.fromHex("302a300506032b6570032100"),
  x25519: Uint8Array.fromHex("302a300506032b656e032100"),
  secp256k1: Uint8Array.fromHex("3056301006072a8648ce3d020106052b8104000a034200"),
};
/** PKCS #8 around an ECPrivateKey (RFC 5958 §2, RFC 5915 §3): up to the scalar, and between scalar and point. */
const SECP256K1_PKCS8 = {
  beforeScalar: Uint8Array.fromHex("308184020100301006072a8648ce3d020106052b8104000a046d306b0201010420"),
  beforePoint: Uint8Array.fromHex("a144034200"),
};

const utf8 = new TextEncoder();

/**
 * The private key as `ssh-keygen` writes it without a passphrase (OpenSSH, PROTOCOL.key): `BEGIN OPENSSH PRIVATE KEY`,
 * with a line end. The same key always gives the same text. A secret.
 *
 * @param key An Ed25519 key.
 * @param comment What `ssh-keygen -l` shows beside it; one line.
 * @throws {TypeError} A key of another kind.
 * @throws {RangeError} A comment with control characters.
 * @throws {VaultError} `KEY_DISPOSED`.
 */
export function opensshPrivateKey(key: DerivedKey, comment = ""): string {
  const blob = sshPublicBlob(key);
  // Equal numbers that tell whether decryption worked; here nothing is encrypted, and these need not be random.
  const check = key.publicKey.subarray(0, 4);
  const pair = concat(key.privateKey, key.publicKey);
  const fields = concat(check, check, blob, sshString(pair), sshString(utf8.encode(checkedComment(comment))));
  const padding = Uint8Array.from({ length: -fields.byteLength & (SSH_BLOCK_LENGTH - 1) }, (_, at) => at + 1);
  const none = sshString(utf8.encode("none"));
  const secret = sshString(concat(fields, padding));
  const file = concat(
    utf8.encode(SSH_MAGIC),
    none, // cipher
    none, // key derivation
    sshString(new Uint8Array()), // its options
    Uint8Array.of(0, 0, 0, 1), // number of keys
    sshString(blob),
    secret,
  );
  const text = pem("OPENSSH PRIVATE KEY", file, SSH_PEM_WIDTH);
  wipe(pair, fields, secret, file);
  return text;
}

/**
 * The public key as one line of `authorized_keys` or of a `.pub` file (RFC 4253 §6.6, RFC 8709 §4), without a line end.
 *
 * @param key An Ed25519 key.
 * @param comment What stands after the key; one line.
 * @throws {TypeError} A key of another kind.
 * @throws {RangeError} A comment with control characters.
 */
export function opensshPublicKey(key: PublicKeyParts, comment = ""): string {
  return [SSH_KEY_TYPE, sshPublicBlob(key).toBase64(), checkedComment(comment)].filter((part) => part !== "").join(" ");
}

/**
 * The fingerprint that `ssh-keygen -l` and `ssh` show: `SHA256:` and 43 characters of base64.
 *
 * @param key An Ed25519 key.
 * @throws {TypeError} A key of another kind.
 */
export function sshFingerprint(key: PublicKeyParts): string {
  const hash = createHash("sha256").update(sshPublicBlob(key)).digest();
  return `SHA256:${new Uint8Array(hash).toBase64({ omitPadding: true })}`;
}

/**
 * The private key as PKCS #8 PEM (RFC 5958; RFC 8410 §7 for Ed25519 and X25519, RFC 5915 for secp256k1), with a line end.
 * A secret.
 *
 * @throws {VaultError} `KEY_DISPOSED`.
 */
export function privateKeyPem(key: DerivedKey): string {
  const der = key.keyType === "secp256k1"
    ? concat(
      SECP256K1_PKCS8.beforeScalar,
      key.privateKey,
      SECP256K1_PKCS8.beforePoint,
      uncompressedPoint(key.publicKey),
    )
    : concat(PKCS8_PREFIX[key.keyType], key.privateKey);
  const text = pem("PRIVATE KEY", der, PEM_WIDTH);
  wipe(der);
  return text;
}

/** The public key as SubjectPublicKeyInfo PEM (RFC 8410 §4; RFC 5480 §2 for secp256k1), with a line end. */
export function publicKeyPem(key: PublicKeyParts): string {
  const bytes = key.keyType === "secp256k1" ? uncompressedPoint(key.publicKey) : key.publicKey;
  return pem("PUBLIC KEY", concat(SPKI_PREFIX[key.keyType], bytes), PEM_WIDTH);
}

/** RFC 8709 §4: the name of the key type, then the key. */
function sshPublicBlob({ keyType, publicKey }: PublicKeyParts): Uint8Array {
  if (keyType !== "ed25519") {
    throw new TypeError(`OpenSSH takes Ed25519 keys, not ${keyType}: derive the key as ed25519, or write it as PEM`);
  }
  return concat(sshString(utf8.encode(SSH_KEY_TYPE)), sshString(publicKey));
}

/** RFC 4251 §5: a length of four bytes, then the bytes. */
function sshString(bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.byteLength);
  return concat(length, bytes);
}

/** A line end would begin another entry of `authorized_keys`. */
function checkedComment(comment: string): string {
  if (/\p{Cc}/u.test(comment)) throw new RangeError("the comment of a key has no control characters");
  return comment;
}

function concat(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

/** RFC 7468 §2. */
function pem(label: string, bytes: Uint8Array, width: number): string {
  const lines = bytes.toBase64().match(new RegExp(`.{1,${width}}`, "g"))!;
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
