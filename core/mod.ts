/**
 * Endpoint, router, identity and configuration: everything but the protocols.
 *
 * @module
 */
export { InvalidConfigError } from "./config/check.ts";
export { type ConfigFile, type ReloadResult, watchConfig, type WatchOptions } from "./config/config_file.ts";
export { editConfig, type EditOptions } from "./config/edit.ts";
export { limitsOf } from "./config/limits_of.ts";
export { loadConfig } from "./config/load.ts";
export type { ParsedConfig, ParseOptions } from "./config/parse.ts";
export type {
  ApiKeyConfig,
  ApiKeyDocument,
  CertificateDocument,
  Config,
  ConfigDocument,
  DynamicConfig,
  LimitsDocument,
  ListenDocument,
  PeerConfig,
  PeerDocument,
  QuicDocument,
  StaticConfig,
} from "./config/types.ts";
export {
  type Address,
  formatSocketAddress,
  type ListenEntry,
  parseAddress,
  parseListenAddress,
} from "./handler/address.ts";
export { CloseCode } from "./endpoint/codes.ts";
export { connect, type ConnectOptions } from "./endpoint/dial.ts";
export type { DynamicLimits, Endpoint, EndpointStats, HandlerTable, ListenOptions } from "./endpoint/endpoint.ts";
export { type DuplicateAlpn, Router, router, type Unclaimed } from "./endpoint/router.ts";
export {
  AlknetError,
  type CloseInfo,
  ConnectionClosedError,
  describeClose,
  DialError,
  StreamClosedError,
} from "./errors.ts";
export type { Connection, ConnectionStats, Datagrams, SocketAddress, TransportName } from "./handler/connection.ts";
export { toDuplex } from "./handler/duplex.ts";
export { defineHandler, type Handler, type HandlerContext } from "./handler/handler.ts";
export { memoryPair, type MemoryPairOptions } from "./handler/memory.ts";
export type { BidiStream, ReceiveStream, SendStream } from "./handler/stream.ts";
export { anonymousOnly, type Identity, type IdentityProvider, type Peer } from "./identity/identity.ts";
export {
  type CertificateFiles,
  loadCertificate,
  type LoadedCertificate,
  selfSignedCertificate,
  type SelfSignedOptions,
} from "./identity/certificate.ts";
export { fingerprintOf, fingerprintOfNodeId, nodeIdOf, parseFingerprint, parseNodeId } from "./identity/fingerprint.ts";
export { fileKeyStore, type KeyStore, loadOrCreateKey } from "./identity/key_store.ts";
export { NodeKey } from "./identity/node_key.ts";
export {
  type ApiKeyEntry,
  type AuthSnapshot,
  configProvider,
  type ConfigProviderOptions,
  type PeerEntry,
} from "./identity/provider.ts";
export { createToken, hashToken, tokenPrefix } from "./identity/token.ts";
export { DEFAULT_LIMITS, type Limits, limitsWith } from "./limits/limits.ts";
export { foreign, type Logger, logger } from "./log.ts";
export type { CertificateKeyPair } from "./identity/key_pair.ts";
export type { QuicListenOptions } from "./transports/quic/quic.ts";
