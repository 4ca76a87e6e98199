/**
 * An operation with what serves it: handler, provenance, authority, scope and capabilities (call.md §10.2, §10.3).
 *
 * @module
 */
import { AlknetError } from "../../errors.ts";
import type { Capabilities, CompositionAuthority, ScopedPeerEnv } from "./authority.ts";
import { NO_CAPABILITIES } from "./capabilities.ts";
import type { OperationContext } from "./context.ts";
import { isProtocolCode } from "../values/errors.ts";
import type { JsonValue } from "../values/json.ts";
import { nameFault, namespaceOf } from "../values/names.ts";
import { type SchemaCheck, schemaCheck } from "./schema_check.ts";
import type { Operation, OperationSpec, OperationType } from "./spec.ts";

/** Where an operation comes from. Everything but `local` and `session` is a leaf: it composes nothing. */
export type Provenance = "local" | "from_openapi" | "from_mcp" | "from_call" | "from_jsonschema" | "session";

/** Serves a query or a mutation. `undefined` is `null` to the caller. Fail by throwing a `CallError`. */
export type OnceHandler<Input = JsonValue, Output = JsonValue> = (
  input: Input,
  context: OperationContext,
) => Output | void | Promise<Output | void>;

/** Serves a subscription: each value goes to the caller, who is waited for before the next is asked for. */
export type StreamHandler<Input = JsonValue, Output = JsonValue> = (
  input: Input,
  context: OperationContext,
) => AsyncIterable<Output>;

/** A handler and how it answers. */
export type HandlerKind =
  | { readonly kind: "once"; readonly fn: OnceHandler }
  | { readonly kind: "stream"; readonly fn: StreamHandler };

/** The handler that an operation of a type needs. */
export type HandlerOf<Kind extends OperationType, Input, Output> = Kind extends "subscription"
  ? StreamHandler<Input, Output>
  : OnceHandler<Input, Output>;

/** The bundle that a layer holds for each operation. */
export interface HandlerRegistration {
  /** What is served. */
  readonly spec: OperationSpec;
  /** What serves it. */
  readonly handler: HandlerKind;
  /** Where it comes from. */
  readonly provenance: Provenance;
  /** With which rights the handler composes. */
  readonly authority?: CompositionAuthority;
  /** What the handler may compose. Absent is empty. */
  readonly scope?: ScopedPeerEnv;
  /** Outbound credentials of the handler. */
  readonly capabilities: Capabilities;
  /** Says what is wrong with an input, or nothing. */
  readonly checkInput: SchemaCheck;
}

/** What {@linkcode provide} takes beside operation and handler. */
export interface ProvideOptions {
  /** Default `local`. */
  readonly provenance?: Provenance;
  /** With which rights the handler composes. */
  readonly authority?: CompositionAuthority;
  /** What the handler may compose. */
  readonly scope?: ScopedPeerEnv;
  /** Outbound credentials of the handler. Default: none. */
  readonly capabilities?: Capabilities;
}

/** Functions that cannot serve a kind; of others it shows only when they are called. */
const UNFIT_FUNCTIONS = {
  once: ["AsyncGeneratorFunction", "GeneratorFunction"],
  stream: ["AsyncFunction", "GeneratorFunction"],
} as const;

/**
 * Joins an operation and its handler.
 *
 * @throws {TypeError} The handler does not fit the type, or a leaf is given an authority or a scope.
 */
export function provide<Name extends string, Kind extends OperationType, Input, Output>(
  operation: Operation<Name, Kind, Input, Output>,
  handler: HandlerOf<Kind, Input, Output>,
  options: ProvideOptions = {},
): HandlerRegistration {
  const { provenance = "local", authority, scope, capabilities = NO_CAPABILITIES } = options;
  const { spec } = operation;
  const registration: HandlerRegistration = {
    spec,
    handler: spec.op_type === "subscription"
      ? { kind: "stream", fn: handler as unknown as StreamHandler }
      : { kind: "once", fn: handler as unknown as OnceHandler },
    provenance,
    authority,
    scope,
    capabilities,
    checkInput: schemaCheck(spec.input_schema, provenance === "local" ? "own" : "foreign"),
  };
  const fault = registrationFault(registration);
  if (fault !== undefined) throw new TypeError(`operation ${spec.name} ${fault}`);
  return registration;
}

/**
 * Checks a bundle before a layer takes it.
 *
 * @returns The bundle.
 * @throws {AlknetError} `INVALID_OPERATION`: what is wrong with it.
 */
export function checkedRegistration(registration: HandlerRegistration): HandlerRegistration {
  const fault = registrationFault(registration);
  if (fault === undefined) return registration;
  throw new AlknetError("INVALID_OPERATION", `operation ${JSON.stringify(registration.spec.name)} ${fault}`);
}

function registrationFault({ spec, handler, provenance, authority, scope }: HandlerRegistration): string | undefined {
  const wrongName = nameFault(spec.name);
  if (wrongName !== undefined) return `cannot be registered: its name ${wrongName}`;
  if (spec.namespace !== namespaceOf(spec.name)) {
    return `has the namespace ${spec.namespace}, which is not its first segment`;
  }
  const kind = spec.op_type === "subscription" ? "stream" : "once";
  if (handler.kind !== kind) return `is a ${spec.op_type}, whose handler is of kind "${kind}", not "${handler.kind}"`;
  const misfit = UNFIT_FUNCTIONS[kind].find((name) => handler.fn.constructor.name === name);
  if (misfit !== undefined) return `is a ${spec.op_type}, which ${misfit} cannot serve`;
  const reserved = spec.error_schemas.find(({ code }) => isProtocolCode(code));
  if (reserved) return `declares the error ${reserved.code}, which is a code of the protocol`;
  const leaf = provenance !== "local" && provenance !== "session";
  if (leaf && (authority ?? scope)) {
    return `comes ${provenance.replace("_", " ")} and so composes nothing: it takes neither authority nor scope`;
  }
  return undefined;
}
