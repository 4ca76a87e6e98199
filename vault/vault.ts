/**
 * The vault: keys derived from one phrase, and credentials sealed by them.
 *
 * @module
 */
import type { DerivedKey } from "./derived_key.ts";
import { CURRENT_KEY_VERSION } from "./path.ts";
import type { WordCount } from "./phrase.ts";
import type { SealedData } from "./sealed_data.ts";
import { redact } from "./secret_bytes.ts";

/** Settings of a {@linkcode Vault}. */
export interface VaultOptions {
  /** Keys that are kept after their derivation. Default: 64. */
  readonly cacheEntries?: number;
  /** How long a key is kept, in milliseconds. Default: one hour. */
  readonly cacheLifetime?: number;
  /** The clock, in milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
}

/** Keys from one phrase, and credentials sealed by them. */
export class Vault implements Disposable {
  /** A locked vault. */
  constructor(_options: VaultOptions = {}) {
  }

  static {
    redact(this.prototype);
  }

  /** Whether it holds no seed. */
  get locked(): boolean {
    throw new Error("to come");
  }

  /** Unlocks with a phrase as a person typed it. */
  unlock(_phrase: string, _passphrase = ""): void {
    throw new Error("to come");
  }

  /** Unlocks with a new phrase, which is returned once. */
  unlockNew(_words: WordCount = 24, _passphrase = ""): string {
    throw new Error("to come");
  }

  /** Wipes the seed and every key; harmless when done twice. */
  lock(): void {
  }

  /** The same as {@linkcode lock}. */
  [Symbol.dispose](): void {
    this.lock();
  }

  /** Derives a key. */
  derive(_path: string, _keyType: "ed25519" | "secp256k1" = "ed25519"): DerivedKey {
    throw new Error("to come");
  }

  /** The identity of the node (device 0), or of a device or worker; Ed25519. */
  nodeKey(_device = 0): DerivedKey {
    throw new Error("to come");
  }

  /** The SSH host key; Ed25519. */
  sshHostKey(): DerivedKey {
    throw new Error("to come");
  }

  /** The message key; X25519. */
  messageKey(): DerivedKey {
    throw new Error("to come");
  }

  /** The Ethereum signing key; secp256k1. */
  ethereumKey(): DerivedKey {
    throw new Error("to come");
  }

  /** Seals text. */
  seal(_text: string, _version: number = CURRENT_KEY_VERSION): SealedData {
    throw new Error("to come");
  }

  /** Opens sealed text. */
  open(_sealed: unknown): string {
    throw new Error("to come");
  }

  /** Seals bytes. */
  sealBytes(_bytes: Uint8Array, _version: number = CURRENT_KEY_VERSION): SealedData {
    throw new Error("to come");
  }

  /** Opens sealed bytes. */
  openBytes(_sealed: unknown): Uint8Array<ArrayBuffer> {
    throw new Error("to come");
  }

  /** Opens, and seals again under another version. */
  rotate(_sealed: unknown, _toVersion: number): SealedData {
    throw new Error("to come");
  }

  /** A stream that seals what passes through it. */
  sealStream(_version: number = CURRENT_KEY_VERSION): TransformStream<Uint8Array, Uint8Array> {
    throw new Error("to come");
  }

  /** A stream that opens what {@linkcode sealStream} or {@linkcode sealBulk} sealed. */
  openStream(): TransformStream<Uint8Array, Uint8Array> {
    throw new Error("to come");
  }

  /** Seals many bytes at once, in the form of {@linkcode sealStream}. */
  sealBulk(_bytes: Uint8Array, _version: number = CURRENT_KEY_VERSION): Promise<Uint8Array<ArrayBuffer>> {
    throw new Error("to come");
  }

  /** Opens what {@linkcode sealBulk} or {@linkcode sealStream} sealed. */
  openBulk(_sealed: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
    throw new Error("to come");
  }

  /** Opens text that the earlier Rust vault sealed under the same phrase. */
  openRust(_sealed: unknown): string {
    throw new Error("to come");
  }
}
