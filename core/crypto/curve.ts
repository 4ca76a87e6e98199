/**
 * X25519 (RFC 7748 §5) and Ed25519 (RFC 8032 §5.1) of raw bytes. A key object lives for one call.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createPrivateKey, createPublicKey, diffieHellman, type KeyObject, sign, verify } from "node:crypto";
import { AlknetError } from "../errors.ts";

/** Bytes of a private or public key of either curve. */
export const CURVE_KEY_LENGTH = 32;
/** Bytes of a signature (RFC 8032 §5.1.6). */
export const SIGNATURE_LENGTH = 64;

type Curve = "x25519" | "ed25519";

/** PKCS #8 and SPKI up to the 32 bytes of the key (RFC 8410 §4, §7). */
const PRIVATE_PREFIX: Readonly<Record<Curve, Uint8Array>> = {
  x25519: Uint8Array.fromHex("302e020100300506032b656e04220420"),
  ed25519: Uint8Array.fromHex("302e020100300506032b657004220420"),
};
const PUBLIC_PREFIX: Readonly<Record<Curve, Uint8Array>> = {
  x25519: Uint8Array.fromHex("302a300506032b656e032100"),
  ed25519: Uint8Array.fromHex("302a300506032b6570032100"),
};

/**
 * What two keys agree on.
 *
 * @param secret 32 bytes, clamped or not.
 * @param theirs 32 bytes.
 * @throws {AlknetError} `LOW_ORDER`: the point is of low order, so that the result would be zeros whoever computes it
 * (RFC 7748 §6.1).
 * @throws {RangeError} Another length.
 */
export function x25519(secret: Uint8Array, theirs: Uint8Array): Uint8Array {
  const privateKey = privateObject("x25519", secret);
  const publicKey = publicObject("x25519", theirs);
  let shared: Uint8Array;
  try {
    shared = new Uint8Array(diffieHellman({ privateKey, publicKey }));
  } catch (cause) {
    throw lowOrder(cause);
  }
  if (shared.every((byte) => byte === 0)) throw lowOrder();
  return shared;
}

/** The public key of a secret of X25519. */
export function x25519Public(secret: Uint8Array): Uint8Array {
  return publicOf(privateObject("x25519", secret));
}

/** The public key of a seed of Ed25519. */
export function ed25519Public(seed: Uint8Array): Uint8Array {
  return publicOf(privateObject("ed25519", seed));
}

/** Signs with a seed of Ed25519: 64 bytes. */
export function ed25519Sign(seed: Uint8Array, data: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, data, privateObject("ed25519", seed)));
}

/** Whether a signature of Ed25519 is one of this key over these bytes. What is no key has signed nothing. */
export function ed25519Verify(publicKey: Uint8Array, data: Uint8Array, signature: Uint8Array): boolean {
  if (signature.byteLength !== SIGNATURE_LENGTH) return false;
  try {
    return verify(null, data, publicObject("ed25519", publicKey), signature);
  } catch {
    return false;
  }
}

function privateObject(curve: Curve, secret: Uint8Array): KeyObject {
  checkLength(secret);
  const pkcs8 = Buffer.concat([PRIVATE_PREFIX[curve], secret]);
  try {
    return createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
  } finally {
    pkcs8.fill(0);
  }
}

function publicObject(curve: Curve, key: Uint8Array): KeyObject {
  checkLength(key);
  return createPublicKey({ key: Buffer.concat([PUBLIC_PREFIX[curve], key]), format: "der", type: "spki" });
}

function publicOf(key: KeyObject): Uint8Array {
  return new Uint8Array(createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-CURVE_KEY_LENGTH));
}

function checkLength(key: Uint8Array): void {
  if (key.byteLength !== CURVE_KEY_LENGTH) throw new RangeError(`a key is 32 bytes long, not ${key.byteLength}`);
}

function lowOrder(cause?: unknown): AlknetError {
  return new AlknetError("LOW_ORDER", "the other side's key is a point of low order; nothing is agreed on with it", {
    cause,
  });
}
