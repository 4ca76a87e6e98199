/**
 * The vault: its lifecycle, the keys it derives and the credentials it seals.
 *
 * @module
 */
import { deriveBip32 } from "./keys/bip32.ts";
import { DerivedKey } from "./keys/derived_key.ts";
import type { KeyType } from "./keys/public_key.ts";
import { VaultError } from "./errors.ts";
import { KEY_LENGTH, type KeyAndChain } from "./keys/hmac.ts";
import { type CachedKey, KeyCache } from "./keys/key_cache.ts";
import { ALKNET_PATHS, CURRENT_KEY_VERSION, formatPath, parsePath } from "./keys/path.ts";
import { generatePhrase, readPhrase, seedOf, seedOfEntropy, type WordCount } from "./phrase/phrase.ts";
import { rustSealingKey } from "./keys/rust_scheme.ts";
import { openAll, openingStream, sealAll, sealingStream } from "./sealing/seal_stream.ts";
import { decodeText, encodeText, openWith, parseSealedData, type SealedData, sealWith } from "./sealing/sealed_data.ts";
import { redact, wipe } from "./secret_bytes.ts";
import { deriveSlip10 } from "./keys/slip10.ts";

/** Settings of a {@linkcode Vault}. */
export interface VaultOptions {
  /** Keys held after their derivation; the one used least recently goes first. At least 1. Default: 64. */
  readonly cacheEntries?: number;
  /** How long a key is held after its derivation, in milliseconds. Default: one hour. */
  readonly cacheLifetime?: number;
  /** The clock, in milliseconds since any moment. Default: `performance.now()`. */
  readonly now?: () => number;
}

const CACHE_ENTRIES = 64;
const CACHE_LIFETIME = 60 * 60 * 1000;

/** Schemes by the key that they give. X25519 keys are made from what SLIP-0010 gives, and are asked for by name alone. */
const DERIVATIONS: Readonly<Record<KeyType, (seed: Uint8Array, indices: readonly number[]) => KeyAndChain>> = {
  ed25519: deriveSlip10,
  secp256k1: deriveBip32,
  x25519(seed, indices) {
    const derived = deriveSlip10(seed, indices);
    clamp(derived);
    return derived;
  },
};

/**
 * Keys from one phrase, and credentials sealed by them. It begins locked, does no I/O, and prints as `[redacted]`.
 *
 * Every derivation, seal and open throws `VAULT_LOCKED` while it is locked.
 *
 * @example A key of the node, and a credential
 * ```ts
 * import { Vault } from "@alknet/vault";
 * import assert from "node:assert/strict";
 *
 * using vault = new Vault();
 * const phrase = vault.unlockNew(12); // Show it once, on paper.
 * using key = vault.nodeKey();
 * const sealed = vault.seal("a token");
 *
 * using restored = new Vault();
 * restored.unlock(phrase);
 * using again = restored.nodeKey();
 * assert.deepEqual(again.publicKey, key.publicKey);
 * assert.equal(restored.open(sealed), "a token");
 * ```
 */
export class Vault implements Disposable {
  #seed?: Uint8Array;
  readonly #cache: KeyCache;
  readonly #keys = (version: number): Uint8Array => this.#sealingKey(version);

  /**
   * A locked vault.
   *
   * @throws {RangeError} A cache of no entries, or a lifetime that is not above 0.
   */
  constructor(options: VaultOptions = {}) {
    const { cacheEntries = CACHE_ENTRIES, cacheLifetime = CACHE_LIFETIME, now = () => performance.now() } = options;
    this.#cache = new KeyCache({ entries: cacheEntries, lifetime: cacheLifetime, now });
  }

  static {
    redact(this.prototype);
  }

  /** Whether it holds no seed. */
  get locked(): boolean {
    return this.#seed === undefined;
  }

  /**
   * Unlocks with a phrase as a person typed it: NFKD, lower case and single spaces are seen to (BIP-39).
   *
   * @param phrase 12, 15, 18, 21 or 24 words of the English list.
   * @param passphrase The passphrase of BIP-39. Any text is right, and each gives other keys.
   * @throws {VaultError} `ALREADY_UNLOCKED`; `INVALID_PHRASE`, saying which rule the phrase breaks without quoting it.
   */
  unlock(phrase: string, passphrase = ""): void {
    this.#unlock(() => seedOf(readPhrase(phrase), passphrase));
  }

  /**
   * Unlocks with the entropy that a phrase stands for, so that the phrase is not made into a string.
   *
   * @param entropy 16, 20, 24, 28 or 32 bytes, as {@linkcode entropyOf} gives them. The caller wipes them.
   * @param passphrase As in {@linkcode unlock}.
   * @throws {VaultError} `ALREADY_UNLOCKED`.
   * @throws {RangeError} Another length.
   */
  unlockEntropy(entropy: Uint8Array, passphrase = ""): void {
    this.#unlock(() => seedOfEntropy(entropy, passphrase));
  }

  /**
   * Unlocks with a new phrase from the system's CSPRNG. The vault does not keep it: this is the one time to write it down.
   *
   * @param words 12 for 128 bits of entropy, 24 for 256.
   * @param passphrase As in {@linkcode unlock}.
   * @returns The phrase.
   * @throws {VaultError} `ALREADY_UNLOCKED`; `INVALID_PHRASE` for another count of words.
   */
  unlockNew(words: WordCount = 24, passphrase = ""): string {
    this.#refuseSecondUnlock();
    const phrase = generatePhrase(words);
    this.unlock(phrase, passphrase);
    return phrase;
  }

  /** Overwrites the seed and every cached key with zeros; harmless when done twice. Keys that were taken stay their takers'. */
  lock(): void {
    wipe(this.#seed);
    this.#seed = undefined;
    this.#cache.clear();
  }

  /** The same as {@linkcode lock}. */
  [Symbol.dispose](): void {
    this.lock();
  }

  /**
   * Derives a key, or copies it from the cache. The taker disposes of it.
   *
   * @param path Such as `m/74'/0'/0'/0'`; {@linkcode ALKNET_PATHS} has those in use.
   * @param keyType `ed25519` by SLIP-0010, with hardened levels only, or `secp256k1` by BIP-32.
   * @throws {VaultError} `VAULT_LOCKED`; `INVALID_PATH`, naming the part.
   */
  derive(path: string, keyType: "ed25519" | "secp256k1" = "ed25519"): DerivedKey {
    if (keyType !== "ed25519" && keyType !== "secp256k1") {
      throw new TypeError(`keys are derived as ed25519 or secp256k1, not ${keyType}`);
    }
    return this.#take(path, keyType);
  }

  /**
   * The identity of the node, or of a device or worker: `m/74'/0'/0'/{device}'`, Ed25519 (SLIP-0010).
   *
   * @throws {VaultError} `VAULT_LOCKED`; `INVALID_PATH` for a device below 0, from 2³¹ on, or not whole.
   */
  nodeKey(device = 0): DerivedKey {
    return this.#take(ALKNET_PATHS.device(device), "ed25519");
  }

  /**
   * The SSH host key: `m/74'/0'/1'/0'`, Ed25519 (SLIP-0010).
   *
   * @throws {VaultError} `VAULT_LOCKED`.
   */
  sshHostKey(): DerivedKey {
    return this.#take(ALKNET_PATHS.sshHost, "ed25519");
  }

  /**
   * The message key of a device: `m/74'/3'/0'/{device}'`, X25519: what SLIP-0010 gives, clamped (RFC 7748 §5).
   *
   * @throws {VaultError} `VAULT_LOCKED`; `INVALID_PATH` for a device below 0, from 2³¹ on, or not whole.
   */
  messageKey(device = 0): DerivedKey {
    return this.#take(ALKNET_PATHS.message(device), "x25519");
  }

  /**
   * What seals the message store of a device: `m/74'/3'/1'/{device}'`; its private key is the 32 bytes.
   *
   * @throws {VaultError} `VAULT_LOCKED`; `INVALID_PATH` for a device below 0, from 2³¹ on, or not whole.
   */
  messageStoreKey(device = 0): DerivedKey {
    return this.#take(ALKNET_PATHS.messageStore(device), "ed25519");
  }

  /**
   * The Ethereum signing key: `m/44'/60'/0'/0/0`, secp256k1 (BIP-32, BIP-44). {@linkcode ethereumAddress} gives its
   * address.
   *
   * @throws {VaultError} `VAULT_LOCKED`.
   */
  ethereumKey(): DerivedKey {
    return this.#take(ALKNET_PATHS.ethereum, "secp256k1");
  }

  /**
   * Seals text with AES-256-GCM (NIST SP 800-38D) under the sealing key of a version, with a fresh random IV.
   *
   * @param text Any well-formed text; it is sealed as UTF-8.
   * @param version Version of the sealing key, from 2.
   * @throws {VaultError} `VAULT_LOCKED`; `INVALID_PATH` for a version below 2.
   * @throws {TypeError} The text is none, or has a lone surrogate.
   */
  seal(text: string, version: number = CURRENT_KEY_VERSION): SealedData {
    const bytes = encodeText(text);
    try {
      return this.sealBytes(bytes, version);
    } finally {
      wipe(bytes);
    }
  }

  /**
   * Opens what {@linkcode seal} sealed, with the key that its `key_version` names.
   *
   * @param sealed The object, as `JSON.parse` gives it; anything may be passed.
   * @throws {VaultError} `VAULT_LOCKED`; `INVALID_SEALED_DATA`, naming the field; `INVALID_PATH` for version 0 or 1;
   * `DECRYPTION_FAILED` for another key, altered bytes and bad base64 alike, and for bytes that are no text.
   */
  open(sealed: unknown): string {
    const bytes = this.openBytes(sealed);
    try {
      return decodeText(bytes);
    } finally {
      wipe(bytes);
    }
  }

  /**
   * Seals bytes as {@linkcode seal} seals text.
   *
   * @throws {VaultError} `VAULT_LOCKED`; `INVALID_PATH` for a version below 2.
   */
  sealBytes(bytes: Uint8Array, version: number = CURRENT_KEY_VERSION): SealedData {
    return sealWith(this.#sealingKey(version), version, bytes);
  }

  /**
   * Opens sealed bytes, as {@linkcode open} opens text.
   *
   * @returns A new array, which the caller wipes.
   * @throws {VaultError} As {@linkcode open} throws.
   */
  openBytes(sealed: unknown): Uint8Array<ArrayBuffer> {
    this.#unlockedSeed();
    const parsed = parseSealedData(sealed);
    return openWith(this.#sealingKey(parsed.key_version), parsed);
  }

  /**
   * Opens, and seals again under the key of another version. The phrase stays, and versions may live side by side.
   *
   * @throws {VaultError} As {@linkcode open} and {@linkcode seal} throw; nothing is lost, the old form is still good.
   */
  rotate(sealed: unknown, toVersion: number): SealedData {
    const bytes = this.openBytes(sealed);
    try {
      return this.sealBytes(bytes, toVersion);
    } finally {
      wipe(bytes);
    }
  }

  /**
   * A transform that seals a stream of any length in chunks (the STREAM construction), so that what is cut, swapped,
   * repeated or appended does not open.
   *
   * @throws {VaultError} `VAULT_LOCKED`; `INVALID_PATH` for a version below 2.
   */
  sealStream(version: number = CURRENT_KEY_VERSION): TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
    this.#sealingKey(version);
    return sealingStream(this.#keys, version);
  }

  /**
   * A transform that opens what {@linkcode sealStream} or {@linkcode sealBulk} sealed. It gives out verified bytes only,
   * and fails at the first chunk that does not verify: until it has ended well, the whole is not known to be whole.
   *
   * @throws {VaultError} `VAULT_LOCKED`. The stream fails with `DECRYPTION_FAILED`, or `INVALID_PATH` for version 0 or 1.
   */
  openStream(): TransformStream<Uint8Array, Uint8Array<ArrayBuffer>> {
    this.#unlockedSeed();
    return openingStream(this.#keys);
  }

  /**
   * Seals many bytes at once, off this thread, in the form of {@linkcode sealStream}. For some kilobytes
   * {@linkcode sealBytes} is faster.
   *
   * @throws {VaultError} `VAULT_LOCKED`; `INVALID_PATH` for a version below 2.
   */
  async sealBulk(bytes: Uint8Array, version: number = CURRENT_KEY_VERSION): Promise<Uint8Array<ArrayBuffer>> {
    return await sealAll(this.#keys, version, bytes);
  }

  /**
   * Opens what {@linkcode sealBulk} or {@linkcode sealStream} sealed, off this thread.
   *
   * @throws {VaultError} `VAULT_LOCKED`; `DECRYPTION_FAILED`; `INVALID_PATH` for version 0 or 1.
   */
  async openBulk(sealed: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    this.#unlockedSeed();
    return await openAll(this.#keys, sealed);
  }

  /**
   * Opens text that the earlier Rust vault sealed under the same phrase (BIP32-Ed25519 children). Nothing is ever sealed
   * or signed by that scheme: seal what comes out with {@linkcode seal}.
   *
   * @throws {VaultError} As {@linkcode open} throws.
   */
  openRust(sealed: unknown): string {
    const seed = this.#unlockedSeed();
    const parsed = parseSealedData(sealed);
    const key = rustSealingKey(seed, parsed.key_version);
    try {
      const bytes = openWith(key, parsed);
      try {
        return decodeText(bytes);
      } finally {
        wipe(bytes);
      }
    } finally {
      wipe(key);
    }
  }

  #unlock(makeSeed: () => Uint8Array): void {
    this.#refuseSecondUnlock();
    this.#seed = makeSeed();
  }

  #refuseSecondUnlock(): void {
    if (this.#seed) throw new VaultError("ALREADY_UNLOCKED", "the vault is unlocked already: lock it first");
  }

  #unlockedSeed(): Uint8Array {
    if (!this.#seed) throw new VaultError("VAULT_LOCKED", "the vault is locked: unlock it with its phrase first");
    return this.#seed;
  }

  /** Lends a sealing key, for this turn. */
  #sealingKey(version: number): Uint8Array {
    return this.#held(ALKNET_PATHS.sealing(version), "ed25519").secret.subarray(0, KEY_LENGTH);
  }

  #take(path: string, keyType: KeyType): DerivedKey {
    const held = this.#held(path, keyType);
    return new DerivedKey(keyType, held.path, held.secret, held.publicKey);
  }

  #held(path: string, keyType: KeyType): CachedKey {
    const seed = this.#unlockedSeed();
    return this.#cache.get(keyType + path) ?? this.#derive(seed, path, keyType);
  }

  #derive(seed: Uint8Array, path: string, keyType: KeyType): CachedKey {
    const indices = parsePath(path);
    // m/0h and m/0' are one key, which is held once.
    const spelling = formatPath(indices);
    const held = this.#cache.get(keyType + spelling);
    if (held) return held;
    const key: CachedKey = { path: spelling, secret: DERIVATIONS[keyType](seed, indices), publicKey: {} };
    this.#cache.put(keyType + spelling, key);
    return key;
  }
}

/** Makes 32 bytes a scalar (RFC 7748 §5), in place. */
function clamp(scalar: Uint8Array): void {
  scalar[0] &= 248;
  scalar[31] &= 127;
  scalar[31] |= 64;
}
