/**
 * The call protocol: the operations of a node, asked for over any connection, from both of its ends.
 *
 * Participants: two nodes, equal once connected: either calls the other. Messages: JSON envelopes of five types
 * (call.md §3), framed by length. Nothing is stored; everything dies with the connection. What an operation is, and how
 * one is declared, authorised and run, is the business of `@alknet/core/operations`: this is one way to ask for it.
 *
 * - **Serve** on `alknet/call` with {@linkcode call}, and **call** a node with {@linkcode connectCall}, or over any
 *   connection with {@linkcode CallConnection} and {@linkcode clientOf}.
 * - **Import** what the other end offers with {@linkcode fromCall}, so that operations of this node compose it.
 * - **Carry** it over something else, as HTTP does over WebSockets: a {@linkcode CallCarrier} is what a session stands on.
 *
 * Failures: a handler that throws costs its own request; a frame that is none costs its stream, and where there is one
 * stream the connection; whoever leaves has what it asked for aborted. Limits are in `limits.ts`, each with its reason.
 *
 * @example A typed client, here over a pair in memory
 * ```ts
 * import Type from "typebox";
 * import { memoryPair } from "@alknet/core/handler";
 * import { Dispatcher, nodeRegistry, operation, provide } from "@alknet/core/operations";
 * import { CallConnection, clientOf, type TypesOf } from "@alknet/handlers/call";
 *
 * const count = operation({
 *   name: "math/count",
 *   type: "subscription",
 *   input: Type.Object({ to: Type.Integer() }),
 *   output: Type.Integer(),
 * });
 * const operations = [count] as const;
 * const registry = nodeRegistry([
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
export { CallConnection, type CallConnectionOptions } from "./session/call_connection.ts";
export type { CallCarrier, LeasedLane } from "./carriers/carrier.ts";
export { CallCode } from "./codes.ts";
export type { CallOptions, CallPeer } from "./call_peer.ts";
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
export type { EventEnvelope, EventType } from "./frames/envelope.ts";
export { parseEnvelope } from "./frames/frames.ts";
export { fromCall, type FromCallOptions } from "./import/from_call.ts";
export { call, type CallHandlerOptions } from "./handler.ts";
export type { Lane, LaneEnd, LaneReceiver } from "./carriers/lane.ts";
export { type CallCounts, CallSession, type CallSessionOptions } from "./session/session.ts";
export type { ServedRequestsOptions } from "./session/served_requests.ts";
