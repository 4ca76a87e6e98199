/**
 * A typed client over a connection.
 *
 * @module
 */
import type { Connection } from "@alknet/core/handler";
import { CallConnection, type CallConnectionOptions } from "./session/call_connection.ts";
import type { CallOptions, CallPeer } from "./call_peer.ts";
import type { JsonValue, Operation, OperationType, Subscription } from "@alknet/core/operations";

/** The protocol's name on the wire. */
export const CALL_ALPN = "alknet/call";

/** The types of a node's operations by name; `alknet ops ADDRESS --types` prints one. */
export type OperationTypes = {
  readonly [name: string]: { readonly type: OperationType; readonly input: unknown; readonly output: unknown };
};

/** What is known of a node of which nothing is known: any operation, which takes and gives any JSON. */
export interface AnyOperations {
  /** Every name of the node, with whatever shape its operation has. */
  readonly [name: string]: { readonly type: OperationType; readonly input: JsonValue; readonly output: JsonValue };
}

/** The types of declared operations, for a client of a node whose declarations one has. */
export type TypesOf<Declared extends readonly Operation[]> = {
  readonly [Each in Declared[number] as Each["spec"]["name"]]: Each extends
    Operation<string, infer Kind, infer Input, infer Output>
    ? { readonly type: Kind; readonly input: Input; readonly output: Output }
    : never;
};

/** Names of the queries and mutations. */
export type CallNames<Types> = {
  [Name in keyof Types]: Types[Name] extends { readonly type: infer Kind }
    ? Extract<Kind, "query" | "mutation"> extends never ? never : Name
    : never;
}[keyof Types];

/** Names of the subscriptions. */
export type SubscriptionNames<Types> = {
  [Name in keyof Types]: Types[Name] extends { readonly type: infer Kind }
    ? Extract<Kind, "subscription"> extends never ? never : Name
    : never;
}[keyof Types];

/** Input of an operation. */
export type InputOf<Types, Name extends keyof Types> = Types[Name] extends { readonly input: infer Input } ? Input
  : never;
/** Output of an operation, of one value of a subscription. */
export type OutputOf<Types, Name extends keyof Types> = Types[Name] extends { readonly output: infer Output } ? Output
  : never;

/** Calls a node by the types of its operations. */
export interface CallClient<Types = AnyOperations> extends AsyncDisposable {
  /** The connection itself, untyped. */
  readonly peer: CallPeer;
  /**
   * Calls a query or mutation.
   *
   * @throws {CallError} What the node answered, or why it could not.
   */
  call<Name extends CallNames<Types> & string>(
    name: Name,
    input: InputOf<Types, Name>,
    options?: CallOptions,
  ): Promise<OutputOf<Types, Name>>;
  /** Subscribes. Leaving the loop aborts; a failure is thrown from the loop. */
  subscribe<Name extends SubscriptionNames<Types> & string>(
    name: Name,
    input: InputOf<Types, Name>,
    options?: CallOptions,
  ): Subscription<OutputOf<Types, Name>>;
  /** Ends the connection. */
  close(): Promise<void>;
}

/** What dials: an endpoint of `@alknet/core`. */
export interface Dialler<Options = unknown> {
  /** Dials an address for one protocol. */
  connect(address: string, alpn: string, options?: Options): Promise<Connection>;
}

/** Options of {@linkcode connectCall}. */
export interface ConnectCallOptions<Options = unknown> extends CallConnectionOptions {
  /** For the dial: transport, key, and so on. */
  readonly dial?: Options;
  /** Goes with every request that has none of its own. */
  readonly token?: string;
}

/**
 * Dials a node and gives a client.
 *
 * @throws {DialError} The node cannot be reached.
 */
export async function connectCall<Types = AnyOperations, Options = unknown>(
  endpoint: Dialler<Options>,
  address: string,
  options: ConnectCallOptions<Options> = {},
): Promise<CallClient<Types>> {
  const { dial, token, ...rest } = options;
  const connection = await endpoint.connect(address, CALL_ALPN, dial);
  return clientOf<Types>(new CallConnection(connection, rest), { token });
}

/** A typed client over a connection that exists, whichever end dialled it. */
export function clientOf<Types = AnyOperations>(
  peer: CallPeer,
  defaults: Pick<CallOptions, "token"> = {},
): CallClient<Types> {
  return {
    peer,
    call: (name, input, options) =>
      peer.call(name, input as JsonValue, { ...defaults, ...options }) as Promise<OutputOf<Types, typeof name>>,
    subscribe: (name, input, options) =>
      peer.subscribe(name, input as JsonValue, { ...defaults, ...options }) as Subscription<
        OutputOf<Types, typeof name>
      >,
    close: () => peer.close(),
    [Symbol.asyncDispose]: () => peer.close(),
  };
}
