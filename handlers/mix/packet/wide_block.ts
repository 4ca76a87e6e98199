/**
 * A permutation of a whole body under one key (msg.md §5.1): a bit that was altered anywhere makes every byte another, so
 * that nothing which a node marked can be known again behind the next (LIONESS: Anderson and Biham, 1996).
 *
 * ```text
 * K1 to K4 = HKDF(no salt, payload key, "alknet-mix-v1 wide", 128)     block = l 32 | r     S(k) = AES-256-CTR from 0
 * r ^= S(HMAC(K1, l))   l ^= HMAC(K2, r)   r ^= S(HMAC(K3, l))   l ^= HMAC(K4, r)       and backwards
 * ```
 *
 * @module
 */
import { ascii, ctr, hkdf, hmac, joined, wipe } from "@alknet/core/crypto";

const LEFT = 32;
const LABEL = ascii("alknet-mix-v1 wide");
const FROM_ZERO = new Uint8Array(16);

/**
 * The block under a key, in a new array.
 *
 * @param key 32 bytes.
 * @param block More than 32 bytes.
 * @throws {RangeError} Fewer.
 */
export function encipherWide(key: Uint8Array, block: Uint8Array): Uint8Array {
  return withKeys(key, block, (k1, k2, k3, k4, l, r) => {
    const r1 = streamed(k1, l, r);
    const l1 = xored(l, hmac(k2, r1));
    const r2 = streamed(k3, l1, r1);
    const whole = joined(xored(l1, hmac(k4, r2)), r2);
    wipe(r1, l1, r2);
    return whole;
  });
}

/**
 * The inverse of {@linkcode encipherWide}.
 *
 * @throws {RangeError} The block has 32 bytes or fewer.
 */
export function decipherWide(key: Uint8Array, block: Uint8Array): Uint8Array {
  return withKeys(key, block, (k1, k2, k3, k4, l, r) => {
    const l1 = xored(l, hmac(k4, r));
    const r1 = streamed(k3, l1, r);
    const l0 = xored(l1, hmac(k2, r1));
    const r0 = streamed(k1, l0, r1);
    const whole = joined(l0, r0);
    wipe(l1, r1, l0, r0);
    return whole;
  });
}

type Round = (
  k1: Uint8Array,
  k2: Uint8Array,
  k3: Uint8Array,
  k4: Uint8Array,
  l: Uint8Array,
  r: Uint8Array,
) => Uint8Array;

function withKeys(key: Uint8Array, block: Uint8Array, work: Round): Uint8Array {
  if (block.byteLength <= LEFT) throw new RangeError(`a wide block is longer than 32 bytes, not ${block.byteLength}`);
  const keys = hkdf(undefined, key, [LABEL], 4 * 32);
  const [k1, k2, k3, k4] = [0, 32, 64, 96].map((at) => keys.subarray(at, at + 32));
  try {
    return work(k1, k2, k3, k4, block.subarray(0, LEFT), block.subarray(LEFT));
  } finally {
    wipe(keys);
  }
}

function streamed(key: Uint8Array, l: Uint8Array, r: Uint8Array): Uint8Array {
  const stream = hmac(key, l);
  const out = ctr(stream, FROM_ZERO, r);
  wipe(stream);
  return out;
}

function xored(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ b[i]);
}
