import assert from "node:assert/strict";
import { gcm } from "@noble/ciphers/aes.js";
import { decryptAesGcm, encryptAesGcm } from "../../../vault/sealing/aes_gcm.ts";
import { VaultError } from "../../../vault/errors.ts";
import { seeded } from "../../support/random.ts";
import published from "../../vectors/aes-256-gcm.json" with { type: "json" };
import own from "../../vectors/alknet-vault.json" with { type: "json" };

const { fromHex } = Uint8Array;
const FAILED = { name: "VaultError", code: "DECRYPTION_FAILED" };

Deno.test("encryptAesGcm() and decryptAesGcm() agree with every valid vector of NIST and Wycheproof (vault.md row 5)", () => {
  const valid = [...published.vectors, ...published.gcm_spec].filter((vector) => vector.valid);
  assert.equal(valid.length, 43);
  for (const { key, iv, aad, plaintext, ciphertext, tag } of valid) {
    const [k, n, a] = [fromHex(key), fromHex(iv), fromHex(aad)];
    assert.equal(encryptAesGcm(k, n, fromHex(plaintext), a).toHex(), ciphertext + tag);
    assert.equal(decryptAesGcm(k, n, fromHex(ciphertext + tag), a).toHex(), plaintext);
    if (aad === "") assert.equal(encryptAesGcm(k, n, fromHex(plaintext)).toHex(), ciphertext + tag);
  }
});

Deno.test("decryptAesGcm() refuses every invalid vector of Wycheproof and every tampered one (vault.md row 5)", () => {
  const invalid = [...published.vectors.filter((vector) => !vector.valid), ...published.tampered];
  assert.equal(invalid.length, 37);
  for (const { key, iv, aad, ciphertext, tag, comment } of invalid) {
    assert.throws(
      () => decryptAesGcm(fromHex(key), fromHex(iv), fromHex(ciphertext + tag), fromHex(aad)),
      FAILED,
      comment,
    );
  }
});

Deno.test("encryptAesGcm() gives what the Rust vault's own test should have asserted", () => {
  const { key, iv, plaintext, ciphertext_and_tag } = own.aes_test;
  const sealed = encryptAesGcm(fromHex(key), fromHex(iv), new TextEncoder().encode(plaintext));
  assert.equal(sealed.toHex(), ciphertext_and_tag);
});

Deno.test("encryptAesGcm() agrees with another implementation on random input of all small lengths", () => {
  const random = seeded("AES-256-GCM beside @noble/ciphers");
  for (let length = 0; length < 300; length++) {
    const [key, iv, plaintext, data] = [
      random.bytes(32),
      random.bytes(12),
      random.bytes(length),
      random.bytes(length % 7),
    ];
    const sealed = encryptAesGcm(key, iv, plaintext, data);
    assert.deepEqual(sealed, gcm(key, iv, data).encrypt(plaintext));
    assert.deepEqual(decryptAesGcm(key, iv, sealed, data), plaintext);
  }
});

Deno.test("decryptAesGcm() fails in one way, without a cause, at every length below a tag and at every bit", () => {
  const [key, iv] = [new Uint8Array(32).fill(7), new Uint8Array(12).fill(9)];
  const sealed = encryptAesGcm(key, iv, new Uint8Array([1, 2, 3]));
  const broken = Array.from({ length: sealed.length }, (_, length) => sealed.slice(0, length));
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const flipped = sealed.slice();
    flipped[bit >> 3] ^= 1 << (bit & 7);
    broken.push(flipped);
  }
  const messages = new Set<string>();
  for (const bytes of broken) {
    assert.throws(() => decryptAesGcm(key, iv, bytes), (error) => {
      assert(error instanceof VaultError);
      assert.equal(error.code, "DECRYPTION_FAILED");
      assert.equal(error.cause, undefined);
      messages.add(error.message);
      return true;
    });
  }
  assert.equal(messages.size, 1);
});

Deno.test("encryptAesGcm() and decryptAesGcm() take no key and no iv of another length", () => {
  const [key, iv, bytes] = [new Uint8Array(32), new Uint8Array(12), new Uint8Array(16)];
  for (const work of [encryptAesGcm, decryptAesGcm]) {
    for (const length of [0, 16, 24, 31, 33]) assert.throws(() => work(new Uint8Array(length), iv, bytes), RangeError);
    for (const length of [0, 8, 11, 13, 16]) assert.throws(() => work(key, new Uint8Array(length), bytes), RangeError);
  }
});
