/**
 * Endpoint, router, identity and configuration: everything but the protocols.
 *
 * @module
 */
export { type Address, formatSocketAddress, parseAddress, parseListenAddress } from "./endpoint/address.ts";
export { CloseCode } from "./endpoint/codes.ts";
export { connect, type ConnectOptions } from "./endpoint/dial.ts";
export type { Endpoint, EndpointStats, ListenOptions } from "./endpoint/endpoint.ts";
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
export { fingerprintOf, fingerprintOfNodeId, nodeIdOf, parseFingerprint, parseNodeId } from "./identity/fingerprint.ts";
export { NodeKey } from "./identity/node_key.ts";
export { DEFAULT_LIMITS, type Limits, limitsWith } from "./limits/limits.ts";
export { foreign, type Logger, logger } from "./log.ts";
export type { CertificateKeyPair } from "./transports/tls_profile.ts";
export type { QuicListenOptions } from "./transports/quic/quic.ts";
