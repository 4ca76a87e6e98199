/**
 * Phrases and seeds against the published vectors, and against the npm package `bip39` on random ones.
 *
 * @module
 */
import assert from "node:assert/strict";
import { entropyToMnemonic, mnemonicToEntropy, mnemonicToSeedSync } from "npm:bip39@3.1.2";
import { VaultError } from "../../../vault/errors.ts";
import {
  entropyOf,
  generatePhrase,
  phraseOf,
  readPhrase,
  seedOf,
  seedOfEntropy,
  type WordCount,
} from "../../../vault/phrase/phrase.ts";
import { seeded } from "../../support/random.ts";
import published from "../../vectors/bip39-english.json" with { type: "json" };

const COUNTS: readonly WordCount[] = [12, 15, 18, 21, 24];
const ENTROPY_LENGTHS = [16, 20, 24, 28, 32];
const PHRASE = published.vectors[1].mnemonic;

/** What an error says, by the rule that the vector file names. */
const MESSAGES: Readonly<Record<string, RegExp>> = {
  bad_length: /^a phrase has 12, 15, 18, 21 or 24 words, not \d+$/,
  bad_word: /word \d+ \(nearest in the list: [a-z]+/,
  bad_checksum: /checksum/,
};

Deno.test("phrases: all 24 English vectors, both ways, and their seeds (BIP-39; vault.md row 1)", () => {
  assert.equal(published.vectors.length, 24);
  for (const { entropy, mnemonic, passphrase, seed } of published.vectors) {
    assert.equal(phraseOf(Uint8Array.fromHex(entropy)), mnemonic);
    assert.equal(entropyOf(mnemonic).toHex(), entropy);
    assert.equal(readPhrase(mnemonic), mnemonic);
    assert.equal(seedOf(mnemonic, passphrase).toHex(), seed);
    assert.equal(seedOfEntropy(Uint8Array.fromHex(entropy), passphrase).toHex(), seed);
  }
});

Deno.test("entropyOf() and seedOf() refuse each invalid phrase, saying which rule it breaks (vault.md row 2)", () => {
  assert.equal(published.invalid.length, 18);
  for (const { mnemonic, reason } of published.invalid) {
    for (const take of [entropyOf, seedOf]) {
      const error = refusal(() => take(mnemonic));
      assert.match(error.message, MESSAGES[reason], mnemonic);
    }
  }
});

Deno.test("readPhrase() refuses each invalid phrase but the one that only its capitals make so", () => {
  for (const { mnemonic, reason } of published.invalid) {
    // BIP-39 has no capitals; a person's keyboard has.
    if (mnemonic === mnemonic.toUpperCase() && mnemonic !== "") {
      assert.equal(readPhrase(mnemonic), mnemonic.toLowerCase());
    } else assert.match(refusal(() => readPhrase(mnemonic)).message, MESSAGES[reason], mnemonic);
  }
});

Deno.test("readPhrase() makes what a person types canonical: NFKD, lower case, single spaces", () => {
  for (
    const typed of [
      `  ${PHRASE}\n`,
      PHRASE.replaceAll(" ", "  \t"),
      PHRASE.replaceAll(" ", "\u3000"),
      PHRASE.replaceAll(" ", "\r\n"),
      PHRASE.toUpperCase(),
      // Letters as some input methods write them, which NFKD makes plain.
      PHRASE.replace(/[a-z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0)),
    ]
  ) assert.equal(readPhrase(typed), PHRASE);
});

Deno.test("phrase errors name every wrong word by its position with the nearest listed ones, and never quote it", () => {
  for (
    const [typed, position, nearest] of [
      [PHRASE.replace("winner", "winer"), 2, "winner"],
      [PHRASE.replace("legal", "elgal"), 1, "legal"],
      [PHRASE.replace("yellow", "yelloww"), 12, "yellow"],
      [PHRASE.replace("legal", "légal"), 1, "legal"],
      [PHRASE.replace("wave", "qqqqqqqq"), 5, ""],
    ] as const
  ) {
    const { message } = refusal(() => readPhrase(typed));
    assert.match(message, new RegExp(`word ${position} \\(nearest in the list: [a-z, ]*${nearest}`));
    const wrong = typed.split(" ")[position - 1];
    assert.ok(!new RegExp(`\\b${wrong}\\b`).test(message), `it quotes the phrase: ${message}`);
  }
  const two = refusal(() => readPhrase(PHRASE.replace("wave", "wvae").replace("thank yellow", "thank yello")));
  assert.match(two.message, /word 5 \(nearest in the list: wave.*; word 12 \(nearest in the list: yellow/);
  assert.ok(!refusal(() => readPhrase("hunter2 is my password")).message.includes("hunter2"));
  assert.ok(!refusal(() => entropyOf(PHRASE.replace("legal", "winner"))).message.includes("winner"));
});

Deno.test("seedOf(): passphrases in NFKD, none of the seeds of those that skip it (BIP-39)", () => {
  assert.equal(published.seeds.length, 5);
  for (const { mnemonic, passphrase, seed, seed_if_not_normalized: wrong } of published.seeds) {
    assert.equal(seedOf(mnemonic, passphrase).toHex(), seed);
    assert.equal(seedOfEntropy(entropyOf(mnemonic), passphrase).toHex(), seed);
    if (wrong) assert.notEqual(seedOf(mnemonic, passphrase).toHex(), wrong);
  }
});

Deno.test("generatePhrase() gives valid phrases of each count, never one twice", () => {
  for (const count of COUNTS) {
    const phrases = Array.from({ length: 20 }, () => generatePhrase(count));
    for (const phrase of phrases) assert.equal(entropyOf(phrase).byteLength, count * 4 / 3);
    assert.equal(new Set(phrases).size, phrases.length);
  }
  assert.equal(generatePhrase().split(" ").length, 24);
  for (const count of [0, 11, 13, 27, NaN]) {
    assert.match(refusal(() => generatePhrase(count as WordCount)).message, /^a phrase has 12, 15, 18, 21 or 24 words/);
  }
});

Deno.test("phraseOf() and seedOfEntropy() refuse entropy of other lengths", () => {
  for (const length of [0, 4, 15, 17, 33, 64]) {
    assert.throws(() => phraseOf(new Uint8Array(length)), RangeError);
    assert.throws(() => seedOfEntropy(new Uint8Array(length)), RangeError);
  }
});

Deno.test("phrases and seeds are those of the npm package bip39", () => {
  const random = seeded("phrases");
  for (let round = 0; round < 200; round++) {
    const entropy = random.bytes(random.pick(ENTROPY_LENGTHS));
    const phrase = phraseOf(entropy);
    assert.equal(phrase, entropyToMnemonic(entropy.toHex()));
    assert.equal(entropyOf(phrase).toHex(), mnemonicToEntropy(phrase));
    if (round % 40 === 0) assert.equal(seedOf(phrase, "p").toHex(), mnemonicToSeedSync(phrase, "p").toString("hex"));
    const words = phrase.split(" ");
    words[random.below(words.length)] = random.pick(published.vectors).mnemonic.split(" ")[0];
    assert.equal(outcome(() => entropyOf(words.join(" ")).toHex()), outcome(() => mnemonicToEntropy(words.join(" "))));
  }
});

function refusal(run: () => unknown): VaultError {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof VaultError && error.code === "INVALID_PHRASE", String(error));
    return error;
  }
  assert.fail("it was accepted");
}

/** What a function gives, or that it throws. */
function outcome(run: () => string): string {
  try {
    return run();
  } catch {
    return "refused";
  }
}
