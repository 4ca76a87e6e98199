/**
 * A key that was derived, as its taker holds it.
 *
 * @module
 */
import { VaultError } from "./errors.ts";
import { KEY_LENGTH, type KeyAndChain } from "./hmac.ts";
import { publicKeyOf } from "./public_key.ts";
import { redact, wipe } from "./secret_bytes.ts";

/** What the 32 bytes of a private key are: an Ed25519 seed, a secp256k1 scalar, or a clamped X25519 scalar. */
export type KeyType = "ed25519" | "secp256k1" | "x25519";

/** The public key of a key and of all its copies: computed when one of them is first asked for it. */
export interface SharedPublicKey {
  /** Absent until it was asked for. */
  bytes?: Uint8Array;
}

/**
 * A derived key: a copy, which its taker disposes of, `using key = vault.nodeKey()`.
 *
 * It prints as `[redacted]` in template strings, `JSON.stringify` and `console.log`. Arrays taken from it print what they
 * hold, so take them where they are used.
 */
export class DerivedKey implements Disposable {
  /** Which kind of key it is. */
  readonly keyType: KeyType;
  /** The path it was derived by, with `'` for hardened levels. */
  readonly path: string;
  readonly #secret: KeyAndChain;
  readonly #shared: SharedPublicKey;
  #disposed = false;

  /**
   * A key. Those who use a vault take theirs from it.
   *
   * @param keyType Which kind.
   * @param path The path it was derived by.
   * @param secret 64 bytes, private key then chain code. They become the key's own, and are wiped with it.
   * @param shared Where its copies keep their public key.
   */
  constructor(keyType: KeyType, path: string, secret: KeyAndChain, shared: SharedPublicKey = {}) {
    this.keyType = keyType;
    this.path = path;
    this.#secret = secret;
    this.#shared = shared;
  }

  static {
    redact(this.prototype);
  }

  /**
   * 32 bytes, the key's own: zeros once it is disposed of.
   *
   * @throws {VaultError} `KEY_DISPOSED`.
   */
  get privateKey(): Uint8Array {
    return this.#use().subarray(0, KEY_LENGTH);
  }

  /**
   * The public key, a copy: 32 bytes for Ed25519 (RFC 8032 §5.1.5) and X25519 (RFC 7748 §5), 33 for secp256k1, compressed
   * (SEC 1 §2.3.3).
   *
   * @throws {VaultError} `KEY_DISPOSED`.
   */
  get publicKey(): Uint8Array {
    const privateKey = this.privateKey;
    return (this.#shared.bytes ??= publicKeyOf(this.keyType, privateKey)).slice();
  }

  /**
   * 32 bytes, the key's own, from which its children would be derived: as secret as the private key.
   *
   * @throws {VaultError} `KEY_DISPOSED`.
   */
  get chainCode(): Uint8Array {
    return this.#use().subarray(KEY_LENGTH);
  }

  /** Overwrites private key and chain code with zeros; harmless when done twice. */
  dispose(): void {
    this.#disposed = true;
    wipe(this.#secret);
  }

  /** The same as {@linkcode dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #use(): KeyAndChain {
    if (this.#disposed) {
      throw new VaultError("KEY_DISPOSED", `the key of ${this.path} was disposed of: take it from the vault again`);
    }
    return this.#secret;
  }
}
