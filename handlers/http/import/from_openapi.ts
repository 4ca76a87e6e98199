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
import { asRecord, isRecord, OpenApiDocument, unreadable } from "./openapi_reading.ts";

const METHODS = ["get", "post", "put", "patch", "delete", "head", "options"];
/** OpenAPI says that these are described elsewhere. */
const OWN_HEADERS = new Set([
  ...["accept", "content-type", "authorization", "cookie", "host"],
  // Those of one hop and of framing (RFC 9110 §7.6.1, RFC 9112 §6): an input that sets them speaks past the request.
  ...["connection", "content-length", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization"],
  ...["proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"],
]);

/** An operation as read. */
interface Read {
  readonly spec: OperationSpec;
  readonly endpoint: HttpEndpoint;
}

/** What stands around an operation in its document. */
interface Place {
  readonly document: OpenApiDocument;
  readonly namespace: string;
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
 * @throws {ImportError} `SCHEMA_PARSE`: it is no such document, or two operations would have one name.
 */
export function fromOpenApi(source: string | JsonValue, config: HttpServiceConfig): HandlerRegistration[] {
  const { namespace } = config;
  if (!/^[A-Za-z0-9_.-]+$/.test(namespace)) {
    throw new ImportError("SCHEMA_PARSE", `namespace ${JSON.stringify(namespace)} is no segment of a name`);
  }
  try {
    return read(new OpenApiDocument(source), namespace).map(({ spec, endpoint }) =>
      httpOperation(spec, endpoint, config, "from_openapi")
    );
  } catch (cause) {
    if (cause instanceof ImportError) throw cause;
    throw unreadable("cannot be read", { cause });
  }
}

function read(document: OpenApiDocument, namespace: string): Read[] {
  const byName = new Map<string, Read>();
  for (const [path, value] of Object.entries(asRecord(document.root.paths))) {
    // What does not begin with a slash would go on with the host: `.elsewhere.example/x`, `@elsewhere/x`, `:8080/x`.
    if (!path.startsWith("/")) throw unreadable(`has the path ${JSON.stringify(path)}, which begins with no slash`);
    const item = document.resolved(value, `paths ${path}`);
    const shared = asList(item.parameters);
    for (const method of METHODS) {
      if (item[method] === undefined) continue;
      const place = { document, namespace, path, method, shared };
      const found = readOperation(place, document.resolved(item[method], `${method} ${path}`));
      const { name } = found.spec;
      const other = byName.get(name)?.endpoint;
      if (other) {
        throw unreadable(
          `gives the name ${name} to ${other.method} ${other.path} and to ${found.endpoint.method} ${path}`,
        );
      }
      byName.set(name, found);
    }
  }
  return [...byName.values()];
}

function readOperation(place: Place, operation: JsonObject): Read {
  const { document, namespace, path, method } = place;
  const where = `${method} ${path}`;
  const responses = Object.entries(asRecord(operation.responses)).map(([status, response]) =>
    [status, document.resolved(response, `response ${status} of ${where}`)] as const
  );
  const { schema, query, headers } = readInput(place, operation);
  const { summary, description } = operation;
  const text = typeof summary === "string" ? summary : description;
  const spec: OperationSpec = {
    name: `${namespace}/${idOf(operation.operationId, method, path)}`,
    namespace,
    op_type: typeOf(method, responses),
    visibility: "internal",
    ...(typeof text === "string" && { description: text }),
    input_schema: schema,
    output_schema: outputSchema(document, responses),
    error_schemas: responses.filter(([status]) => /^[1345]\d\d$/.test(status)).map(([status, response]) => ({
      code: `HTTP_${status}`,
      description: typeof response.description === "string" ? response.description : "",
      schema: jsonSchema(document, response) ?? {},
      http_status: Number(status),
    })),
    access_control: { required_scopes: [] },
  };
  return { spec, endpoint: { method: method.toUpperCase(), path, query, headers } };
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

function readInput({ document, path, method, shared }: Place, operation: JsonObject) {
  const where = `${method} ${path}`;
  const properties: Record<string, JsonValue> = {};
  const required: string[] = [];
  const query = new Set<string>();
  const headers = new Set<string>();
  // A parameter of the operation stands over one of the path item with the same name and place.
  const parameters = new Map<string, JsonObject>();
  for (const value of [...shared, ...asList(operation.parameters)]) {
    const parameter = document.resolved(value, `a parameter of ${where}`);
    parameters.set(`${parameter.in} ${parameter.name}`, parameter);
  }
  for (const parameter of parameters.values()) {
    const { name, in: place } = parameter;
    if (typeof name !== "string") throw unreadable(`has a parameter without name at ${where}`);
    if (place !== "path" && place !== "query" && place !== "header") continue;
    if (place === "header" && OWN_HEADERS.has(name.toLowerCase())) continue;
    if (Object.hasOwn(properties, name)) throw unreadable(`has two parameters ${name} at ${where}`);
    properties[name] = parameter.schema ?? jsonContent(parameter.content)?.schema ?? {};
    if (place === "path" || parameter.required === true) required.push(name);
    if (place === "query") query.add(name);
    if (place === "header") headers.add(name);
  }
  const body = operation.requestBody === undefined
    ? undefined
    : document.resolved(operation.requestBody, `the body of ${where}`);
  const content = jsonContent(body?.content);
  if (body && Object.hasOwn(properties, "body")) {
    throw unreadable(`has a parameter named body beside a request body at ${where}`);
  }
  if (content) properties.body = content.schema ?? {};
  if (content && body?.required === true) required.push("body");
  const schema = document.schema({ type: "object", properties, ...(required.length > 0 && { required }) });
  return { schema, query, headers };
}

function outputSchema(document: OpenApiDocument, responses: readonly (readonly [string, JsonObject])[]): JsonValue {
  const success = responses.filter(([status]) => /^2\d\d$/.test(status)).toSorted(([a], [b]) => Number(a) - Number(b));
  return success.length === 0 ? {} : jsonSchema(document, success[0][1]) ?? {};
}

function jsonSchema(document: OpenApiDocument, { content }: JsonObject): JsonValue | undefined {
  const schema = jsonContent(content)?.schema;
  return schema === undefined ? undefined : document.schema(schema);
}

/** The JSON form of a body, if it has one. */
function jsonContent(content: JsonValue | undefined): JsonObject | undefined {
  const types = Object.entries(asRecord(content));
  const found = types.find(([type]) => /^application\/json\b/i.test(type)) ??
    types.find(([type]) => /\+json\b/i.test(type));
  return found && isRecord(found[1]) ? found[1] : undefined;
}

function asList(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}
