/**
 * The root of trust of a node: every key from one phrase, and credentials sealed by them. It does no I/O; files,
 * prompts and passphrases are its caller's.
 *
 * **Phrase.** {@linkcode generatePhrase}, {@linkcode readPhrase}, {@linkcode entropyOf}, {@linkcode phraseOf} and
 * {@linkcode seedOf} are BIP-39 with the English list.
 *
 * **Vault.** {@linkcode Vault} begins locked. `unlock`, `unlockEntropy` and `unlockNew` give it a seed; `lock`, or the end
 * of the scope that `using` binds it to, wipes the seed and every key. All of it is synchronous but the pair for bulk and
 * the streams.
 *
 * **Keys.** `derive` takes a path: Ed25519 by SLIP-0010, secp256k1 by BIP-32. {@linkcode ALKNET_PATHS} names the paths in
 * use, and each has a method. What comes back is a {@linkcode DerivedKey}, a copy to dispose of.
 * {@linkcode opensshPrivateKey}, {@linkcode privateKeyPem}, {@linkcode ethereumAddress} and their neighbours write it as
 * other programs read it; {@linkcode ExtendedKey} is BIP-32's `xprv` and `xpub`.
 *
 * **Credentials.** `seal` and `open` are AES-256-GCM under a versioned key, in the frozen form {@linkcode SealedData}.
 * `rotate` moves one to another version. `sealBytes` and `openBytes` are the same for bytes, `sealStream` and `sealBulk`
 * for many.
 *
 * **Secrets.** They are arrays that are overwritten when done with, and objects that hold them print as `[redacted]`. In
 * JavaScript this is best effort: the engine and OpenSSL may have copies, and a string, such as a phrase that a person
 * typed, cannot be wiped at all.
 *
 * **Errors.** What input causes is a {@linkcode VaultError} with a stable `code`; a wrong call is a TypeError or RangeError.
 *
 * @example
 * ```ts
 * import { opensshPublicKey, Vault } from "@alknet/vault";
 * import assert from "node:assert/strict";
 *
 * using vault = new Vault();
 * vault.unlock("legal winner thank year wave sausage worth useful legal winner thank yellow");
 * using host = vault.sshHostKey();
 * assert.match(opensshPublicKey(host, "a node"), /^ssh-ed25519 [^ ]+ a node$/);
 *
 * const sealed = vault.seal("an API key");
 * assert.equal(vault.open(JSON.parse(JSON.stringify(sealed))), "an API key");
 * assert.equal(vault.rotate(sealed, 3).key_version, 3);
 * ```
 *
 * @module
 */
export { DerivedKey, type SharedPublicKey } from "./keys/derived_key.ts";
export type { KeyType } from "./keys/public_key.ts";
export { VaultError, type VaultErrorCode } from "./errors.ts";
export { ethereumAddress, isEthereumAddress } from "./formats/ethereum.ts";
export { ExtendedKey } from "./keys/extended_key.ts";
export type { KeyAndChain } from "./keys/hmac.ts";
export {
  opensshPrivateKey,
  opensshPublicKey,
  privateKeyPem,
  type PublicKeyParts,
  publicKeyPem,
  sshFingerprint,
} from "./formats/key_formats.ts";
export {
  ALKNET_PATHS,
  type AlknetPaths,
  CURRENT_KEY_VERSION,
  formatPath,
  HARDENED,
  LAST_KEY_VERSION,
  parsePath,
} from "./keys/path.ts";
export { entropyOf, generatePhrase, phraseOf, readPhrase, seedOf, type WordCount } from "./phrase/phrase.ts";
export { parseSealedData, type SealedData } from "./sealing/sealed_data.ts";
export { constantTimeEqual, wipe } from "./secret_bytes.ts";
export { Vault, type VaultOptions } from "./vault.ts";
