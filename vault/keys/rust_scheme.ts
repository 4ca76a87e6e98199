/**
 * The derivation of the earlier Rust vault, kept for one thing: to open credentials that it sealed, so that they can
 * be sealed anew. Nothing is ever sealed or signed with a key of this scheme.
 *
 * That vault took the SLIP-0010 master key, expanded it as Ed25519 does and derived children by BIP32-Ed25519
 * (Khovratovich and Law, *BIP32-Ed25519: Hierarchical Deterministic Keys over a Non-linear Keyspace*, 2017) in the
 * variant that the crate `ed25519-bip32` calls scheme V2: indices little-endian, eight times the left 28 bytes added.
 * The left half of the extended key served as AES-256 key. It is a clamped scalar whose last three bytes hardly differ
 * between the paths of one seed, a reason to leave the scheme.
 *
 * The Rust vault did not normalise passphrases (BIP-39 asks for NFKD): one outside ASCII that is not in that form
 * already gave it another seed, whose credentials do not open here.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { hmacSha512 } from "./hmac.ts";
import { ALKNET_PATHS, HARDENED, parsePath } from "./path.ts";
import { wipe } from "../secret_bytes.ts";

/** An extended private key of BIP32-Ed25519. */
export interface RustExtendedKey {
  /** kL, the clamped scalar, 32 bytes little-endian: what the Rust vault called the private key. */
  readonly left: Uint8Array;
  /** kR, 32 bytes. */
  readonly right: Uint8Array;
  /** 32 bytes. */
  readonly chainCode: Uint8Array;
}

/**
 * The AES-256 key that the Rust vault sealed with.
 *
 * @param seed The BIP-39 seed, 64 bytes.
 * @param version Version of the key that the sealed data names.
 * @returns 32 bytes, which the caller wipes.
 * @throws {VaultError} `INVALID_PATH` for a version that has no path, as 0 and 1.
 */
export function rustSealingKey(seed: Uint8Array, version: number): Uint8Array {
  const { left, right, chainCode } = deriveRustKey(seed, parsePath(ALKNET_PATHS.sealing(version)));
  wipe(right, chainCode);
  return left;
}

/**
 * The extended key at a path, hardened indices only.
 *
 * @param seed 16 to 64 bytes.
 * @param indices Each from 2³¹ to 2³²-1.
 * @returns Three arrays, which the caller wipes.
 * @throws {RangeError} When an index is not hardened.
 */
export function deriveRustKey(seed: Uint8Array, indices: readonly number[]): RustExtendedKey {
  let key = masterKey(seed);
  for (const index of indices) {
    if (index < HARDENED) {
      throw new RangeError(`index ${index} is not hardened; the sealing keys of the Rust vault are`);
    }
    const child = childKey(key, index);
    wipe(key.left, key.right, key.chainCode);
    key = child;
  }
  return key;
}

function masterKey(seed: Uint8Array): RustExtendedKey {
  const master = hmacSha512("ed25519 seed", seed);
  const extended = createHash("sha512").update(master.subarray(0, 32)).digest();
  const left = new Uint8Array(extended.subarray(0, 32));
  // Clamping as in RFC 8032 §5.1.5, but the third highest bit is cleared too, which leaves room for the additions.
  left[0] &= 0b1111_1000;
  left[31] = (left[31] & 0b0001_1111) | 0b0100_0000;
  const key = { left, right: new Uint8Array(extended.subarray(32)), chainCode: new Uint8Array(master.subarray(32)) };
  wipe(master, extended);
  return key;
}

/**
 * ```text
 * Z  = HMAC-SHA512(chain code, 00 ‖ kL ‖ kR ‖ index)        kL' = kL + 8 · Z[0..28]       kR' = kR + Z[32..64] mod 2²⁵⁶
 * c' = HMAC-SHA512(chain code, 01 ‖ kL ‖ kR ‖ index)[32..]
 * ```
 */
function childKey(parent: RustExtendedKey, index: number): RustExtendedKey {
  const input = new Uint8Array(1 + 32 + 32 + 4);
  input.set(parent.left, 1);
  input.set(parent.right, 33);
  new DataView(input.buffer).setUint32(65, index, true);
  const z = hmacSha512(parent.chainCode, input);
  input[0] = 1;
  const chain = hmacSha512(parent.chainCode, input);
  const left = addScaled(parent.left, z.subarray(0, 28), 8);
  const right = addScaled(parent.right, z.subarray(32), 1);
  const chainCode = new Uint8Array(chain.subarray(32));
  wipe(input, z, chain);
  return { left, right, chainCode };
}

/** `a + factor · b` mod 2²⁵⁶, little-endian. */
function addScaled(a: Uint8Array, b: Uint8Array, factor: number): Uint8Array {
  const sum = new Uint8Array(32);
  let carry = 0;
  for (let i = 0; i < 32; i++) {
    carry += a[i] + factor * (b[i] ?? 0);
    sum[i] = carry;
    carry >>>= 8;
  }
  return sum;
}
