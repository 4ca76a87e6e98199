import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { deriveRustKey, rustSealingKey } from "../../../vault/keys/rust_scheme.ts";
import { Vault } from "../../../vault/vault.ts";
import { seeded } from "../../support/random.ts";
import published from "../../vectors/alknet-vault.json" with { type: "json" };

const { fromHex } = Uint8Array;
const SEALED_BY_RUST = published.encrypted_data.filter(({ scheme }) => scheme === "rust_vault");
const FAILED = { name: "VaultError", code: "DECRYPTION_FAILED" };

function indicesOf(path: string): number[] {
  return path.split("/").slice(1).map((part) => parseInt(part) + 2 ** 31);
}

function unlocked(phrase: string, passphrase: string): Vault {
  const vault = new Vault();
  vault.unlock(phrase, passphrase);
  return vault;
}

Deno.test("deriveRustKey() gives the keys of the Rust vault, every entry (vault.md row 17)", () => {
  const vectors = [...published.vectors, ...published.test_vectors_rs];
  assert.equal(vectors.length, 13);
  for (const { seed, path, rust_vault, slip10 } of vectors) {
    const { left, right, chainCode } = deriveRustKey(fromHex(seed), indicesOf(path));
    assert.equal(left.toHex(), rust_vault.private);
    assert.equal(right.toHex(), rust_vault.extended_right);
    assert.equal(chainCode.toHex(), rust_vault.chain_code);
    assert.notEqual(left.toHex(), slip10.private);
  }
});

Deno.test("Vault.openRust() opens what the Rust vault sealed, and seal() makes it ours (vault.md row 17)", () => {
  assert.equal(SEALED_BY_RUST.length, 5);
  for (const { mnemonic, passphrase, plaintext, encrypted } of SEALED_BY_RUST) {
    using vault = unlocked(mnemonic, passphrase);
    assert.equal(vault.openRust(encrypted), plaintext);
    assert.throws(() => vault.open(encrypted), FAILED);
    const resealed = vault.seal(vault.openRust(encrypted));
    assert.equal(vault.open(resealed), plaintext);
    assert.throws(() => vault.openRust(resealed), FAILED, "a seal of ours is never under the old scheme");
  }
});

Deno.test("Vault.openRust() fails as open() does: other phrase, altered bytes, versions 0 and 1, lock, form", () => {
  const { mnemonic, passphrase, encrypted } = SEALED_BY_RUST[0];
  using vault = unlocked(mnemonic, passphrase);
  using other = unlocked(mnemonic, `${passphrase}x`);
  assert.throws(() => other.openRust(encrypted), FAILED);
  assert.throws(() => vault.openRust({ ...encrypted, iv: "***" }), FAILED);
  assert.throws(() => vault.openRust({ ...encrypted, key_version: 3 }), FAILED);
  for (const key_version of [0, 1]) {
    assert.throws(() => vault.openRust({ ...encrypted, key_version }), { name: "VaultError", code: "INVALID_PATH" });
  }
  assert.throws(() => vault.openRust({}), { name: "VaultError", code: "INVALID_SEALED_DATA" });
  for (const { scheme, encrypted } of published.encrypted_data) {
    if (scheme === "slip10") assert.throws(() => vault.openRust(encrypted), FAILED);
  }
  vault.lock();
  assert.throws(() => vault.openRust(encrypted), { name: "VaultError", code: "VAULT_LOCKED" });
});

Deno.test("deriveRustKey() agrees with arithmetic on big integers at random seeds and paths", () => {
  const random = seeded("BIP32-Ed25519 beside big integers");
  for (let i = 0; i < 500; i++) {
    const seed = random.bytes(random.between(16, 64));
    const indices = Array.from({ length: random.below(6) }, () => random.uint32() | 0x8000_0000).map((n) => n >>> 0);
    const { left, right, chainCode } = deriveRustKey(seed, indices);
    assert.deepEqual({ left, right, chainCode }, plainTwin(seed, indices));
  }
});

Deno.test("deriveRustKey() takes hardened indices only, and rustSealingKey() leaves the seed as it was", () => {
  assert.throws(() => deriveRustKey(new Uint8Array(64), [2 ** 31, 0]), RangeError);
  for (const { mnemonic, passphrase, key, encrypted } of SEALED_BY_RUST) {
    const { seed } = published.vectors.find((entry) => entry.mnemonic === mnemonic && entry.passphrase === passphrase)!;
    const given = fromHex(seed);
    assert.equal(rustSealingKey(given, encrypted.key_version).toHex(), key);
    assert.equal(given.toHex(), seed);
  }
});

/** The same as the paper writes it. */
function plainTwin(seed: Uint8Array, indices: readonly number[]): Record<"left" | "right" | "chainCode", Uint8Array> {
  const hmac = (key: string | Uint8Array, ...data: Uint8Array[]): Uint8Array =>
    Uint8Array.from(data.reduce((sum, part) => sum.update(part), createHmac("sha512", key)).digest());
  const number = (bytes: Uint8Array): bigint => BigInt(`0x${bytes.toReversed().toHex()}`);
  const bytes = (value: bigint): Uint8Array => fromHex((value % 2n ** 256n).toString(16).padStart(64, "0")).reverse();
  const master = hmac("ed25519 seed", seed);
  const expanded = createHash("sha512").update(master.subarray(0, 32)).digest();
  let left = number(expanded.subarray(0, 32)) & ((1n << 253n) - 8n) | (1n << 254n);
  let right = number(expanded.subarray(32));
  let chainCode = master.slice(32);
  for (const index of indices) {
    const tail = [bytes(left), bytes(right), new Uint8Array(new Uint32Array([index]).buffer)];
    const z = hmac(chainCode, new Uint8Array([0]), ...tail);
    chainCode = hmac(chainCode, new Uint8Array([1]), ...tail).slice(32);
    left += 8n * number(z.subarray(0, 28));
    right += number(z.subarray(32));
  }
  return { left: bytes(left), right: bytes(right), chainCode };
}
