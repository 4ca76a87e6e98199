/**
 * Imports what another node offers as operations that local handlers can compose (call.md §21).
 *
 * An import mirrors type, schemas, errors and access of the remote operation. It is internal, composes nothing, holds
 * no credential, and forwards each call under the remote name. To offer it to others, register a local operation that
 * composes it.
 *
 * @module
 */
import {
  type AccessControl,
  CallError,
  type ErrorDefinition,
  type HandlerKind,
  type HandlerRegistration,
  ImportError,
  isObject,
  isProtocolCode,
  type JsonObject,
  type JsonValue,
  nameFault,
  namespaceOf,
  NO_CAPABILITIES,
  type OperationContext,
  type OperationSpec,
  type OperationType,
  schemaCheck,
  schemaFault,
} from "@alknet/core/operations";
import type { CallOptions, CallPeer } from "../call_peer.ts";

/** Options of {@linkcode fromCall}. */
export interface FromCallOptions {
  /** Stands before every imported name, with a slash. Default: none. */
  readonly prefix?: string;
  /** Remote names to import. Default: all but those of `services/`. */
  readonly only?: ReadonlySet<string>;
  /** Most operations that one import takes. Default 10 000. */
  readonly most?: number;
  /** Goes with the requests of the import itself; forwarded calls carry none. */
  readonly token?: string;
  /** Ends the import. */
  readonly signal?: AbortSignal;
}

/** Most operations that one import takes: a peer must not fill the memory of who asks it. */
const MOST_OPERATIONS = 10_000;
/** Schemas asked for at once. */
const SCHEMAS_AT_ONCE = 32;
/** Time for a forwarded query or mutation where the caller left none, in milliseconds (call.md §13). */
const DEFAULT_TIMEOUT = 30_000;
const OPERATION_TYPES: readonly JsonValue[] = ["query", "mutation", "subscription"] satisfies OperationType[];

/**
 * Asks a peer what it offers and makes registrations of it; `peer.registerImported` takes them. Nothing refreshes them:
 * import again after a reconnect.
 *
 * @throws {ImportError} `DISCOVERY_FAILED`: the peer did not answer. `SCHEMA_PARSE`: what it answered is no
 * description. `SAME_PEER_COLLISION`: it gives one name to two operations.
 * @throws {TypeError} The prefix is no name.
 */
export async function fromCall(peer: CallPeer, options: FromCallOptions = {}): Promise<HandlerRegistration[]> {
  const { prefix = "", only, most = MOST_OPERATIONS, token, signal } = options;
  const fault = prefix === "" ? undefined : nameFault(prefix);
  if (fault !== undefined) throw new TypeError(`prefix ${JSON.stringify(prefix)} ${fault}`);
  const request = { token, signal };
  const names = importedNames(await ask(peer, "services/list", null, request), only, most);
  const specs = await inBatches(names, async (name) => {
    return mirrored(name, prefix, await ask(peer, "services/schema", { name }, request));
  });
  return specs.map(({ remoteName, spec }) => ({
    spec,
    handler: forwarding(peer, remoteName, spec.op_type),
    provenance: "from_call",
    capabilities: NO_CAPABILITIES,
    checkInput: schemaCheck(spec.input_schema, "foreign"),
  }));
}

async function ask(peer: CallPeer, name: string, input: JsonValue, options: CallOptions): Promise<JsonValue> {
  try {
    return await peer.call(name, input, options);
  } catch (error) {
    options.signal?.throwIfAborted();
    const why = error instanceof CallError ? `${error.code}: ${error.message}` : "no answer";
    throw new ImportError("DISCOVERY_FAILED", `${name} of the peer failed: ${why}`, { cause: error });
  }
}

function importedNames(answer: JsonValue, only: ReadonlySet<string> | undefined, most: number): string[] {
  const operations = isObject(answer) ? answer.operations : undefined;
  if (!Array.isArray(operations)) throw unreadable("services/list", "has no array of operations");
  const names = new Set<string>();
  for (const entry of operations as readonly JsonValue[]) {
    const name = isObject(entry) ? entry.name : undefined;
    if (typeof name !== "string") throw unreadable("services/list", "has an entry without a name");
    const wrongName = nameFault(name);
    if (wrongName !== undefined) throw unreadable("services/list", `has the name ${quoted(name)}, which ${wrongName}`);
    checkType("services/list", name, (entry as JsonObject).op_type);
    if (only ? !only.has(name) : namespaceOf(name) === "services") continue;
    if (names.has(name)) throw new ImportError("SAME_PEER_COLLISION", `the peer lists ${name} twice`);
    names.add(name);
    if (names.size > most) {
      throw new ImportError("DISCOVERY_FAILED", `the peer lists more than ${most} operations; name those to import`);
    }
  }
  return [...names];
}

/** The spec that an answer of `services/schema` describes, under its local name. */
function mirrored(remoteName: string, prefix: string, answer: JsonValue): { remoteName: string; spec: OperationSpec } {
  const source = `services/schema of ${remoteName}`;
  if (!isObject(answer)) throw unreadable(source, "is no object");
  if (answer.name !== remoteName) throw unreadable(source, "describes another operation");
  checkType(source, remoteName, answer.op_type);
  const name = prefix === "" ? remoteName : `${prefix}/${remoteName}`;
  const wrongName = nameFault(name);
  if (wrongName !== undefined) throw unreadable(source, `would be imported as ${quoted(name)}, which ${wrongName}`);
  return {
    remoteName,
    spec: Object.freeze({
      name,
      namespace: namespaceOf(name),
      op_type: answer.op_type as OperationType,
      visibility: "internal",
      input_schema: schemaIn(source, "input_schema", answer.input_schema),
      output_schema: schemaIn(source, "output_schema", answer.output_schema),
      error_schemas: errorsIn(source, answer.error_schemas),
      access_control: accessIn(source, answer.access_control),
    }),
  };
}

function checkType(source: string, name: string, type: JsonValue | undefined): void {
  if (type === undefined) throw unreadable(source, `gives ${name} no op_type`);
  if (!OPERATION_TYPES.includes(type)) throw unreadable(source, `gives ${name} an unknown op_type`);
}

/** A schema that is not there accepts everything. */
function schemaIn(source: string, member: string, schema: JsonValue | undefined): JsonValue {
  if (schema === undefined) return {};
  const fault = schemaFault(schema);
  if (fault !== undefined) throw unreadable(source, `has an ${member} that ${fault}`);
  return schema;
}

function errorsIn(source: string, errors: JsonValue | undefined): ErrorDefinition[] {
  if (errors === undefined) return [];
  if (!Array.isArray(errors)) throw unreadable(source, "has error_schemas that are no array");
  return (errors as readonly JsonValue[]).map((error) => {
    if (!isObject(error) || typeof error.code !== "string") throw unreadable(source, "has an error without a code");
    const { code, description, schema, http_status } = error;
    if (isProtocolCode(code)) throw unreadable(source, `declares ${code}, which is a code of the protocol`);
    return {
      code,
      description: typeof description === "string" ? description : "",
      schema: schemaIn(source, `error schema of ${code}`, schema),
      http_status: typeof http_status === "number" ? http_status : null,
    };
  });
}

/** What cannot be read is refused rather than left out: an operation must not become more open by its import. */
function accessIn(source: string, access: JsonValue | undefined): AccessControl {
  if (!isObject(access)) throw unreadable(source, "has no access_control");
  const { required_scopes, required_scopes_any, resource_type, resource_action } = access;
  const readable = isTextArray(required_scopes) && (required_scopes_any == null || isTextArray(required_scopes_any)) &&
    (resource_type == null || typeof resource_type === "string") &&
    (resource_action == null || typeof resource_action === "string");
  if (!readable) throw unreadable(source, "has an access_control that is none");
  return {
    required_scopes,
    ...(required_scopes_any != null && { required_scopes_any }),
    ...(resource_type != null && { resource_type }),
    ...(resource_action != null && { resource_action }),
  };
}

function isTextArray(value: JsonValue | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === "string");
}

/** Calls the remote operation. What the peer answers passes through, its errors included. */
function forwarding(peer: CallPeer, remoteName: string, type: OperationType): HandlerKind {
  if (type === "subscription") {
    return {
      kind: "stream",
      fn: (input, context) => peer.subscribe(remoteName, input, forwardedOptions(context)),
    };
  }
  return {
    kind: "once",
    fn: (input, context) => {
      const options = forwardedOptions(context);
      return peer.call(remoteName, input, {
        ...options,
        timeoutMs: Math.min(options.timeoutMs ?? DEFAULT_TIMEOUT, DEFAULT_TIMEOUT),
      });
    },
  };
}

/**
 * What goes along: who made the root request, as a claim, and the time that is left. Neither the token of the incoming
 * request nor metadata nor credentials do.
 */
function forwardedOptions({ rootIdentity, timeLeft, signal }: OperationContext): CallOptions {
  return {
    forwardedFor: rootIdentity,
    timeoutMs: timeLeft === undefined ? undefined : Math.max(1, Math.ceil(timeLeft)),
    signal,
  };
}

async function inBatches<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results = new Array<Result>(items.length);
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at]);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(SCHEMAS_AT_ONCE, items.length) }, worker));
  } finally {
    next = items.length;
  }
  return results;
}

function unreadable(source: string, fault: string): ImportError {
  return new ImportError("SCHEMA_PARSE", `${source} ${fault}`);
}

function quoted(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
