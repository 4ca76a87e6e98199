/**
 * The call protocol: typed operations, declared once, called from anywhere.
 *
 * Participants: two nodes, equal once connected: either calls the other. Messages: JSON envelopes of five types
 * (call.md §3), framed by length. Nothing is stored; everything dies with the connection.
 *
 * - **Declare** with {@linkcode operation}: name, type, TypeBox schemas, errors, access. The types flow on from there.
 * - **Provide** a handler with {@linkcode provide}; it gets the input, already checked, and an {@linkcode OperationContext}.
 *   It fails by throwing {@linkcode CallError}.
 * - **Register** in a {@linkcode Registry}, which then does not change.
 * - **Dispatch**: {@linkcode Dispatcher} finds, authorises, checks and runs. It is the one entry for every projection:
 *   `dispatch(request, sink)` is the whole of it, `call(request)` and `subscribe(request)` are shorter forms. A
 *   projection resolves who asks and passes `identity`; it never checks access or input itself.
 * - **Serve** on `alknet/call` with {@linkcode call}, and **call** a node with {@linkcode connectCall}.
 *
 * Failures: a handler that throws costs its own request; a frame that is none costs its stream, and where there is one
 * stream the connection; whoever leaves has what it asked for aborted. Limits are in `limits.ts`, each with its reason.
 *
 * @example Declare, provide, dispatch
 * ```ts
 * import Type from "typebox";
 * import { Dispatcher, operation, provide, Registry } from "@alknet/handlers/call";
 *
 * const add = operation({
 *   name: "math/add",
 *   type: "query",
 *   input: Type.Object({ a: Type.Number(), b: Type.Number() }),
 *   output: Type.Number(),
 * });
 * const registry = new Registry([provide(add, ({ a, b }) => a + b)]);
 * const dispatcher = new Dispatcher({ registry });
 * console.assert(await dispatcher.call({ operation: "math/add", input: { a: 2, b: 3 } }) === 5);
 * ```
 *
 * @example A typed client, here over a pair in memory
 * ```ts
 * import Type from "typebox";
 * import { memoryPair } from "@alknet/core/handler";
 * import { CallConnection, clientOf, Dispatcher, operation, provide, Registry, type TypesOf } from "@alknet/handlers/call";
 *
 * const count = operation({
 *   name: "math/count",
 *   type: "subscription",
 *   input: Type.Object({ to: Type.Integer() }),
 *   output: Type.Integer(),
 * });
 * const operations = [count] as const;
 * const registry = new Registry([
 *   provide(count, async function* ({ to }) {
 *     for (let n = 1; n <= to; n++) yield n;
 *   }),
 * ]);
 * const [near, far] = memoryPair("alknet/call");
 * const served = new CallConnection(far, { dispatcher: new Dispatcher({ registry }) });
 * await using client = clientOf<TypesOf<typeof operations>>(new CallConnection(near));
 * let sum = 0;
 * for await (const n of client.subscribe("math/count", { to: 3 })) sum += n;
 * console.assert(sum === 6);
 * await client.close();
 * await served.closed;
 * ```
 *
 * @module
 */
export { denial, isUnrestricted, resourceIdOf } from "./access.ts";
export {
  authorityIdentity,
  type Capabilities,
  type CompositionAuthority,
  type OwnershipProvider,
  type ScopedPeerEnv,
} from "./authority.ts";
export { capabilitiesOf } from "./capabilities.ts";
export { CallConnection, type CallConnectionOptions } from "./call_connection.ts";
export type { CallCarrier, LeasedLane } from "./carrier.ts";
export { CallCode } from "./codes.ts";
export type { CallOptions, CallPeer, Subscription } from "./call_peer.ts";
export {
  type AnyOperations,
  CALL_ALPN,
  type CallClient,
  type CallNames,
  clientOf,
  connectCall,
  type ConnectCallOptions,
  type Dialler,
  type InputOf,
  type OperationTypes,
  type OutputOf,
  type SubscriptionNames,
  type TypesOf,
} from "./client.ts";
export { type Clock, SYSTEM_CLOCK } from "./clock.ts";
export type {
  AbortPolicy,
  ImportedListing,
  InvokeOptions,
  OperationContext,
  OperationEnv,
  OperationLayer,
  PeerRef,
} from "./context.ts";
export {
  type CallRequest,
  type CallSink,
  Dispatcher,
  type DispatcherOptions,
  operationName,
  type RunningCall,
} from "./dispatcher.ts";
export { type ListedOperation, type PublishedSpec, publishedSpec } from "./discovery.ts";
export type { EventEnvelope, EventType } from "./envelope.ts";
export { LayeredEnv, type Layers, type PeerLayers } from "./environment.ts";
export {
  CallError,
  type CallErrorOptions,
  type CallErrorPayload,
  errorOfPayload,
  errorPayload,
  isProtocolCode,
  PROTOCOL_CODES,
  type ProtocolCode,
} from "./errors.ts";
export { parseEnvelope } from "./frames.ts";
export { fromCall, type FromCallOptions } from "./from_call.ts";
export { call, type CallHandlerOptions } from "./handler.ts";
export { ImportError, type ImportErrorCode } from "./import_error.ts";
export type { Lane, LaneEnd, LaneReceiver } from "./lane.ts";
export { type CallCounts, CallSession, type CallSessionOptions } from "./session.ts";
export type { JsonObject, JsonValue } from "./json.ts";
export { ConnectionLayer, type SessionGrant, SessionLayer } from "./layers.ts";
export { nameFault, namespaceOf } from "./names.ts";
export { type OwnershipStore, ownershipStore } from "./ownership.ts";
export { LOCAL_PEER, PeerSet } from "./peers.ts";
export {
  type HandlerKind,
  type HandlerOf,
  type HandlerRegistration,
  type OnceHandler,
  type Provenance,
  provide,
  type ProvideOptions,
  type StreamHandler,
} from "./registration.ts";
export { Registry } from "./registry.ts";
export { type SchemaCheck, schemaCheck, schemaFault } from "./schema_check.ts";
export {
  type AccessControl,
  type AccessDeclaration,
  type ErrorDeclaration,
  type ErrorDefinition,
  type Operation,
  operation,
  type OperationDeclaration,
  type OperationSpec,
  type OperationType,
  type Visibility,
} from "./spec.ts";
export { operationTypes, type OperationTypesOptions } from "./type_text.ts";
export type { ServedRequestsOptions } from "./served_requests.ts";
export type { Static, TSchema } from "typebox";
