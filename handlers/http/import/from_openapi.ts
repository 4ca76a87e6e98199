/**
 * Operations of a third party's OpenAPI document (http.md §11.2).
 *
 * @module
 */
import {
  type HandlerRegistration,
  ImportError,
  type JsonObject,
  type JsonValue,
  type OperationSpec,
} from "@alknet/core/operations";
import { type HttpEndpoint, httpOperation, type HttpServiceConfig } from "./http_operation.ts";
import { asRecord, OpenApiDocument, unreadable } from "./openapi_document.ts";
import { jsonContent, readInput } from "./openapi_parameters.ts";
import { type Direction, OpenApiSchemas } from "./openapi_schemas.ts";

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];
/** Fields that the specification leaves to whoever wrote the document (OpenAPI 3.1, Specification Extensions). */
const EXTENSION = /^x-/;

/** An operation of a document that is not imported. */
export interface LeftOut {
  /** In capitals; absent where a whole path is left out. */
  readonly method?: string;
  /** As the document has it. */
  readonly path: string;
  /** Why, in one line. */
  readonly reason: string;
}

/** Options of {@linkcode fromOpenApi}. */
export interface OpenApiOptions {
  /**
   * Told of each operation that cannot be imported as it is declared; the others are. Without it the first of them is thrown.
   */
  readonly onLeftOut?: (leftOut: LeftOut) => void;
}

/** An operation as read. */
interface Read {
  readonly spec: OperationSpec;
  readonly endpoint: HttpEndpoint;
}

/** What stands around the operations of a document. */
interface Source {
  readonly document: OpenApiDocument;
  readonly schemas: Readonly<Record<Direction, OpenApiSchemas>>;
  readonly namespace: string;
}

/** What stands around one of them. */
interface Place extends Source {
  readonly path: string;
  readonly method: string;
  /** Parameters of the path item. */
  readonly shared: readonly JsonValue[];
}

/**
 * The operations of a document, as leaves that are not visible from the wire: a local operation composes them.
 *
 * @param source OpenAPI 3.0 or 3.1, as JSON or YAML text or as a value.
 * @param config The service. Its credential is read from capabilities at each call, under the namespace.
 * @throws {ImportError} `SCHEMA_PARSE`: it is no such document; or, unless somebody is told, an operation of it cannot be
 * imported: it takes something that is not written here, refers to what is not there, or has the name of another.
 */
export function fromOpenApi(
  source: string | JsonValue,
  config: HttpServiceConfig,
  { onLeftOut }: OpenApiOptions = {},
): HandlerRegistration[] {
  const { namespace } = config;
  if (!/^[A-Za-z0-9_.-]+$/.test(namespace)) {
    throw new ImportError("SCHEMA_PARSE", `namespace ${JSON.stringify(namespace)} is no segment of a name`);
  }
  try {
    const document = new OpenApiDocument(source);
    const schemas = {
      request: new OpenApiSchemas(document, "request"),
      answer: new OpenApiSchemas(document, "answer"),
    };
    return read({ document, schemas, namespace }, onLeftOut).map(({ spec, endpoint }) =>
      httpOperation(spec, endpoint, config, "from_openapi")
    );
  } catch (cause) {
    if (cause instanceof ImportError) throw cause;
    throw unreadable("cannot be read", { cause });
  }
}

function read(source: Source, onLeftOut: OpenApiOptions["onLeftOut"]): Read[] {
  const { document } = source;
  const byName = new Map<string, Read>();
  const attempt = (path: string, method: string | undefined, action: () => void): void => {
    try {
      action();
    } catch (error) {
      if (!onLeftOut || !(error instanceof ImportError)) throw error;
      onLeftOut({ ...(method && { method: method.toUpperCase() }), path, reason: error.message });
    }
  };
  for (const [path, value] of Object.entries(asRecord(document.root.paths))) {
    if (EXTENSION.test(path)) continue;
    attempt(path, undefined, () => {
      const item = document.resolved(value, `paths ${path}`);
      const shared = asList(item.parameters);
      for (const method of METHODS) {
        if (item[method] === undefined) continue;
        attempt(path, method, () => {
          assertPath(path);
          const place = { ...source, path, method, shared };
          const operation = document.resolved(item[method], `${method} ${path}`);
          const found = named(readOperation(place, operation), operation.operationId, place, byName);
          byName.set(found.spec.name, found);
        });
      }
    });
  }
  return [...byName.values()];
}

/** A path that a request can have as it is written. */
function assertPath(path: string): void {
  // What does not begin with a slash would go on with the host: `.elsewhere.example/x`, `@elsewhere/x`, `:8080/x`.
  if (!path.startsWith("/")) throw unreadable(`has the path ${JSON.stringify(path)}, which begins with no slash`);
  if (path.includes("#")) throw unreadable(`has the path ${JSON.stringify(path)}: what follows # is never sent`);
}

/** The operation under a name that no other has: its own, else, where the document gives none, one that says more of it. */
function named(found: Read, operationId: JsonValue | undefined, place: Place, byName: ReadonlyMap<string, Read>): Read {
  const { namespace, method, path } = place;
  const { name } = found.spec;
  const other = byName.get(name)?.endpoint;
  if (!other) return found;
  if (typeof operationId !== "string" || !/[A-Za-z0-9]/.test(operationId)) {
    const whole = alphabetic(`${method}${path.replaceAll(/[{}]/g, "")}`);
    for (let n = 1;; n++) {
      const id = [idOf(undefined, method, path), whole][n - 1] ?? `${whole}_${n - 1}`;
      const free = `${namespace}/${id}`;
      if (!byName.has(free)) return { ...found, spec: { ...found.spec, name: free } };
    }
  }
  throw unreadable(
    `gives the name ${name} to ${other.method} ${other.path} and to ${found.endpoint.method} ${path}; give one another ` +
      "operationId",
  );
}

function readOperation(place: Place, operation: JsonObject): Read {
  const { document, schemas, namespace, path, method, shared } = place;
  const where = `${method} ${path}`;
  const responses = Object.entries(asRecord(operation.responses)).filter(([status]) => !EXTENSION.test(status)).map((
    [status, response],
  ) => [status, document.resolved(response, `response ${status} of ${where}`)] as const);
  const { schema, parameters, body } = readInput({ document, where, shared, operation });
  const answer = (response: JsonObject): JsonValue => {
    const schema = jsonContent(response.content)?.schema;
    return schema === undefined ? {} : schemas.answer.standalone(schema);
  };
  const { summary, description } = operation;
  const text = typeof summary === "string" ? summary : description;
  const [success] = responses.filter(([status]) => /^2\d\d$/.test(status)).toSorted(([a], [b]) =>
    Number(a) - Number(b)
  );
  const spec: OperationSpec = {
    name: `${namespace}/${idOf(operation.operationId, method, path)}`,
    namespace,
    op_type: typeOf(method, responses),
    visibility: "internal",
    ...(typeof text === "string" && { description: text }),
    input_schema: schemas.request.standalone(schema),
    output_schema: success ? answer(success[1]) : {},
    error_schemas: responses.filter(([status]) => /^[1345]\d\d$/.test(status)).map(([status, response]) => ({
      code: `HTTP_${status}`,
      description: typeof response.description === "string" ? response.description : "",
      schema: answer(response),
      http_status: Number(status),
    })),
    access_control: { required_scopes: [] },
  };
  return { spec, endpoint: { method: method.toUpperCase(), path, parameters, ...(body && { body }) } };
}

function idOf(operationId: JsonValue | undefined, method: string, path: string): string {
  if (typeof operationId === "string" && operationId !== "") return alphabetic(operationId);
  const segments = path.split("/").filter((part) => part !== "" && !part.includes("{"));
  return alphabetic(`${method}_${segments.join("_") || "root"}`);
}

function alphabetic(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9_.-]/g, "_");
}

function typeOf(method: string, responses: readonly (readonly [string, JsonObject])[]): OperationSpec["op_type"] {
  const streams = responses.some(([status, { content }]) =>
    (status === "200" || status === "201") &&
    Object.keys(asRecord(content)).some((type) => /^text\/event-stream\b/i.test(type))
  );
  return streams ? "subscription" : method === "get" || method === "head" ? "query" : "mutation";
}

function asList(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}
