/**
 * Operations: what a node can be asked to do, declared once with its types, and asked for in any way there is.
 *
 * Nothing here knows a wire. The call protocol, HTTP with REST, OpenAPI and MCP, guests and the command line each project
 * the same operations: they resolve who asks, hand a request to the {@linkcode Dispatcher}, and write down what comes of
 * it. They check neither rights nor input.
 *
 * - **Declare** with {@linkcode operation}: a name such as `notes/add`, whether it is a query, a mutation or a
 *   subscription, TypeBox schemas of input and output, the errors that it may fail with, who may call it. The types flow
 *   on from there to handler and caller.
 * - **Provide** a handler with {@linkcode provide}. It gets the input, already checked, and an {@linkcode OperationContext}:
 *   who asks, how much time is left, a signal that is aborted when the caller leaves. It fails by throwing a
 *   {@linkcode CallError} with a declared code; whatever else it throws is `INTERNAL`, and its words stay in the log.
 * - **Register** with {@linkcode nodeRegistry}, which adds the operations that describe the others, and then does not change.
 * - **Authorize** by declaration: `access` names scopes, all of them or any one, or an action on a resource, whose id a
 *   path finds in the input. An {@linkcode OwnershipProvider} lets owners pass. Deny is the default of whatever is declared:
 *   an operation that declares nothing is open, one that is `internal` is there for composition alone.
 * - **Call**: {@linkcode Dispatcher.dispatch} finds, authorises, checks and runs, and is the one entry;
 *   {@linkcode Dispatcher.call} and {@linkcode Dispatcher.subscribe} are its shorter forms.
 * - **Compose**: a handler calls others with `context.invoke`. What it reaches is its `scope`, its rights are its own
 *   `authority`, never those of its caller. Names are looked for in layers: the session's, then those of attached peers
 *   ({@linkcode PeerSet}) and of the connection ({@linkcode ConnectionLayer}), then the node's own.
 *
 * The rooms, each on those before it: `values`, `authoring`, `access`, `layers`, `running`, `discovery`.
 *
 * @example From a declaration to a composed call
 * ```ts
 * import Type from "typebox";
 * import { CallError, Dispatcher, nodeRegistry, operation, provide } from "@alknet/core/operations";
 *
 * // Declare: reading asks for a scope, and may fail in one way.
 * const read = operation({
 *   name: "notes/read",
 *   type: "query",
 *   input: Type.Object({ id: Type.String() }),
 *   output: Type.String(),
 *   errors: { NOTE_NOT_FOUND: { description: "there is no such note" } },
 *   access: { scopes: ["notes:read"] },
 * });
 * const count = operation({
 *   name: "notes/count-words",
 *   type: "query",
 *   input: Type.Object({ id: Type.String() }),
 *   output: Type.Integer(),
 * });
 *
 * // Provide and register. Counting composes reading with rights of its own.
 * const notes = new Map([["1", "buy milk and bread"]]);
 * const registry = nodeRegistry([
 *   provide(read, ({ id }) => {
 *     const text = notes.get(id);
 *     if (text === undefined) throw new CallError("NOTE_NOT_FOUND", `there is no note ${id}`);
 *     return text;
 *   }),
 *   provide(count, async ({ id }, context) => String(await context.invoke("notes/read", { id })).split(" ").length, {
 *     scope: { allowedOps: new Set(["notes/read"]), peerPinned: new Set() },
 *     authority: { label: "counter", scopes: ["notes:read"], resources: {} },
 *   }),
 * ]);
 *
 * // Call, as whoever asks.
 * const dispatcher = new Dispatcher({ registry });
 * const ada = { id: "ada", scopes: ["notes:read"], resources: {} };
 * console.assert(await dispatcher.call({ operation: "notes/read", input: { id: "1" }, identity: ada }) === notes.get("1"));
 * console.assert(await dispatcher.call({ operation: "notes/count-words", input: { id: "1" } }) === 4);
 * const refused = await dispatcher.call({ operation: "notes/read", input: { id: "1" } }).catch(({ code }) => code);
 * console.assert(refused === "FORBIDDEN");
 * ```
 *
 * @module
 */
export { type Clock, SYSTEM_CLOCK } from "./values/clock.ts";
export { type Deadline, Deadlines } from "./values/deadlines.ts";
export {
  CallError,
  type CallErrorOptions,
  type CallErrorPayload,
  cancelled,
  errorOfPayload,
  errorPayload,
  isProtocolCode,
  notFound,
  PROTOCOL_CODES,
  type ProtocolCode,
  timedOut,
} from "./values/errors.ts";
export { ImportError, type ImportErrorCode } from "./values/import_error.ts";
export { isObject, type JsonObject, type JsonValue } from "./values/json.ts";
export { nameFault, namespaceOf, operationName } from "./values/names.ts";
export {
  authorityIdentity,
  type Capabilities,
  type CompositionAuthority,
  type OwnershipProvider,
  type ScopedPeerEnv,
} from "./authoring/authority.ts";
export { capabilitiesOf, NO_CAPABILITIES } from "./authoring/capabilities.ts";
export type {
  AbortPolicy,
  ImportedListing,
  InvokeOptions,
  OperationContext,
  OperationEnv,
  PeerRef,
} from "./authoring/context.ts";
export {
  type HandlerKind,
  type HandlerOf,
  type HandlerRegistration,
  type OnceHandler,
  type Provenance,
  provide,
  type ProvideOptions,
  type StreamHandler,
} from "./authoring/registration.ts";
export { type SchemaCheck, schemaCheck, schemaFault } from "./authoring/schema_check.ts";
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
} from "./authoring/spec.ts";
export { type AddressedResource, denial, isUnrestricted, resourceIdOf } from "./access/access.ts";
export { type OwnershipStore, ownershipStore } from "./access/ownership.ts";
export { ConnectionLayer } from "./layers/connection_layer.ts";
export type { OperationLayer, PeerLayers } from "./layers/layer.ts";
export { type AttachedPeer, LOCAL_PEER, PeerSet } from "./layers/peers.ts";
export { Registry } from "./layers/registry.ts";
export { type SessionGrant, SessionLayer } from "./layers/session_layer.ts";
export {
  type CallRequest,
  type CallSink,
  Dispatcher,
  type DispatcherOptions,
  type RunningCall,
} from "./running/dispatcher.ts";
export { LayeredEnv, type Layers } from "./running/environment.ts";
export { type ListedOperation, nodeRegistry, type PublishedSpec, publishedSpec } from "./discovery/discovery.ts";
export { operationTypes, type OperationTypesOptions } from "./discovery/type_text.ts";
export { CALL_TIMEOUT } from "./values/limits.ts";
export { type Subscription, SubscriptionQueue, type SubscriptionSource } from "./running/subscription.ts";
export type { Static, TSchema } from "typebox";
