/**
 * secp256k1 keys from a seed (BIP-32).
 *
 * ```text
 * master    HMAC-SHA512("Bitcoin seed", seed)                      → key ‖ chain code
 * child i'  HMAC-SHA512(chain code, 00 ‖ key ‖ i + 2³¹)            → left ‖ chain code,  key = left + parent's key mod n
 * child i   HMAC-SHA512(chain code, compressed public key ‖ i)     → the same
 * ```
 *
 * @module
 */
import { VaultError } from "../errors.ts";
import { hmacSha512, indexBytes, KEY_LENGTH, type KeyAndChain } from "./hmac.ts";
import { formatPath, HARDENED } from "./path.ts";
import { secp256k1PublicKey } from "./public_key.ts";
import { wipe } from "../secret_bytes.ts";

const MASTER_KEY = "Bitcoin seed";
const ZERO = new Uint8Array(1);
/** The order n of the group, big-endian (SEC 2 §2.4.1). */
const ORDER = Uint8Array.fromHex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");

/**
 * Derives a secp256k1 key (BIP-32, "Private parent key → private child key").
 *
 * @param seed What BIP-39 makes of a phrase, 64 bytes; BIP-32 takes 16 to 64.
 * @param indices As {@linkcode parsePath} gives them.
 * @throws {VaultError} `INVALID_PATH` if BIP-32 gives the path no key, which happens once in 2¹²⁷.
 */
export function deriveBip32(seed: Uint8Array, indices: readonly number[]): KeyAndChain {
  const master = hmacSha512(MASTER_KEY, seed);
  if (!isScalar(master.subarray(0, KEY_LENGTH))) throw noKey(indices, 0);
  return indices.reduce((node, index, level) => deriveChild(node, index, () => noKey(indices, level + 1)), master);
}

/** Whether 32 bytes are a private key: from 1 to n − 1 (BIP-32, "Master key generation"). */
export function isScalar(key: Uint8Array): boolean {
  let some = 0;
  for (const byte of key) some |= byte;
  return some !== 0 && subtractOrder(key, 0).below;
}

/** Wipes the parent. */
function deriveChild(parent: KeyAndChain, index: number, failure: () => VaultError): KeyAndChain {
  const key = parent.subarray(0, KEY_LENGTH);
  const chainCode = parent.subarray(KEY_LENGTH);
  const child = index >= HARDENED
    ? hmacSha512(chainCode, ZERO, key, indexBytes(index))
    : hmacSha512(chainCode, secp256k1PublicKey(key), indexBytes(index));
  const left = child.subarray(0, KEY_LENGTH);
  const belowOrder = subtractOrder(left, 0).below;
  addModuloOrder(left, key);
  wipe(parent);
  if (belowOrder && isScalar(left)) return child;
  wipe(child);
  throw failure();
}

/**
 * Adds `other` to `sum` modulo n, both below n. In bytes rather than a bigint, which could not be wiped, and without a
 * branch on what they are.
 */
function addModuloOrder(sum: Uint8Array, other: Uint8Array): void {
  let carry = 0;
  for (let i = KEY_LENGTH - 1; i >= 0; i--) {
    carry += sum[i] + other[i];
    sum[i] = carry;
    carry >>= 8;
  }
  const { difference, borrow } = subtractOrder(sum, carry);
  const keep = -borrow;
  for (let i = 0; i < KEY_LENGTH; i++) sum[i] = (sum[i] & keep) | (difference[i] & ~keep);
  wipe(difference);
}

/** `carry · 2²⁵⁶ + value − n`, and whether that is below zero. */
function subtractOrder(value: Uint8Array, carry: number): { difference: Uint8Array; borrow: number; below: boolean } {
  const difference = new Uint8Array(KEY_LENGTH);
  let borrow = 0;
  for (let i = KEY_LENGTH - 1; i >= 0; i--) {
    const digit = value[i] - ORDER[i] - borrow;
    difference[i] = digit;
    borrow = (digit >> 8) & 1;
  }
  borrow &= ~carry;
  return { difference, borrow, below: borrow === 1 };
}

function noKey(indices: readonly number[], level: number): VaultError {
  const path = formatPath(indices.slice(0, level));
  return new VaultError("INVALID_PATH", `BIP-32 gives ${path} no key under this phrase: take the next index`);
}
