/**
 * Random credentials: sealed, opened, rotated, altered. Every one comes back as it went in, or fails in one of the ways
 * that are named.
 *
 * @module
 */
import assert from "node:assert/strict";
import { VaultError } from "../../../vault/errors.ts";
import type { SealedData } from "../../../vault/sealing/sealed_data.ts";
import { Vault } from "../../../vault/vault.ts";
import { type Random, seeded } from "../../support/random.ts";

const CASES = 10_000;
const ALPHABETS = ["abc", "äöü€", "漢字かな", "🔑🦀\u{10ffff}", "\0\n\r\t\u001b", "\uFEFF\u200d\u0301", '"\\{}'];

Deno.test(`Vault seals, opens and rotates ${CASES} random credentials, and no altered one opens (vault.md rows 8 to 10)`, () => {
  const random = seeded("sealed credentials");
  using vault = new Vault();
  vault.unlockNew(12);
  using other = new Vault();
  other.unlockNew(12);
  const outcomes = { same: 0, altered: 0, form: 0, path: 0 };
  for (let i = 0; i < CASES; i++) {
    const text = randomText(random);
    const version = random.between(2, 12);
    const sealed = vault.seal(text, version);
    assert.equal(vault.open(JSON.parse(JSON.stringify(sealed))), text);
    assert.throws(() => other.open(sealed), { code: "DECRYPTION_FAILED" });

    const to = random.between(2, 12);
    const rotated = vault.rotate(sealed, to);
    assert.equal(rotated.key_version, to);
    assert.equal(vault.open(rotated), text);

    const bytes = random.bytes(random.below(200));
    assert.deepEqual(vault.openBytes(vault.sealBytes(bytes, version)), bytes);

    outcomes[outcomeOf(vault, mutate(random, sealed), text)]++;
  }
  // Each way to end was met, so that the cases say something.
  for (const [outcome, times] of Object.entries(outcomes)) assert(times > CASES / 100, `${outcome}: ${times}`);
});

/** Opens something altered; only the salt, which plays no part, may differ where the text comes back. */
function outcomeOf(vault: Vault, mutant: Mutant, text: string): "same" | "altered" | "form" | "path" {
  try {
    assert.equal(vault.open(mutant.value), text);
    assert(mutant.harmless, `opened although altered: ${JSON.stringify(mutant.value)}`);
    return "same";
  } catch (error) {
    assert(error instanceof VaultError, `${error} at ${JSON.stringify(mutant.value)}`);
    assert(!mutant.harmless, `${error.code} at ${JSON.stringify(mutant.value)}`);
    assert(text.length < 4 || !error.message.includes(text), "the plaintext is in the message");
    if (error.code === "DECRYPTION_FAILED") return "altered";
    if (error.code === "INVALID_SEALED_DATA") return "form";
    assert.equal(error.code, "INVALID_PATH");
    return "path";
  }
}

interface Mutant {
  readonly value: unknown;
  /** Whether it must still open. */
  readonly harmless: boolean;
}

function mutate(random: Random, sealed: SealedData): Mutant {
  const field = random.pick(["salt", "iv", "data"] as const);
  const junk = random.pick([undefined, null, true, -1, 0.5, "", "=", [], {}, 2 ** 40, sealed]);
  switch (random.below(8)) {
    case 0: {
      const bytes = random.mutate(Uint8Array.fromBase64(sealed[field]));
      const value = { ...sealed, [field]: bytes.toBase64() };
      return { value, harmless: value[field] === sealed[field] || (field === "salt" && bytes.length === 32) };
    }
    case 1: {
      const letters = random.mutate(new TextEncoder().encode(sealed[field]));
      const value = { ...sealed, [field]: String.fromCharCode(...letters) };
      return { value, harmless: value[field] === sealed[field] || (field === "salt" && isSalt(value.salt)) };
    }
    case 2: {
      const { [random.pick(Object.keys(sealed) as (keyof SealedData)[])]: _, ...value } = sealed;
      return { value, harmless: false };
    }
    case 3:
      return { value: { ...sealed, [random.pick(Object.keys(sealed))]: junk }, harmless: false };
    case 4:
      return { value: { ...sealed, [`x${random.below(1000)}`]: junk }, harmless: false };
    case 5:
      return { value: { ...sealed, key_version: random.pick([0, 1, 2 ** 31 + 2, 2 ** 32 - 1]) }, harmless: false };
    case 6:
      return { value: { ...sealed, key_version: sealed.key_version + random.between(1, 5) }, harmless: false };
    default:
      return { value: { ...sealed, salt: random.bytes(32).toBase64() }, harmless: true };
  }
}

function isSalt(text: string): boolean {
  return /^[A-Za-z0-9+/]{43}=$/.test(text) && Uint8Array.fromBase64(text).toBase64() === text;
}

function randomText(random: Random): string {
  const letters = [...random.pick(ALPHABETS)];
  return Array.from({ length: random.below(40) }, () => random.pick(letters)).join("");
}
