/**
 * A key that was derived, as its taker holds it.
 *
 * @module
 */
import { VaultError } from "../errors.ts";
import { KEY_LENGTH, type KeyAndChain } from "./hmac.ts";
import { type KeyType, publicKeyOf } from "./public_key.ts";
import { redact, wipe } from "../secret_bytes.ts";

/**
 * Memory for the secrets of keys, cut from one piece after another, and wiped cuts that were given back. An allocation
 * of its own for each key would take many times as long as all else that a cached key costs. No cut ever leaves this
 * file, as who holds one can reach its neighbours: what a taker reads is an array of its own.
 */
const memory = { piece: new Uint8Array(0), used: 0, spare: [] as KeyAndChain[] };
/** Bytes of a cut: private key and chain code. */
const CUT = 2 * KEY_LENGTH;
const PIECE = 64 * CUT;
/** Enough for those who take and dispose of keys in turn. */
const MOST_SPARE = 16;

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
  readonly #shared: SharedPublicKey;
  #secret?: KeyAndChain;
  #privateKey?: Uint8Array;
  #chainCode?: Uint8Array;

  /**
   * A key. Those who use a vault take theirs from it.
   *
   * @param keyType Which kind.
   * @param path The path it was derived by.
   * @param secret 64 bytes, private key then chain code. They are copied.
   * @param shared Where its copies keep their public key.
   */
  constructor(keyType: KeyType, path: string, secret: KeyAndChain, shared: SharedPublicKey = {}) {
    this.keyType = keyType;
    this.path = path;
    this.#shared = shared;
    this.#secret = memory.spare.pop() ?? newCut();
    this.#secret.set(secret);
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
    const secret = this.#use();
    return this.#privateKey ??= secret.slice(0, KEY_LENGTH);
  }

  /**
   * The public key, a copy: 32 bytes for Ed25519 (RFC 8032 §5.1.5) and X25519 (RFC 7748 §5), 33 for secp256k1, compressed
   * (SEC 1 §2.3.3).
   *
   * @throws {VaultError} `KEY_DISPOSED`.
   */
  get publicKey(): Uint8Array {
    const privateKey = this.#use().subarray(0, KEY_LENGTH);
    return (this.#shared.bytes ??= publicKeyOf(this.keyType, privateKey)).slice();
  }

  /**
   * 32 bytes, the key's own, from which its children would be derived: as secret as the private key.
   *
   * @throws {VaultError} `KEY_DISPOSED`.
   */
  get chainCode(): Uint8Array {
    const secret = this.#use();
    return this.#chainCode ??= secret.slice(KEY_LENGTH);
  }

  /** Overwrites private key and chain code with zeros; harmless when done twice. */
  dispose(): void {
    const secret = this.#secret;
    if (!secret) return;
    this.#secret = undefined;
    wipe(secret, this.#privateKey, this.#chainCode);
    if (memory.spare.length < MOST_SPARE) memory.spare.push(secret);
  }

  /** The same as {@linkcode dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #use(): KeyAndChain {
    if (this.#secret) return this.#secret;
    throw new VaultError("KEY_DISPOSED", `the key of ${this.path} was disposed of: take it from the vault again`);
  }
}

function newCut(): KeyAndChain {
  if (memory.used === memory.piece.length) {
    memory.piece = new Uint8Array(PIECE);
    memory.used = 0;
  }
  return memory.piece.subarray(memory.used, memory.used += CUT);
}
