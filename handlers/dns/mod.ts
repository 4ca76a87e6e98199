/**
 * DNS: zones of a node, for stock clients, over TLS (`dot`, RFC 7858), QUIC (`doq`, RFC 9250) and HTTPS (`answerDoh`, RFC
 * 8484), and for nodes (`alknet/dns`).
 *
 * Participants: stubs, resolvers and browsers, behind nothing but their own; secondaries that have whole zones; and this node,
 * whose the zones are. Goals: cost grows with questions, not with records; a zone is changed whole or not at all; there is no
 * open recursion: names of others are asked of upstreams, by a {@linkcode forwarder}, for who may, and `REFUSED` to all
 * others. Non-goals: validation, asking from the root on; so far: signing of zones, the DHT of pkarr.
 * Failures: a message that cannot be read is `FORMERR`, and what is no message ends its own connection, on `alknet/dns` its
 * own stream, with a code of RFC 9250. Limits are in {@linkcode DnsLimits}. A shutdown answers what was read.
 *
 * @example A zone in memory, answered by the engine
 * ```ts
 * import { dnsEngine, dnsLimitsWith, dnsRates, openDnsStore, newZone, parseName } from "@alknet/handlers/dns";
 * import assert from "node:assert/strict";
 *
 * using store = openDnsStore(":memory:");
 * store.zones.create(newZone(parseName("home.example.")), "primary");
 * const limits = dnsLimitsWith();
 * const engine = dnsEngine({ zones: store.zones, rates: dnsRates({ limits }), limits });
 * assert.ok(engine.serves({ front: "dot", address: "192.0.2.1" }));
 * ```
 *
 * @module
 */
export type { DnsCaller } from "./caller.ts";
export { answerTo, type AskedStream, exchange, QUERY_PADDING } from "./client/exchange.ts";
export { decodeMessage } from "./codec/decode.ts";
export { parseDuration } from "./codec/duration.ts";
export { encodeMessage, type EncodeOptions } from "./codec/encode.ts";
export { DnsMalformedError, DnsSyntaxError, type MessageHead } from "./codec/errors.ts";
export {
  type DnsJson,
  extendedErrors,
  jsonOf,
  type JsonRecord,
  plainQuery,
  type PlainQueryOptions,
} from "./codec/json.ts";
export { formatType, parseType } from "./codec/mnemonics.ts";
export { type DnsName, formatName, isWithin, parseName, sameName } from "./codec/name.ts";
export { formatRdata, parseRdata, type Word, wordsOf } from "./codec/rdata_text.ts";
export type { Edns, EdnsOption, Flags, Message, Question, Records, ResourceRecord } from "./codec/types.ts";
export { Rcode, Type } from "./codec/types.ts";
export {
  dnsEngine,
  type DnsStats,
  type Engine,
  type EngineOptions,
  type Resolver,
  type RespondOptions,
  type Soon,
} from "./engine/engine.ts";
export type { Filter, RecursionOptions } from "./engine/recursion.ts";
export { dnsRates, type Rates, type RatesOptions } from "./engine/rates.ts";
export type { DesignatedResolver } from "./engine/special_names.ts";
export type { RefusalReason } from "./engine/refusals.ts";
export { EDE, type ExtendedError } from "./extended_errors.ts";
export { type Forwarder, forwarder, type ForwarderOptions, type ForwardStats } from "./forward/forwarder.ts";
export type { Kept, NoReply, Reply } from "./forward/reply.ts";
export type { UpstreamOptions, UpstreamVia } from "./forward/upstreams/upstream.ts";
export { answerDoh } from "./fronts/doh.ts";
export { dns } from "./fronts/handler.ts";
export type { FrontParts } from "./fronts/parts.ts";
export { listenPlain, type PlainListener, type PlainOptions } from "./plain/listen.ts";
export { DNS_LIMITS, type DnsLimits, dnsLimitsWith, type Rate } from "./limits.ts";
export { MasterFileError } from "./zones/master/errors.ts";
export { importMaster, zoneOfMaster } from "./zones/master/importing.ts";
export { type MasterRecord, readMaster } from "./zones/master/reader.ts";
export { formatRecord, writeMaster } from "./zones/master/writer.ts";
export { dnsOperations, type OperationsParts } from "./operations/all.ts";
export { nameInZone } from "./operations/shared.ts";
export { type NotifyOptions, notifySecondaries } from "./transfer/notify.ts";
export { type AddressPrefix, isAmong, parsePrefix } from "./transfer/prefixes.ts";
export { type Transfer, Transfers, type TransfersOptions } from "./transfer/transfer.ts";
export { type PkarrFault, PkarrInvalidError } from "./pkarr/errors.ts";
export type { PacketStore, Put } from "./pkarr/packet_store.ts";
export type { RelayMode, RelayParts } from "./relay/publishing.ts";
export {
  type NodeRecord,
  nodeRecord,
  nodeRecordOf,
  type NodeRecordOptions,
  nodeRecords,
} from "./discovery/node_record.ts";
export {
  discover,
  type DiscoverOptions,
  type DiscoveryProvider,
  type Found,
  keptPackets,
  originProvider,
  relayProvider,
} from "./discovery/discover.ts";
export { dialFound, type DialFoundOptions, type NotReached } from "./discovery/dial_found.ts";
export { sleep } from "./discovery/sleep.ts";
export { type Link } from "./local/links.ts";
export { type MdnsOptions, mdnsProvider } from "./local/mdns_provider.ts";
export { type MdnsResponder, mdnsResponder, type MdnsResponderOptions } from "./local/mdns_responder.ts";
export { isNearby } from "./discovery/reachable.ts";
export {
  type OwnNode,
  type PacketKey,
  publisher,
  type PublisherOptions,
  sendPacket,
  signNode,
  signRecords,
} from "./discovery/publisher.ts";
export { keyOf } from "./pkarr/key.ts";
export { Lookups, type LookupsOptions } from "./pkarr/lookups.ts";
export { type RelayClient, relayClient, type RelayClientOptions, type RelayWay } from "./pkarr/relay_client.ts";
export { answerRelay, RELAY_PATH } from "./relay/http.ts";
export { MAX_PACKET_MESSAGE, MAX_PAYLOAD, type ReadPacketOptions, SignedPacket } from "./pkarr/signed_packet.ts";
export { newZone, type NewZoneOptions } from "./zones/new_zone.ts";
export { DnsRuleError } from "./zones/rules.ts";
export { type DnsStore, type DnsStoreOptions, openDnsStore } from "./zones/sqlite.ts";
export type {
  Applied,
  Difference,
  PageOptions,
  Removal,
  Replaced,
  ReplaceOptions,
  Zone,
  ZoneChange,
  ZoneSnapshot,
  ZoneStore,
} from "./zones/store.ts";
