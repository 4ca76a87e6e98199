/**
 * A key that was derived, as its taker holds it.
 *
 * @module
 */
import { redact } from "./secret_bytes.ts";

/** What a derived key is for: an Ed25519 seed, a secp256k1 scalar, or an X25519 scalar. */
export type KeyType = "ed25519" | "secp256k1" | "x25519";

/** A copy of a derived key, which its taker disposes of: `using key = vault.nodeKey()`. Prints `[redacted]`. */
export class DerivedKey implements Disposable {
  /** Ed25519, secp256k1 or X25519. */
  readonly keyType: KeyType;
  /** The path it was derived by. */
  readonly path: string;

  /** A key. */
  constructor(keyType: KeyType, path: string) {
    this.keyType = keyType;
    this.path = path;
  }

  static {
    redact(this.prototype);
  }

  /** 32 bytes. Zeros after {@linkcode dispose}, for those who kept the array. */
  get privateKey(): Uint8Array {
    throw new Error("to come");
  }

  /** 32 bytes; 33, compressed, for secp256k1. A copy. */
  get publicKey(): Uint8Array {
    throw new Error("to come");
  }

  /** 32 bytes. */
  get chainCode(): Uint8Array {
    throw new Error("to come");
  }

  /** Wipes the key. */
  dispose(): void {
  }

  /** The same as {@linkcode dispose}. */
  [Symbol.dispose](): void {
    this.dispose();
  }
}
