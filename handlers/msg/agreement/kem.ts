/**
 * ML-KEM-768 (FIPS 203) of raw bytes. From `@noble/post-quantum`: `node:crypto` has none in this runtime, and WebCrypto's is
 * asynchronous, so that it cannot run within the transaction that opens a message.
 *
 * @module
 */
import { wipe } from "@alknet/core/crypto";
import { ml_kem768 } from "@noble/post-quantum/ml-kem.js";

/** Bytes of a seed: d, z (FIPS 203 §7.1). */
export const KEM_SEED_LENGTH = 64;
/** Bytes of an encapsulation key. */
export const KEM_PUBLIC_LENGTH = 1184;
/** Bytes of a ciphertext. */
export const KEM_CIPHERTEXT_LENGTH = 1088;

/** The encapsulation key of a seed. */
export function kemPublic(seed: Uint8Array): Uint8Array {
  const { publicKey, secretKey } = ml_kem768.keygen(seed);
  wipe(secretKey);
  return publicKey;
}

/**
 * A secret for whoever has the seed of a key (FIPS 203 §7.2).
 *
 * @param randomness 32 bytes, never used before. The caller wipes it, and the secret.
 * @throws {Error} What was given is no key.
 */
export function encapsulate(
  publicKey: Uint8Array,
  randomness: Uint8Array,
): { readonly ciphertext: Uint8Array; readonly secret: Uint8Array } {
  const { cipherText: ciphertext, sharedSecret: secret } = ml_kem768.encapsulate(publicKey, randomness);
  return { ciphertext, secret };
}

/**
 * The secret of a ciphertext, and the key that it was made for. An altered one gives another secret (FIPS 203 §7.3).
 *
 * @param seed 64 bytes. The caller wipes it, and the secret.
 */
export function decapsulate(
  seed: Uint8Array,
  ciphertext: Uint8Array,
): { readonly publicKey: Uint8Array; readonly secret: Uint8Array } {
  const { publicKey, secretKey } = ml_kem768.keygen(seed);
  try {
    return { publicKey, secret: ml_kem768.decapsulate(ciphertext, secretKey) };
  } finally {
    wipe(secretKey);
  }
}

/** Whether bytes are an encapsulation key: of its length, and every coefficient reduced (FIPS 203 §7.2). */
export function isKemPublic(publicKey: Uint8Array): boolean {
  if (publicKey.byteLength !== KEM_PUBLIC_LENGTH) return false;
  // 768 coefficients of 12 bits, two in three bytes, below q = 3329; then 32 bytes of rho.
  for (let at = 0; at < KEM_PUBLIC_LENGTH - 32; at += 3) {
    const low = publicKey[at] | (publicKey[at + 1] & 0x0f) << 8;
    const high = publicKey[at + 1] >> 4 | publicKey[at + 2] << 4;
    if (low >= 3329 || high >= 3329) return false;
  }
  return true;
}
