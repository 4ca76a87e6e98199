/**
 * Phrases of words that stand for entropy, and the seeds made from them (BIP-39, English list).
 *
 * ```text
 * entropy     128, 160, 192, 224 or 256 bits
 * ‖ checksum  the first bit of SHA-256(entropy) for each 32 bits of entropy
 * = words     11 bits each: 12, 15, 18, 21 or 24 words
 * seed        PBKDF2-HMAC-SHA512(phrase, "mnemonic" ‖ passphrase, 2048 rounds), 64 bytes
 * ```
 *
 * Of the npm package `bip39` the word list is used. Its functions pass entropy through strings of hex and of bits, which
 * cannot be wiped, and its PBKDF2 takes five times as long as that of `node:crypto`; a test compares the two.
 *
 * @module
 */
import words from "bip39/english" with { type: "json" };
import { createHash, pbkdf2Sync } from "node:crypto";
import { VaultError } from "../errors.ts";
import { nearestWords } from "./nearest_words.ts";
import { wipe } from "../secret_bytes.ts";

/** Counts of words that a phrase may have (BIP-39, "Generating the mnemonic"). */
export type WordCount = 12 | 15 | 18 | 21 | 24;

const WORD_COUNTS: readonly number[] = [12, 15, 18, 21, 24] satisfies WordCount[];
const WORD_BITS = 11;
const SEED_ROUNDS = 2048;
const SEED_LENGTH = 64;

const indexOfWord: ReadonlyMap<string, number> = new Map(words.map((word, index) => [word, index]));
const utf8 = new TextEncoder();

/**
 * A new phrase from the system's CSPRNG.
 *
 * @param count Words: 12 for 128 bits of entropy, 24 for 256.
 * @throws {VaultError} `INVALID_PHRASE` for another count.
 */
export function generatePhrase(count: WordCount = 24): string {
  checkCount(count);
  const entropy = crypto.getRandomValues(new Uint8Array(entropyLength(count)));
  const phrase = phraseOf(entropy);
  wipe(entropy);
  return phrase;
}

/**
 * A phrase as a person typed it, made canonical: NFKD, lower case, single spaces. The other functions here take canonical
 * phrases alone, as BIP-39 has them.
 *
 * @throws {VaultError} `INVALID_PHRASE`, saying which of the three rules it breaks: a wrong count of words, a word that
 * is not in the list (with its position and the nearest words that are), or a wrong checksum. It never quotes the phrase.
 */
export function readPhrase(typed: string): string {
  const phrase = typed.normalize("NFKD").toLowerCase().trim().replace(/\s+/g, " ");
  wipe(entropyOf(phrase));
  return phrase;
}

/**
 * The entropy of a canonical phrase: 16, 20, 24, 28 or 32 bytes. For one that a person typed, {@linkcode readPhrase}
 * comes first.
 *
 * @throws {VaultError} `INVALID_PHRASE`, as {@linkcode readPhrase} says.
 */
export function entropyOf(phrase: string): Uint8Array<ArrayBuffer> {
  const list = phrase === "" ? [] : phrase.split(" ");
  checkCount(list.length);
  const bits = packWords(indicesOf(list));
  const entropy = bits.slice(0, entropyLength(list.length));
  const expected = checksumOf(entropy);
  const found = bits[entropy.byteLength];
  wipe(bits);
  if (found === expected) return entropy;
  wipe(entropy);
  throw invalid(
    `the checksum of the phrase is wrong: all ${list.length} words are in the list, so one of them is another word ` +
      `of it, or two have changed places; compare the phrase with what was written down`,
  );
}

/**
 * The phrase of entropy, the reverse of {@linkcode entropyOf}. A string cannot be wiped: make one only for a person to
 * read.
 *
 * @param entropy 16, 20, 24, 28 or 32 bytes.
 * @throws {RangeError} Another length.
 */
export function phraseOf(entropy: Uint8Array): string {
  return wordsOf(entropy).join(" ");
}

/**
 * The seed that keys are derived from: 64 bytes.
 *
 * @param phrase A canonical phrase; for one that a person typed, {@linkcode readPhrase} comes first.
 * @param passphrase Any text; each gives another seed. Taken in NFKD, as BIP-39 asks.
 * @throws {VaultError} `INVALID_PHRASE`, as {@linkcode readPhrase} says.
 */
export function seedOf(phrase: string, passphrase = ""): Uint8Array<ArrayBuffer> {
  wipe(entropyOf(phrase));
  return stretch(utf8.encode(phrase), passphrase);
}

/**
 * The seed of the phrase that entropy stands for, without making a string of it.
 *
 * @param entropy 16, 20, 24, 28 or 32 bytes.
 * @param passphrase As in {@linkcode seedOf}.
 * @throws {RangeError} Another length.
 */
export function seedOfEntropy(entropy: Uint8Array, passphrase = ""): Uint8Array<ArrayBuffer> {
  const list = wordsOf(entropy);
  // No word has more than eight letters.
  const phrase = new Uint8Array(list.length * 9);
  let length = 0;
  for (const word of list) {
    if (length > 0) phrase[length++] = 0x20;
    length += utf8.encodeInto(word, phrase.subarray(length)).written;
  }
  const seed = stretch(phrase.subarray(0, length), passphrase);
  list.fill("");
  wipe(phrase);
  return seed;
}

/** BIP-39, "From mnemonic to seed". Wipes the phrase. */
function stretch(phrase: Uint8Array, passphrase: string): Uint8Array<ArrayBuffer> {
  const salt = utf8.encode("mnemonic" + passphrase.normalize("NFKD"));
  const stretched = pbkdf2Sync(phrase, salt, SEED_ROUNDS, SEED_LENGTH, "sha512");
  const seed = new Uint8Array(stretched);
  wipe(stretched, phrase, salt);
  return seed;
}

function wordsOf(entropy: Uint8Array): string[] {
  const count = entropy.byteLength * 3 / 4;
  if (!WORD_COUNTS.includes(count)) {
    throw new RangeError(`entropy of a phrase has 16, 20, 24, 28 or 32 bytes, not ${entropy.byteLength}`);
  }
  const bits = new Uint8Array(entropy.byteLength + 1);
  bits.set(entropy);
  bits[entropy.byteLength] = checksumOf(entropy);
  const list = Array.from({ length: count }, (_, position) => words[unpackWord(bits, position)]);
  wipe(bits);
  return list;
}

/** The bits of the checksum, in the high bits of a byte; the rest are zero. */
function checksumOf(entropy: Uint8Array): number {
  const bits = entropy.byteLength / 4;
  const hash = createHash("sha256").update(entropy).digest();
  const checksum = hash[0] & (0xff << (8 - bits));
  wipe(hash);
  return checksum;
}

function indicesOf(list: readonly string[]): number[] {
  const indices = list.map((word) => indexOfWord.get(word) ?? -1);
  const wrong = indices.flatMap((index, at) => index < 0 ? [at] : []);
  if (wrong.length === 0) return indices;
  const each = wrong.map((at) => `word ${at + 1} (nearest in the list: ${nearestWords(list[at], words).join(", ")})`);
  throw invalid(
    `the phrase has ${wrong.length === 1 ? "a word" : "words"} outside the English list of BIP-39: ${each.join("; ")}`,
  );
}

/** Words as their bits, entropy first; what is left of the last byte is zero. Wipes the indices. */
function packWords(indices: number[]): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array(entropyLength(indices.length) + 1);
  let held = 0;
  let heldBits = 0;
  let at = 0;
  for (const index of indices) {
    held = (held << WORD_BITS) | index;
    heldBits += WORD_BITS;
    while (heldBits >= 8) {
      heldBits -= 8;
      bits[at++] = held >> heldBits;
      held &= (1 << heldBits) - 1;
    }
  }
  if (heldBits > 0) bits[at] = held << (8 - heldBits);
  indices.fill(0);
  return bits;
}

/** The index of one word, which lies across two or three bytes. */
function unpackWord(bits: Uint8Array, position: number): number {
  const start = position * WORD_BITS;
  const at = start >> 3;
  const window = (bits[at] << 16) | (bits[at + 1] << 8) | (bits[at + 2] ?? 0);
  return (window >> (24 - WORD_BITS - (start & 7))) & ((1 << WORD_BITS) - 1);
}

/** BIP-39: three words for each 32 bits. */
function entropyLength(count: number): number {
  return count * 4 / 3;
}

function checkCount(count: number): void {
  if (!WORD_COUNTS.includes(count)) throw invalid(`a phrase has 12, 15, 18, 21 or 24 words, not ${count}`);
}

function invalid(message: string): VaultError {
  return new VaultError("INVALID_PHRASE", message);
}
