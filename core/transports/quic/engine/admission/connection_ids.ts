/**
 * Our connection ids: random, of one length, and a number to look them up by.
 *
 * @module
 */

/** Bytes of a connection id of ours (RFC 9000 §5.1): enough that nobody guesses one, short in every packet. */
export const CID_LENGTH = 8;

/** A new connection id. */
export function newConnectionId(): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(CID_LENGTH));
}

/**
 * The low 53 bits of the connection id at `at`, as a number: what a Map finds fast. Two ids with one number are as rare
 * as two equal ids of 53 bits; the later one is refused.
 */
export function connectionIdKey(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at + 1] & 0x1f) << 16) | (bytes[at + 2] << 8) | bytes[at + 3];
  const low = ((bytes[at + 4] << 24) | (bytes[at + 5] << 16) | (bytes[at + 6] << 8) | bytes[at + 7]) >>> 0;
  return high * 0x1_0000_0000 + low;
}
