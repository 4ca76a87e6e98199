/**
 * The operations that describe operations: `services/list`, `services/schema`, `services/list-peers` (call.md §20).
 *
 * Each shows a caller what it may call, and nothing else.
 *
 * @module
 */
import Type from "typebox";
import { denial } from "../access/access.ts";
import { CallError, notFound } from "../values/errors.ts";
import { isObject, type JsonValue } from "../values/json.ts";
import { LOCAL_PEER } from "../layers/peers.ts";
import { Registry } from "../layers/registry.ts";
import { type HandlerRegistration, provide } from "../authoring/registration.ts";
import { operation, type OperationSpec } from "../authoring/spec.ts";

/** An entry of a list. A type, because an interface is no JSON value to the compiler. */
export type ListedOperation = {
  /** Without a leading slash. */
  readonly name: string;
  /** First segment of the name. */
  readonly namespace: string;
  /** What kind of answer it gives. */
  readonly op_type: OperationSpec["op_type"];
};

/** What `services/schema` answers: the eight members of a spec that are published, absent ones `null`. */
export type PublishedSpec = {
  /** Without a leading slash. */
  readonly name: string;
  /** First segment of the name. */
  readonly namespace: string;
  /** What kind of answer it gives. */
  readonly op_type: OperationSpec["op_type"];
  /** Always `external`, but for what composition alone sees. */
  readonly visibility: OperationSpec["visibility"];
  /** JSON Schema. */
  readonly input_schema: JsonValue;
  /** JSON Schema. */
  readonly output_schema: JsonValue;
  /** Declared errors. */
  readonly error_schemas: readonly {
    /** Such as `FILE_NOT_FOUND`. */
    readonly code: string;
    /** For people. */
    readonly description: string;
    /** JSON Schema of the details. */
    readonly schema: JsonValue;
    /** Status of the HTTP projection. */
    readonly http_status: number | null;
  }[];
  /** Who may call it. */
  readonly access_control: {
    /** All of them are needed. */
    readonly required_scopes: readonly string[];
    /** One of them is needed. */
    readonly required_scopes_any: readonly string[] | null;
    /** Type of the resource. */
    readonly resource_type: string | null;
    /** What is done to the resource. */
    readonly resource_action: string | null;
  };
};

const LISTED = Type.Unsafe<ListedOperation>(Type.Object({
  name: Type.String(),
  namespace: Type.String(),
  op_type: Type.Enum(["query", "mutation", "subscription"]),
}));
const NULLABLE_TEXT = Type.Union([Type.String(), Type.Null()]);
const SCOPES = Type.Array(Type.String());

const LIST = operation({
  name: "services/list",
  type: "query",
  description: "Lists the operations that the caller may call.",
  input: Type.Unknown(),
  output: Type.Object({ operations: Type.Array(LISTED) }),
});

const SCHEMA = operation({
  name: "services/schema",
  type: "query",
  description: "Describes one operation: its schemas, its errors, and who may call it.",
  // The handler checks the name itself, for its message is fixed (call.md §20.2).
  input: Type.Unknown(),
  output: Type.Unsafe<PublishedSpec>(Type.Object({
    name: Type.String(),
    namespace: Type.String(),
    op_type: Type.Enum(["query", "mutation", "subscription"]),
    visibility: Type.Enum(["external", "internal"]),
    input_schema: Type.Unknown(),
    output_schema: Type.Unknown(),
    error_schemas: Type.Array(Type.Object({
      code: Type.String(),
      description: Type.String(),
      schema: Type.Unknown(),
      http_status: Type.Union([Type.Integer(), Type.Null()]),
    })),
    access_control: Type.Object({
      required_scopes: SCOPES,
      required_scopes_any: Type.Union([SCOPES, Type.Null()]),
      resource_type: NULLABLE_TEXT,
      resource_action: NULLABLE_TEXT,
    }),
  })),
});

const LIST_PEERS = operation({
  name: "services/list-peers",
  type: "query",
  description: "Lists the operations of this node and of the peers attached to it, as far as the caller may call them.",
  input: Type.Unknown(),
  output: Type.Object({
    peers: Type.Array(Type.Object({ peer_id: Type.String(), operations: Type.Array(LISTED) })),
  }),
});

/**
 * The registry of a node: what it offers, and the operations that describe it.
 *
 * @param registrations What the node offers.
 * @throws {AlknetError} `DUPLICATE_OPERATION`: two have one name. `INVALID_OPERATION`: what is wrong with one.
 */
export function nodeRegistry(registrations: Iterable<HandlerRegistration>): Registry {
  const registry: Registry = new Registry([...discovery(() => registry), ...registrations]);
  return registry;
}

/** The three operations over a node's own. */
function discovery(node: () => Registry): HandlerRegistration[] {
  return [
    provide(
      LIST,
      (_input, { identity, ownership }) => ({ operations: listedOf(node().permitted(identity, ownership)) }),
    ),
    provide(SCHEMA, (input, { identity, ownership }) => {
      const name = requestedName(input as JsonValue);
      const spec = node().find(name)?.spec;
      if (spec?.visibility !== "external") throw notFound(name, node().suggestion(name, identity, ownership));
      // Which resource is meant is not known here: whoever owns one of the type may read how to address it.
      const reason = denial(spec.access_control, identity, undefined, ownership);
      if (reason !== undefined) throw new CallError("FORBIDDEN", reason);
      return publishedSpec(spec);
    }),
    provide(LIST_PEERS, (_input, { identity, env, ownership }) => {
      const blocks = [{ peer_id: LOCAL_PEER, operations: listedOf(node().permitted(identity, ownership)) }];
      for (const peer of env.peerIds()) {
        const permitted = env.peerOperations(peer).filter(({ spec }) =>
          denial(spec.access_control, identity) === undefined
        );
        blocks.push({ peer_id: peer, operations: listedOf(permitted) });
      }
      return { peers: blocks.filter(({ operations }) => operations.length > 0) };
    }),
  ];
}

/** The eight members of a spec that `services/schema` publishes; those that are absent are `null`. */
export function publishedSpec(spec: OperationSpec): PublishedSpec {
  const { name, namespace, op_type, visibility, input_schema, output_schema, error_schemas, access_control } = spec;
  return {
    name,
    namespace,
    op_type,
    visibility,
    input_schema,
    output_schema,
    error_schemas: error_schemas.map(({ code, description, schema, http_status }) => ({
      code,
      description,
      schema,
      http_status,
    })),
    access_control: {
      required_scopes: access_control.required_scopes,
      required_scopes_any: access_control.required_scopes_any ?? null,
      resource_type: access_control.resource_type ?? null,
      resource_action: access_control.resource_action ?? null,
    },
  };
}

const entries = new WeakMap<OperationSpec, ListedOperation>();

/** Entries are kept: a list of ten thousand is then written without making as many objects for each caller. */
function listedOf(operations: Iterable<{ readonly spec: OperationSpec }>): ListedOperation[] {
  const listed: ListedOperation[] = [];
  for (const { spec } of operations) {
    let entry = entries.get(spec);
    if (!entry) entries.set(spec, entry = { name: spec.name, namespace: spec.namespace, op_type: spec.op_type });
    listed.push(entry);
  }
  return listed;
}

function requestedName(input: JsonValue): string {
  const name = isObject(input) && Object.hasOwn(input, "name") ? input.name : undefined;
  if (typeof name !== "string") throw new CallError("INVALID_INPUT", "missing required field: name");
  return name.startsWith("/") ? name.slice(1) : name;
}
