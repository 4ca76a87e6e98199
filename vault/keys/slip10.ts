/**
 * Ed25519 keys from a seed (SLIP-0010). Hardened children only.
 *
 * ```text
 * master    HMAC-SHA512("ed25519 seed", seed)                          → key (32) ‖ chain code (32)
 * child i'  HMAC-SHA512(chain code, 00 ‖ key ‖ i + 2³¹, big-endian)    → key (32) ‖ chain code (32)
 * ```
 *
 * @module
 */
import { VaultError } from "../errors.ts";
import { hmacSha512, indexBytes, KEY_LENGTH, type KeyAndChain } from "./hmac.ts";
import { formatPath, HARDENED } from "./path.ts";
import { wipe } from "../secret_bytes.ts";

const MASTER_KEY = "ed25519 seed";
const ZERO = new Uint8Array(1);

/**
 * Derives an Ed25519 key: the seed of RFC 8032 §5.1.5, not a clamped scalar.
 *
 * @param seed What BIP-39 makes of a phrase, 64 bytes; SLIP-0010 takes 16 to 64.
 * @param indices As {@linkcode parsePath} gives them.
 * @throws {VaultError} `INVALID_PATH` if an index is not hardened: Ed25519 has no other children.
 */
export function deriveSlip10(seed: Uint8Array, indices: readonly number[]): KeyAndChain {
  const soft = indices.findIndex((index) => index < HARDENED);
  if (soft >= 0) {
    throw new VaultError(
      "INVALID_PATH",
      `level ${soft + 1} of ${formatPath(indices)} is not hardened: Ed25519 keys have hardened children only, ` +
        `write ${indices[soft]}'`,
    );
  }
  let node = hmacSha512(MASTER_KEY, seed);
  for (const index of indices) {
    const key = node.subarray(0, KEY_LENGTH);
    const child = hmacSha512(node.subarray(KEY_LENGTH), ZERO, key, indexBytes(index));
    wipe(node);
    node = child;
  }
  return node;
}
