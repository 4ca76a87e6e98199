/**
 * ML-KEM-768 against vectors of others (msg.md §2).
 *
 * @module
 */
import assert from "node:assert/strict";
import { shake128 } from "@noble/hashes/sha3.js";
import { decapsulate, encapsulate, isKemPublic, kemPublic } from "../../../../handlers/msg/agreement/kem.ts";

Deno.test("ML-KEM-768: Go's accumulated vector of 100 keys, ciphertexts, secrets and rejections (crypto/mlkem, TestAccumulated)", () => {
  const input = shake128.create({});
  const output = shake128.create({ dkLen: 32 });
  for (let n = 0; n < 100; n++) {
    const seed = input.xof(64);
    const publicKey = kemPublic(seed);
    assert.ok(isKemPublic(publicKey));
    const { ciphertext, secret } = encapsulate(publicKey, input.xof(32));
    assert.deepEqual(decapsulate(seed, ciphertext), { publicKey, secret });
    // Of no key: another secret comes out, and nothing tells.
    const rejected = decapsulate(seed, input.xof(1088)).secret;
    for (const bytes of [publicKey, ciphertext, secret, rejected]) output.update(bytes);
  }
  assert.equal(output.digest().toHex(), "1114b1b6699ed191734fa339376afa7e285c9e6acf6ff0177d346696ce564415");
});

Deno.test("ML-KEM-768: what is not of its length, or has a coefficient of 3329 or more, is no key", () => {
  const key = kemPublic(new Uint8Array(64));
  assert.ok(!isKemPublic(key.subarray(1)) && !isKemPublic(new Uint8Array(1185)));
  for (const at of [0, 3, 1149]) {
    // 3329 = d01: as the low one of a pair, and as the high one.
    assert.ok(!isKemPublic(key.with(at, 0x01).with(at + 1, key[at + 1] & 0xf0 | 0x0d)));
    assert.ok(!isKemPublic(key.with(at + 1, key[at + 1] & 0x0f | 0x10).with(at + 2, 0xd0)));
    assert.ok(isKemPublic(key.with(at, 0x00).with(at + 1, key[at + 1] & 0xf0 | 0x0d)));
  }
  // Seed and hash behind them are any bytes.
  assert.ok(isKemPublic(key.with(1152, 0xff).with(1183, 0xff)));
});
