/**
 * Ethereum addresses, with the checksum of EIP-55 in the case of their letters.
 *
 * @module
 */
import { keccak_256 } from "@noble/hashes/sha3.js";
import { uncompressedPoint } from "../keys/public_key.ts";

/**
 * The address of a public key: the last 20 bytes of Keccak-256 of the point (Yellow Paper, appendix F), in the mixed
 * case of EIP-55.
 *
 * @param publicKey Compressed secp256k1 point, 33 bytes.
 * @throws {RangeError} The bytes are no such point.
 */
export function ethereumAddress(publicKey: Uint8Array): string {
  // From @noble/hashes, for node:crypto has SHA-3 alone, whose padding differs.
  const hash = keccak_256(uncompressedPoint(publicKey).subarray(1));
  return checksummed(hash.subarray(-20).toHex());
}

/** Whether text is an address in the mixed case of EIP-55. One letter in the wrong case fails. */
export function isEthereumAddress(text: string): boolean {
  return /^0x[0-9a-fA-F]{40}$/.test(text) && checksummed(text.slice(2).toLowerCase()) === text;
}

/** A letter is a capital where the digit of the same place in the hash of the lower-case hex is 8 or more. */
function checksummed(hex: string): string {
  const hash = keccak_256(new TextEncoder().encode(hex)).toHex();
  return "0x" + hex.replace(/[a-f]/g, (letter, at: number) => hash[at] >= "8" ? letter.toUpperCase() : letter);
}
