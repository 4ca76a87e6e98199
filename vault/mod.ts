/**
 * Keys from one phrase, and credentials sealed by them.
 *
 * @module
 */
export { DerivedKey, type KeyType } from "./derived_key.ts";
export { VaultError, type VaultErrorCode } from "./errors.ts";
export { ethereumAddress, isEthereumAddress } from "./ethereum.ts";
export { opensshPrivateKey, opensshPublicKey, privateKeyPem, publicKeyPem } from "./key_formats.ts";
export { ALKNET_PATHS, type AlknetPaths, CURRENT_KEY_VERSION, formatPath, parsePath } from "./path.ts";
export { entropyOf, generatePhrase, phraseOf, readPhrase, seedOf, type WordCount } from "./phrase.ts";
export { parseSealedData, type SealedData } from "./sealed_data.ts";
export { constantTimeEqual, wipe } from "./secret_bytes.ts";
export { Vault, type VaultOptions } from "./vault.ts";
