/**
 * Alknet: one port, every protocol by its ALPN.
 *
 * A service is an ALPN. A router holds handlers by ALPN; listening gives one endpoint on one port, over UDP and TCP, and
 * each connection goes to the handler of the protocol that TLS negotiated.
 *
 * @example Serve a protocol and speak it
 * ```ts no-eval
 * import { defineHandler, NodeKey, router } from "@alknet/alknet";
 *
 * const shout = defineHandler({
 *   alpns: ["example/shout"],
 *   async handle(connection) {
 *     for await (const { readable, writable } of connection) {
 *       const text = await new Response(readable).text();
 *       const writer = writable.getWriter();
 *       await writer.write(new TextEncoder().encode(text.toUpperCase()));
 *       await writer.close();
 *     }
 *   },
 * });
 * await using endpoint = await router().use(shout).listen({ key: NodeKey.generate(), listen: "127.0.0.1:0" });
 * const [{ port }] = endpoint.addresses;
 * await using connection = await endpoint.connect(`${endpoint.nodeId}@127.0.0.1:${port}`, "example/shout");
 * ```
 *
 * @module
 */
export {
  type Address,
  AlknetError,
  type BidiStream,
  type CertificateKeyPair,
  CloseCode,
  type CloseInfo,
  connect,
  type Connection,
  ConnectionClosedError,
  type ConnectionStats,
  type ConnectOptions,
  type Datagrams,
  DEFAULT_LIMITS,
  defineHandler,
  DialError,
  type DuplicateAlpn,
  type DynamicLimits,
  type Endpoint,
  type EndpointStats,
  type Handler,
  type HandlerContext,
  type Identity,
  type IdentityProvider,
  type Limits,
  type ListenOptions,
  type Logger,
  memoryPair,
  type MemoryPairOptions,
  NodeKey,
  parseAddress,
  type Peer,
  type QuicListenOptions,
  type ReceiveStream,
  Router,
  router,
  type SendStream,
  type SocketAddress,
  StreamClosedError,
  toDuplex,
  type TransportName,
  type Unclaimed,
} from "@alknet/core";
