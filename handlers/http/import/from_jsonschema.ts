/**
 * One operation for one endpoint that has no OpenAPI document (http.md §11.3).
 *
 * @module
 */
import { type HandlerRegistration, ImportError, type OperationSpec } from "@alknet/core/operations";
import { httpOperation, type HttpServiceConfig } from "./http_operation.ts";

/** The endpoint. */
export interface JsonSchemaEndpoint {
  /** In any case. */
  readonly method: string;
  /** `/pets/{id}`: appended to the base URL. */
  readonly path: string;
  /** Keeps the visibility that the spec says. Default: internal, whatever it says. */
  readonly asDeclared?: boolean;
}

/**
 * An operation whose input goes to the path, to `body`, and else to the query. A status that an error of the spec names
 * gives its code, any other `HTTP_<status>`.
 *
 * @throws {ImportError} `SCHEMA_PARSE`: the method, the path or the base URL is none.
 */
export function fromJsonSchema(
  spec: OperationSpec,
  config: HttpServiceConfig,
  { method, path, asDeclared = false }: JsonSchemaEndpoint,
): HandlerRegistration {
  if (!/^(?:get|post|put|patch|delete|head|options)$/i.test(method) || !path.startsWith("/")) {
    throw new ImportError("SCHEMA_PARSE", `${spec.name}: ${method} ${path} is no method and path of an endpoint`);
  }
  const endpoint = { method: method.toUpperCase(), path, parameters: "rest" } as const;
  const visibility = asDeclared ? spec.visibility : "internal";
  return httpOperation({ ...spec, visibility }, endpoint, config, "from_jsonschema");
}
