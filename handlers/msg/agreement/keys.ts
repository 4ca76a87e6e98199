/**
 * The secrets of one who writes, kept where nothing prints them.
 *
 * @module
 */
import { ed25519Public, ed25519Sign, redact, REDACTED, wipe, x25519, x25519Public } from "@alknet/core/crypto";
import type { MessageKeys } from "./identity.ts";

/** Secrets of 32 bytes each. */
export interface MessageSecrets {
  /** Seed of Ed25519. */
  readonly ed: Uint8Array;
  /** X25519, clamped or not. */
  readonly ik: Uint8Array;
  /** Of the message store. */
  readonly store: Uint8Array;
}

/**
 * Keys of secrets, which are copied; the caller wipes its own. They print as `[redacted]`, and disposing of them wipes
 * them.
 */
export function messageKeys(secrets: MessageSecrets): MessageKeys {
  return new HeldKeys(secrets);
}

class HeldKeys implements MessageKeys {
  readonly ed: Uint8Array;
  readonly ik: Uint8Array;
  readonly #seed: Uint8Array;
  readonly #scalar: Uint8Array;
  readonly #store: Uint8Array;

  static {
    redact(this.prototype, () => `MessageKeys ${REDACTED}`);
  }

  constructor({ ed, ik, store }: MessageSecrets) {
    this.#seed = ed.slice();
    this.#scalar = ik.slice();
    this.#store = store.slice();
    this.ed = ed25519Public(ed);
    this.ik = x25519Public(ik);
  }

  get store(): Uint8Array {
    return this.#store;
  }

  sign(data: Uint8Array): Uint8Array {
    return ed25519Sign(this.#seed, data);
  }

  agree(theirs: Uint8Array): Uint8Array {
    return x25519(this.#scalar, theirs);
  }

  [Symbol.dispose](): void {
    wipe(this.#seed, this.#scalar, this.#store);
  }
}
