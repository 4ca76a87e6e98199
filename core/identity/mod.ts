/**
 * Who a node is and who its peers are: keys, node ids, fingerprints, certificates, tokens, and the provider that turns what
 * a peer proved into an {@linkcode Identity}.
 *
 * @example
 * ```ts
 * import { NodeKey, parseNodeId } from "@alknet/core/identity";
 *
 * using key = NodeKey.generate();
 * console.assert(key.id.length === 52 && parseNodeId(key.id).length === 32);
 * console.assert(!JSON.stringify({ key }).includes("PRIVATE"));
 * ```
 *
 * @module
 */
export { AlknetError } from "../errors.ts";
export {
  type CertificateFiles,
  loadCertificate,
  type LoadedCertificate,
  selfSignedCertificate,
  type SelfSignedOptions,
} from "./certificate.ts";
export {
  ed25519Fingerprint,
  fingerprintOf,
  fingerprintOfNodeId,
  fingerprintOfSpki,
  NODE_ID_LENGTH,
  nodeIdOf,
  parseFingerprint,
  parseNodeId,
  PUBLIC_KEY_LENGTH,
} from "./fingerprint.ts";
export { anonymousOnly, type Identity, type IdentityProvider, type Peer } from "./identity.ts";
export { fileKeyStore, type KeyStore, loadOrCreateKey } from "./key_store.ts";
export { NodeKey, SEED_LENGTH } from "./node_key.ts";
export {
  type ApiKeyEntry,
  type AuthSnapshot,
  configProvider,
  type ConfigProviderOptions,
  type PeerEntry,
} from "./provider.ts";
export { createToken, hashToken, parseTokenHash, TOKEN_PREFIX_LENGTH, tokenPrefix } from "./token.ts";
export type { CertificateKeyPair } from "./key_pair.ts";
