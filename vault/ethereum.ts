/**
 * Ethereum addresses (EIP-55).
 *
 * @module
 */

/** The address of a compressed secp256k1 public key (33 bytes), with the checksum of EIP-55 in its letters' case. */
export function ethereumAddress(_publicKey: Uint8Array): string {
  throw new Error("to come");
}

/** Whether text is an address in the form of EIP-55: a wrong case fails. */
export function isEthereumAddress(_text: string): boolean {
  throw new Error("to come");
}
