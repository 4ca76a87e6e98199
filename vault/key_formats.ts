/**
 * Keys as other programs read them.
 *
 * @module
 */
import type { DerivedKey } from "./derived_key.ts";

/** The private key in the form of OpenSSH, unencrypted (`-----BEGIN OPENSSH PRIVATE KEY-----`). A secret. Ed25519 alone. */
export function opensshPrivateKey(_key: DerivedKey, _comment = ""): string {
  throw new Error("to come");
}

/** The public key as one line of `authorized_keys`, without a line end. Ed25519 alone. */
export function opensshPublicKey(_key: DerivedKey, _comment = ""): string {
  throw new Error("to come");
}

/** The private key, PKCS #8 PEM (RFC 5958, RFC 8410; RFC 5915 for secp256k1). A secret. */
export function privateKeyPem(_key: DerivedKey): string {
  throw new Error("to come");
}

/** The public key, SubjectPublicKeyInfo PEM (RFC 8410; RFC 5480 for secp256k1). */
export function publicKeyPem(_key: DerivedKey): string {
  throw new Error("to come");
}
