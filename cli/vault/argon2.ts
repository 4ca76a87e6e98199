/**
 * The cost of guessing a passphrase: Argon2id (RFC 9106).
 *
 * @module
 */
import { argon2idAsync } from "@noble/hashes/argon2.js";

/** What one guess costs. */
export interface Argon2Cost {
  /** Memory, in KiB. */
  readonly memoryKib: number;
  /** Passes over it. */
  readonly passes: number;
  /** Lanes. */
  readonly lanes: number;
}

/** What a new vault asks of who guesses: about a second here, and 64 MiB for each guess at a time. */
export const DEFAULT_COST: Argon2Cost = { memoryKib: 64 * 1024, passes: 3, lanes: 1 };

/** The most that a file may ask of us, so that a file that was tampered with cannot stop the machine. */
export const HIGHEST_COST: Argon2Cost = { memoryKib: 1024 * 1024, passes: 16, lanes: 16 };

/** Bytes of the salt that a new file gets (RFC 9106 §3.1). */
export const SALT_LENGTH = 16;

/** How long the work may keep the event loop, in milliseconds: ctrl-C and the progress wait no longer. */
const TURN = 50;

/**
 * The key of a passphrase, 32 bytes (RFC 9106 §3.2). Passphrases that Unicode counts as the same give the same key.
 *
 * @param onProgress Told how much of the work is done, from 0 to 1.
 */
export async function stretch(
  passphrase: string,
  salt: Uint8Array,
  { memoryKib, passes, lanes }: Argon2Cost,
  onProgress?: (part: number) => void,
): Promise<Uint8Array> {
  const typed = new TextEncoder().encode(passphrase.normalize("NFKD"));
  try {
    return await argon2idAsync(typed, salt, {
      t: passes,
      m: memoryKib,
      p: lanes,
      dkLen: 32,
      asyncTick: TURN,
      onProgress,
    });
  } finally {
    typed.fill(0);
  }
}
