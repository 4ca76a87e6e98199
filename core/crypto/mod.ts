/**
 * Primitives of raw bytes for handlers that build protocols, over `node:crypto`: X25519, Ed25519, SHA-2, HMAC, HKDF,
 * AES-256-GCM and -CTR. Secrets are the caller's to wipe.
 *
 * @example Two sides agree on a key and seal with it
 * ```ts
 * import { ascii, hkdf, openGcm, sealGcm, systemBytes, x25519, x25519Public } from "@alknet/core/crypto";
 *
 * const [a, b] = [systemBytes(32), systemBytes(32)];
 * const key = hkdf(undefined, x25519(a, x25519Public(b)), [ascii("example")], 32);
 * const nonce = systemBytes(12);
 * const sealed = sealGcm(key, nonce, ascii("hello"));
 * console.assert(openGcm(key, nonce, sealed).byteLength === 5);
 * ```
 *
 * @module
 */
export { AlknetError } from "../errors.ts";
export { AES_KEY_LENGTH, ctr, GCM_NONCE_LENGTH, GCM_TAG_LENGTH, openGcm, sealGcm } from "./aes.ts";
export { ascii, equalBytes, joined, type Random, systemBytes, wipe } from "./bytes.ts";
export {
  CURVE_KEY_LENGTH,
  ed25519Public,
  ed25519Sign,
  ed25519Verify,
  SIGNATURE_LENGTH,
  x25519,
  x25519Public,
} from "./curve.ts";
export { expand, extract, HASH_LENGTH, hkdf, hmac, sha256, sha512 } from "./hash.ts";
export { redact, REDACTED } from "../identity/redacted.ts";
