/**
 * What tests of the call protocol share: identities, small operations, and a peer of which they hold the answers.
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import {
  CallError,
  ConnectionLayer,
  type HandlerRegistration,
  type JsonObject,
  type JsonValue,
  type OnceHandler,
  operation,
  type OperationDeclaration,
  type OperationType,
  provide,
  type ProvideOptions,
  type StreamHandler,
} from "@alknet/core/operations";
import type { CallPeer } from "@alknet/handlers/call";
import Type, { type TSchema } from "typebox";

/** Someone with scopes and resources. */
export function identity(id: string, scopes: readonly string[] = [], resources: Identity["resources"] = {}): Identity {
  return { id, scopes, resources };
}

/** Fields of a declaration that a test states; the rest is a query that takes and gives anything. */
export type Stated = Partial<OperationDeclaration<string, OperationType, TSchema, TSchema>> & ProvideOptions;

/** An operation that answers once. */
export function once(name: string, handler: OnceHandler, stated: Stated = {}): HandlerRegistration {
  return provide(operation({ ...base(name), ...stated, type: stated.type ?? "query" }), handler as never, stated);
}

/** An operation that streams. */
export function stream(name: string, handler: StreamHandler, stated: Stated = {}): HandlerRegistration {
  return provide(operation({ ...base(name), ...stated, type: "subscription" }), handler as never, stated);
}

/** An import, without a connection behind it. */
export function imported(name: string, handler: OnceHandler, stated: Stated = {}): HandlerRegistration {
  return once(name, handler, { visibility: "internal", provenance: "from_call", ...stated });
}

/** The scope of a handler that reaches these names. */
export function reaching(...names: string[]): Required<Pick<ProvideOptions, "scope">> {
  return { scope: { allowedOps: new Set(names), peerPinned: new Set() } };
}

/** The rights of a composing handler. */
export function authority(label: string, ...scopes: string[]): Required<Pick<ProvideOptions, "authority">> {
  return { authority: { label, scopes, resources: {} } };
}

/** A peer that answers from a table and notes what it was asked. */
export class TablePeer implements CallPeer {
  readonly identity: Identity | undefined;
  readonly isPeer: boolean;
  readonly layer: ConnectionLayer;
  readonly closed: Promise<void>;
  /** What it was asked. */
  readonly asked: { name: string; input: JsonValue; options: Parameters<CallPeer["call"]>[2] }[] = [];
  readonly #answers: Readonly<Record<string, (input: JsonValue) => JsonValue>>;
  readonly #close: () => void;

  constructor(id: string, answers: Readonly<Record<string, (input: JsonValue) => JsonValue>> = {}, isPeer = true) {
    this.identity = identity(id);
    this.isPeer = isPeer;
    this.layer = new ConnectionLayer(isPeer ? id : undefined);
    this.#answers = answers;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.closed = promise;
    this.#close = resolve;
  }

  async call(name: string, input: JsonValue = null, options?: Parameters<CallPeer["call"]>[2]): Promise<JsonValue> {
    this.asked.push({ name, input, options });
    const answer = this.#answers[name];
    if (!answer) throw new CallError("NOT_FOUND", `operation not found: ${name}`);
    return await answer(input);
  }

  async *subscribe(name: string, input: JsonValue = null): AsyncIterableIterator<JsonValue, void, void> {
    for (const value of await this.call(name, input) as readonly JsonValue[]) yield value;
  }

  registerImported(registrations: Iterable<HandlerRegistration>): void {
    this.layer.replace(registrations);
  }

  abort(): void {}

  close(): Promise<void> {
    this.layer.end();
    this.#close();
    return this.closed;
  }
}

/** What `services/schema` would answer for a plain query. */
export function schemaAnswer(name: string, stated: JsonObject = {}): JsonObject {
  return {
    name,
    namespace: name.split("/")[0],
    op_type: "query",
    visibility: "external",
    input_schema: {},
    output_schema: {},
    error_schemas: [],
    access_control: { required_scopes: [], required_scopes_any: null, resource_type: null, resource_action: null },
    ...stated,
  };
}

function base(name: string) {
  return { name, input: Type.Unknown(), output: Type.Unknown() };
}
