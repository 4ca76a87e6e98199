/**
 * What an OpenAPI operation takes: its parameters and its body, as one input and as places in a request (OpenAPI 3.1,
 * Parameter Object, Request Body Object).
 *
 * @module
 */
import type { JsonObject, JsonValue } from "@alknet/core/operations";
import { asRecord, isRecord, type OpenApiDocument, unreadable } from "./openapi_document.ts";
import type { BodyForm, ParameterStyle, Place, RequestParameter } from "./request_parts.ts";

/** OpenAPI says that these are described elsewhere. */
const OWN_HEADERS = new Set([
  ...["accept", "content-type", "authorization", "cookie", "host"],
  // Those of one hop and of framing (RFC 9110 §7.6.1, RFC 9112 §6): an input that sets them speaks past the request.
  ...["connection", "content-length", "expect", "keep-alive", "proxy-authenticate", "proxy-authorization"],
  ...["proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"],
]);
/** What is written here, by place; the first is the default. */
const STYLES: Readonly<Record<Place, readonly ParameterStyle[]>> = {
  path: ["simple"],
  query: ["form", "spaceDelimited", "pipeDelimited", "deepObject"],
  header: ["simple"],
};

/** Media types that a message repeats. */
const MAX_NAMED = 3;

/** The input of an operation. */
export interface OperationInput {
  /** Its schema, whose references are those of the document. */
  readonly schema: JsonObject;
  /** Where its members go. */
  readonly parameters: readonly RequestParameter[];
  /** How its member `body` is written, if it has one. */
  readonly body?: BodyForm;
}

/** An operation as its document has it. */
export interface DocumentedOperation {
  /** The document. */
  readonly document: OpenApiDocument;
  /** Method and path, for messages. */
  readonly where: string;
  /** Parameters of the path item. */
  readonly shared: readonly JsonValue[];
  /** The operation. */
  readonly operation: JsonObject;
}

/**
 * Reads what an operation takes.
 *
 * @throws {ImportError} `SCHEMA_PARSE`: it takes something that is not written here, or says it in a way that nobody can read.
 */
export function readInput(documented: DocumentedOperation): OperationInput {
  const { document, where, operation } = documented;
  const body = operation.requestBody === undefined
    ? undefined
    : document.resolved(operation.requestBody, `the body of ${where}`);
  const content = body && bodyContent(asRecord(body.content), where);
  const properties: Record<string, JsonValue> = {};
  const required: string[] = [];
  const parameters: RequestParameter[] = [];
  if (content) {
    properties.body = content.schema;
    if (body.required === true) required.push("body");
  }
  for (const { parameter, name, place } of parametersOf(documented)) {
    // Two of one name in different places are two members, and neither is the body.
    let member = name;
    for (let n = 1; Object.hasOwn(properties, member); n++) {
      member = n === 1 ? `${name}_${place}` : `${name}_${place}${n}`;
    }
    const json = jsonContent(parameter.content);
    properties[member] = parameter.schema ?? json?.schema ?? {};
    if (place === "path" || parameter.required === true) required.push(member);
    parameters.push({ member, name, place, ...writing(parameter, place, where) });
  }
  const schema: JsonObject = { type: "object", properties, ...(required.length > 0 && { required }) };
  return { schema, parameters, ...(content && { body: content.form }) };
}

/** The JSON form of a body, if it has one. */
export function jsonContent(content: JsonValue | undefined): JsonObject | undefined {
  const types = Object.entries(asRecord(content));
  const found = types.find(([type]) => /^application\/json\b/i.test(type)) ??
    types.find(([type]) => /\+json\b/i.test(type));
  return found && isRecord(found[1]) ? found[1] : undefined;
}

/** Parameters of the operation, which stand over those of the path item with the same name and place. */
function parametersOf({ document, where, shared, operation }: DocumentedOperation) {
  const found = new Map<string, { parameter: JsonObject; name: string; place: Place }>();
  for (const value of [...shared, ...asList(operation.parameters)]) {
    const parameter = document.resolved(value, `a parameter of ${where}`);
    const { name, in: place } = parameter;
    if (typeof name !== "string") throw unreadable(`has a parameter without name at ${where}`);
    if (place === "header" && OWN_HEADERS.has(name.toLowerCase())) continue;
    if (place === "path" || place === "query" || place === "header") {
      found.set(`${place} ${name}`, { parameter, name, place });
    } else if (parameter.required === true) {
      throw unreadable(`asks for the ${place} parameter ${name} at ${where}, which is not written here`);
    }
  }
  return found.values();
}

function writing(parameter: JsonObject, place: Place, where: string): Pick<RequestParameter, "style" | "explode"> {
  if (parameter.content !== undefined) {
    if (jsonContent(parameter.content)) return { style: "json", explode: false };
    throw unreadable(`has the parameter ${parameter.name} of a type other than JSON at ${where}`);
  }
  const style = (parameter.style ?? STYLES[place][0]) as ParameterStyle;
  if (!STYLES[place].includes(style)) {
    throw unreadable(`has the parameter ${parameter.name} in the style ${JSON.stringify(style)} at ${where}`);
  }
  const { explode = style === "form" } = parameter;
  return { style, explode: explode === true };
}

/** The form of a body that is written here: JSON before forms before text. */
function bodyContent(content: JsonObject, where: string): { form: BodyForm; schema: JsonValue } {
  const types = Object.keys(content).filter((type) => isRecord(content[type]));
  const kinds: [BodyForm["kind"], RegExp][] = [
    ["json", /^application\/json\s*(?:;|$)/i],
    ["json", /^[a-z0-9.+-]+\/(?:[a-z0-9.-]+\+)?json\s*(?:;|$)/i],
    ["form", /^application\/x-www-form-urlencoded\s*(?:;|$)/i],
    ["text", /^text\/plain\s*(?:;|$)/i],
    // Any type will do: JSON is one.
    ["json", /^\*\/\*$/],
  ];
  for (const [kind, pattern] of kinds) {
    const type = types.find((one) => pattern.test(one));
    if (type === undefined) continue;
    const { schema = {} } = content[type] as JsonObject;
    return { form: { kind, type: type === "*/*" ? "application/json" : type }, schema };
  }
  const rest = types.length > MAX_NAMED ? [`${types.length - MAX_NAMED} more`] : [];
  const list = types.length === 0 ? "no media type" : [...types.slice(0, MAX_NAMED), ...rest].join(" or ");
  throw unreadable(`describes a body of ${list} at ${where}, which is not written here`);
}

function asList(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}
