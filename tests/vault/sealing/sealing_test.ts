/**
 * Sealing through the vault: versions, rotation, other vaults, the published credentials.
 *
 * @module
 */
import assert from "node:assert/strict";
import { generatePhrase } from "../../../vault/phrase/phrase.ts";
import type { SealedData } from "../../../vault/sealing/sealed_data.ts";
import { Vault } from "../../../vault/vault.ts";
import published from "../../vectors/alknet-vault.json" with { type: "json" };

const FAILED = { name: "VaultError", code: "DECRYPTION_FAILED" };
const NO_PATH = { name: "VaultError", code: "INVALID_PATH" };
const LOCKED = { name: "VaultError", code: "VAULT_LOCKED" };
const PHRASE = published.vectors[0].mnemonic;
const OURS = published.encrypted_data.filter(({ scheme }) => scheme === "slip10");

function unlocked(phrase: string, passphrase = ""): Vault {
  const vault = new Vault();
  vault.unlock(phrase, passphrase);
  return vault;
}

Deno.test("Vault.open() opens every published credential of the scheme, and no other vault does (vault.md row 6)", () => {
  assert.equal(OURS.length, 5);
  for (const { mnemonic, passphrase, plaintext, encrypted } of OURS) {
    using vault = unlocked(mnemonic, passphrase);
    assert.equal(vault.open(encrypted), plaintext);
    assert.deepEqual(vault.openBytes(encrypted), new TextEncoder().encode(plaintext));
    assert.equal(vault.open({ ...encrypted, salt: new Uint8Array(32).toBase64() }), plaintext);
    using other = unlocked(mnemonic, `${passphrase}x`);
    assert.throws(() => other.open(encrypted), FAILED);
  }
});

Deno.test("Vault.open() refuses every published credential that is invalid (vault.md row 9)", () => {
  assert.equal(published.encrypted_data_invalid.length, 12);
  for (const { mnemonic, passphrase, comment, encrypted } of published.encrypted_data_invalid) {
    using vault = unlocked(mnemonic, passphrase);
    assert.throws(() => vault.open(encrypted), encrypted.key_version < 2 ? NO_PATH : FAILED, comment);
  }
});

Deno.test("Vault.openBytes() opens what open() refuses only because it is not UTF-8", () => {
  using vault = unlocked(PHRASE);
  const sealed = vault.sealBytes(new Uint8Array([0xff, 0, 0xfe]));
  assert.throws(() => vault.open(sealed), FAILED);
  assert.deepEqual(vault.openBytes(sealed), new Uint8Array([0xff, 0, 0xfe]));
});

Deno.test("Vault.open() with another vault's key, and with versions 0, 1 and 3 (vault.md row 10)", async () => {
  using vault = unlocked(PHRASE);
  using other = unlocked(generatePhrase(12));
  const sealed = vault.seal("secret");
  assert.throws(() => other.open(sealed), FAILED);
  for (const key_version of [0, 1]) {
    assert.throws(() => vault.open({ ...sealed, key_version }), NO_PATH);
    assert.throws(() => vault.seal("secret", key_version), NO_PATH);
    assert.throws(() => vault.rotate(sealed, key_version), NO_PATH);
    assert.throws(() => vault.sealStream(key_version), NO_PATH);
  }
  assert.throws(() => vault.open({ ...sealed, key_version: 3 }), FAILED, "version 3 has a key of its own");
  assert.equal(vault.open(vault.seal("secret", 3)), "secret");
  assert.throws(() => vault.open({ ...sealed, key_version: 2 ** 31 + 2 }), NO_PATH, "an index past the last");
  assert.equal(vault.open(vault.seal("last", 2 ** 31 + 1)), "last");
  for (const version of [-1, 2.5, NaN, 2 ** 32 + 2]) {
    assert.throws(() => vault.seal("secret", version), NO_PATH);
    assert.throws(() => vault.sealStream(version), NO_PATH);
    await assert.rejects(vault.sealBulk(new Uint8Array(1), version), NO_PATH);
  }
});

Deno.test("Vault.rotate() reseals under another version; versions live side by side; nothing else changes", () => {
  using vault = unlocked(PHRASE);
  const bytes = new Uint8Array([0, 0xff, 0x80]);
  const old = vault.sealBytes(bytes);
  const versions = [3, 2, 7, 7].map((version) => vault.rotate(old, version));
  assert.deepEqual(versions.map(({ key_version }) => key_version), [3, 2, 7, 7]);
  for (const sealed of [old, ...versions]) assert.deepEqual(vault.openBytes(sealed), bytes);
  const fresh = (field: "salt" | "iv" | "data"): Set<string> =>
    new Set([old, ...versions].map((sealed) => sealed[field]));
  for (const field of ["salt", "iv", "data"] as const) assert.equal(fresh(field).size, 5, `${field} is fresh`);
  assert.throws(() => vault.rotate({ ...old, key_version: 3 }, 4), FAILED);
  assert.throws(() => vault.rotate({}, 4), { name: "VaultError", code: "INVALID_SEALED_DATA" });
});

Deno.test("a locked Vault seals and opens nothing, in any form", async () => {
  const vault = unlocked(PHRASE);
  const sealed: SealedData = vault.seal("secret");
  const bulk = await vault.sealBulk(new Uint8Array(10));
  const works = [
    () => vault.seal("secret"),
    () => vault.open(sealed),
    () => vault.sealBytes(new Uint8Array(1)),
    () => vault.openBytes(sealed),
    () => vault.rotate(sealed, 3),
    () => vault.openRust(sealed),
    () => vault.sealStream(),
    () => vault.openStream(),
  ];
  for (const locked of [vault, new Vault()]) {
    locked.lock();
    for (const work of locked === vault ? works : []) assert.throws(work, LOCKED, String(work));
    await assert.rejects(async () => await locked.sealBulk(new Uint8Array(10)), LOCKED);
    await assert.rejects(async () => await locked.openBulk(bulk), LOCKED);
  }
});

Deno.test("Vault streams and bulk pair open each other's, by version, and fail when the vault is locked under them", async () => {
  using vault = unlocked(PHRASE);
  const plaintext = new TextEncoder().encode("a backup\n".repeat(20_000));
  for (const version of [2, 5]) {
    const sealed = await drain(ReadableStream.from([plaintext]).pipeThrough(vault.sealStream(version)));
    assert.deepEqual(await vault.openBulk(sealed), plaintext);
    const bulk = await vault.sealBulk(plaintext, version);
    assert.deepEqual(await drain(ReadableStream.from([bulk]).pipeThrough(vault.openStream())), plaintext);
  }
  using other = unlocked(PHRASE, "x");
  await assert.rejects(other.openBulk(await vault.sealBulk(plaintext)), FAILED);

  const stream = vault.sealStream();
  const [writer, reader] = [stream.writable.getWriter(), stream.readable.getReader()];
  await reader.read();
  vault.lock();
  const writing = writer.write(plaintext).catch((error) => error);
  await assert.rejects(reader.read(), LOCKED);
  await writing;
});

async function drain(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return await new Response(stream as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
}
