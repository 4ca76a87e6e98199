/**
 * Public keys of private ones.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createECDH, createPrivateKey, createPublicKey, ECDH } from "node:crypto";
import { KEY_LENGTH } from "./hmac.ts";
import { wipe } from "../secret_bytes.ts";

/** What the 32 bytes of a private key are: an Ed25519 seed, a secp256k1 scalar, or a clamped X25519 scalar. */
export type KeyType = "ed25519" | "secp256k1" | "x25519";

/** PKCS #8 up to the 32 bytes of the key (RFC 8410 §7). */
export const PKCS8_PREFIX: Readonly<Record<"ed25519" | "x25519", Uint8Array>> = {
  ed25519: Uint8Array.fromHex("302e020100300506032b657004220420"),
  x25519: Uint8Array.fromHex("302e020100300506032b656e04220420"),
};

/**
 * The public key of a private key: 32 bytes for Ed25519 (RFC 8032 §5.1.5) and X25519 (RFC 7748 §5), 33 bytes for
 * secp256k1 (SEC 1 §2.3.3, compressed).
 *
 * @param privateKey 32 bytes.
 */
export function publicKeyOf(keyType: KeyType, privateKey: Uint8Array): Uint8Array {
  return keyType === "secp256k1" ? secp256k1PublicKey(privateKey) : edwardsPublicKey(keyType, privateKey);
}

/** The compressed point of a secp256k1 scalar: 33 bytes. Half the time of `@noble/curves`. */
export function secp256k1PublicKey(privateKey: Uint8Array): Uint8Array {
  const ecdh = createECDH("secp256k1");
  ecdh.setPrivateKey(privateKey);
  return new Uint8Array(ecdh.getPublicKey(null, "compressed"));
}

/**
 * The 65 bytes `04 ‖ x ‖ y` of a compressed point (SEC 1 §2.3.4).
 *
 * @throws {RangeError} The bytes are no point of secp256k1.
 */
export function uncompressedPoint(point: Uint8Array): Uint8Array {
  try {
    const bytes = ECDH.convertKey(point, "secp256k1", undefined, undefined, "uncompressed");
    return new Uint8Array(bytes as unknown as Uint8Array);
  } catch {
    throw new RangeError("the bytes are no compressed point of secp256k1");
  }
}

/** A fifth of the time of `@noble/curves`, though the key goes through PKCS #8. */
function edwardsPublicKey(keyType: "ed25519" | "x25519", privateKey: Uint8Array): Uint8Array {
  const pkcs8 = Buffer.concat([PKCS8_PREFIX[keyType], privateKey]);
  const key = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  wipe(pkcs8);
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return new Uint8Array(spki.subarray(-KEY_LENGTH));
}
