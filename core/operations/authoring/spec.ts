/**
 * What an operation is: its name, its type, its schemas, its errors, and who may call it (call.md §10.1).
 *
 * An {@linkcode OperationSpec} is data, with the member names that discovery publishes. {@linkcode operation} makes one
 * from a TypeBox declaration and keeps the types, so that handler and caller are checked against the same schemas.
 *
 * @module
 */
import Type, { type Static, type TSchema } from "typebox";
import { isProtocolCode } from "../values/errors.ts";
import { isObject, type JsonValue } from "../values/json.ts";
import { checkedName, namespaceOf } from "../values/names.ts";
import { resourcePath } from "../values/resource_id.ts";

/** *query*: reads, idempotent. *mutation*: has side effects. *subscription*: streams. */
export type OperationType = "query" | "mutation" | "subscription";

/** Whether the wire reaches an operation, or composition alone. */
export type Visibility = "external" | "internal";

/** An error that an operation may answer with (call.md §8.2). */
export interface ErrorDefinition {
  /** Such as `FILE_NOT_FOUND`; never a code of the protocol. */
  readonly code: string;
  /** For people. */
  readonly description: string;
  /** JSON Schema of the details. */
  readonly schema: JsonValue;
  /** Status of the HTTP projection. */
  readonly http_status: number | null;
}

/** What a caller needs (call.md §11). */
export interface AccessControl {
  /** All of them. */
  readonly required_scopes: readonly string[];
  /** At least one of them; present but empty, nobody passes. */
  readonly required_scopes_any?: readonly string[];
  /** Type of the resource. */
  readonly resource_type?: string;
  /** What is done to the resource. */
  readonly resource_action?: string;
}

/** An operation as registries hold it. */
export interface OperationSpec {
  /** `files/read`, without a leading slash. */
  readonly name: string;
  /** The first segment of the name. */
  readonly namespace: string;
  /** What kind of answer it gives. */
  readonly op_type: OperationType;
  /** Who reaches it. */
  readonly visibility: Visibility;
  /** For people: one sentence. Not part of discovery. */
  readonly description?: string;
  /** JSON Schema; `{}` accepts everything. */
  readonly input_schema: JsonValue;
  /** JSON Schema. */
  readonly output_schema: JsonValue;
  /** Declared errors; empty means none. */
  readonly error_schemas: readonly ErrorDefinition[];
  /** Who may call it. */
  readonly access_control: AccessControl;
  /** Where in the input the id of the addressed resource is: `$.target.id`. */
  readonly resource_id_path?: string;
}

/** A declared error, as {@linkcode operation} takes it. */
export interface ErrorDeclaration {
  /** For people. */
  readonly description: string;
  /** Schema of the details. Default: anything. */
  readonly details?: TSchema;
  /** Status of the HTTP projection. */
  readonly httpStatus?: number;
}

/** Who may call, as {@linkcode operation} takes it. All fields are joined by AND. */
export interface AccessDeclaration {
  /** All of them are needed. */
  readonly scopes?: readonly string[];
  /** One of them is needed. */
  readonly anyScope?: readonly string[];
  /** Type of the resource. */
  readonly resourceType?: string;
  /** What is done to it. */
  readonly resourceAction?: string;
  /** Where in the input its id is: `$.target.id`. */
  readonly resourceIdPath?: string;
}

/** What {@linkcode operation} takes. */
export interface OperationDeclaration<
  Name extends string,
  Kind extends OperationType,
  Input extends TSchema,
  Output extends TSchema,
> {
  /** `files/read`: segments joined by slashes, none at either end. */
  readonly name: Name;
  /** What kind of answer it gives. */
  readonly type: Kind;
  /** Default `external`. */
  readonly visibility?: Visibility;
  /** For people: one sentence. */
  readonly description?: string;
  /** Schema of the input. */
  readonly input: Input;
  /** Schema of the output, of one value for a subscription. */
  readonly output: Output;
  /** Errors by code. */
  readonly errors?: Readonly<Record<string, ErrorDeclaration>>;
  /** Default: anyone. */
  readonly access?: AccessDeclaration;
}

/** A declared operation with its types. */
export interface Operation<
  Name extends string = string,
  Kind extends OperationType = OperationType,
  Input = unknown,
  Output = unknown,
> {
  /** As registries hold it. */
  readonly spec: OperationSpec & { readonly name: Name; readonly op_type: Kind };
  /** Carries the types; never there at run time. */
  readonly types?: { readonly input: Input; readonly output: Output };
}

/**
 * Declares an operation.
 *
 * @throws {TypeError} The name, the resource path or an error code is not allowed.
 */
export function operation<
  const Name extends string,
  const Kind extends OperationType,
  Input extends TSchema,
  Output extends TSchema,
>(
  declaration: OperationDeclaration<Name, Kind, Input, Output>,
): Operation<Name, Kind, Static<Input>, Static<Output>> {
  const { name, type, visibility = "external", description, input, output, errors = {}, access = {} } = declaration;
  const { scopes = [], anyScope, resourceType, resourceAction, resourceIdPath } = access;
  checkedName(name);
  const reserved = Object.keys(errors).find(isProtocolCode);
  if (reserved) {
    throw new TypeError(`operation ${name} declares the error ${reserved}, which is a code of the protocol`);
  }
  if (resourceIdPath !== undefined && !resourcePath(resourceIdPath)) {
    throw new TypeError(
      `operation ${name} has the resource path ${JSON.stringify(resourceIdPath)}; write "$.target.id"`,
    );
  }
  if (resourceIdPath !== undefined && !hasMember(input as unknown as JsonValue, resourcePath(resourceIdPath)!)) {
    throw new TypeError(
      `operation ${name} has the resource path ${JSON.stringify(resourceIdPath)}, which its input schema does not have`,
    );
  }
  return {
    spec: {
      name,
      namespace: namespaceOf(name),
      op_type: type,
      visibility,
      description,
      input_schema: input as unknown as JsonValue,
      output_schema: output as unknown as JsonValue,
      error_schemas: Object.entries(errors).map(([code, { description, details, httpStatus }]) => ({
        code,
        description,
        schema: (details ?? Type.Unknown()) as unknown as JsonValue,
        http_status: httpStatus ?? null,
      })),
      access_control: {
        required_scopes: scopes,
        ...(anyScope && { required_scopes_any: anyScope }),
        ...(resourceType !== undefined && { resource_type: resourceType }),
        ...(resourceAction !== undefined && { resource_action: resourceAction }),
      },
      ...(resourceIdPath !== undefined && { resource_id_path: resourceIdPath }),
    },
  };
}

/** Whether a schema lets a path of members be there. What it leaves open, it has. */
function hasMember(schema: JsonValue | undefined, [member, ...rest]: readonly string[]): boolean {
  if (member === undefined || schema === true) return true;
  if (!isObject(schema)) return false;
  const choices = [schema.anyOf, schema.oneOf, schema.allOf].filter(Array.isArray).flat();
  if (choices.length > 0) return choices.some((one) => hasMember(one, [member, ...rest]));
  const { properties } = schema;
  if (isObject(properties)) return Object.hasOwn(properties, member) && hasMember(properties[member], rest);
  return schema.type === undefined || schema.type === "object";
}
