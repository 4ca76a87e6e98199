/**
 * Operations that are requests to a foreign HTTP service: input to request, answer to output (http.md §11.2).
 *
 * @module
 */
import {
  CallError,
  type HandlerRegistration,
  ImportError,
  type JsonObject,
  type JsonValue,
  type OperationContext,
  type OperationSpec,
  type Provenance,
  provide,
} from "@alknet/core/operations";
import { joined } from "../request/joined.ts";
import { eventData } from "./event_source.ts";
import { isRecord } from "./openapi_document.ts";
import {
  type OutboundClient,
  type OutboundRequest,
  type OutboundResponse,
  sharedOutboundClient,
} from "./outbound_client.ts";
import {
  type BodyForm,
  bodyText,
  headerValue,
  pathSegment,
  queryPairs,
  type RequestParameter,
} from "./request_parts.ts";

/** A foreign service. */
export interface HttpServiceConfig {
  /** First segment of the operations' names, and the name under which capabilities hold the credential. */
  readonly namespace: string;
  /** Absolute `http` or `https` URL; stands over `servers` of a document. */
  readonly baseUrl: string;
  /** How the credential is sent. `basic` wants it as `base64(user:password)`. Default: none. */
  readonly auth?:
    | { readonly type: "bearer" }
    | { readonly type: "apiKey"; readonly header: string }
    | { readonly type: "basic" };
  /** Sent with every request. */
  readonly defaultHeaders?: Readonly<Record<string, string>>;
  /** Default: one that all services share. */
  readonly client?: OutboundClient;
}

/** How an operation becomes a request. */
export interface HttpEndpoint {
  /** In capitals. */
  readonly method: string;
  /** `/pets/{id}`: appended to the base URL. */
  readonly path: string;
  /** Where the members of the input go; `"rest"`: to the query, but for those that the path names. */
  readonly parameters: readonly RequestParameter[] | "rest";
  /** How the member `body` is written. Default: as `application/json`. */
  readonly body?: BodyForm;
}

const JSON_BODY: BodyForm = { kind: "json", type: "application/json" };
/** Answers and error details are no larger, in bytes. */
const MAX_ANSWER = 64 * 1024 * 1024;
const MAX_DETAILS = 64 * 1024;
const RETRYABLE = new Set([429, 502, 503, 504]);

/**
 * The registration of an operation that is a request.
 *
 * @throws {ImportError} `SCHEMA_PARSE`: the base URL is none.
 */
export function httpOperation(
  spec: OperationSpec,
  endpoint: HttpEndpoint,
  config: HttpServiceConfig,
  provenance: Provenance,
): HandlerRegistration {
  const base = checkedBase(config);
  const codes = new Map(spec.error_schemas.map(({ http_status, code }) => [http_status, code]));
  const ask = async (input: JsonValue, context: OperationContext, accept: string): Promise<OutboundResponse> => {
    const request = requestOf(asObject(input), endpoint, base, config, context, accept);
    const client = config.client ?? sharedOutboundClient();
    try {
      return await client.send(request, { signal: context.signal, timeLeft: () => context.timeLeft });
    } catch (cause) {
      context.signal.throwIfAborted();
      throw new CallError("INTERNAL", `${endpoint.method} ${base}${endpoint.path} failed`, { cause });
    }
  };
  const once = async (input: JsonValue, context: OperationContext): Promise<JsonValue> => {
    const response = await ask(input, context, "application/json, */*;q=0.8");
    if (!isSuccess(response.status)) throw await failure(response, codes);
    return await outputOf(response);
  };
  const stream = async function* (input: JsonValue, context: OperationContext): AsyncGenerator<JsonValue, void, void> {
    const response = await ask(input, context, "text/event-stream");
    if (!isSuccess(response.status)) throw await failure(response, codes);
    for await (const data of eventData(response.body)) yield eventValue(data);
  };
  const handler = spec.op_type === "subscription" ? stream : once;
  return provide({ spec }, handler as never, { provenance });
}

function checkedBase({ baseUrl, namespace }: HttpServiceConfig): string {
  const url = URL.parse(baseUrl);
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:") || url.search || url.hash || url.username) {
    throw new ImportError(
      "SCHEMA_PARSE",
      `base URL of ${namespace} must be an absolute http(s) URL without query, fragment or user`,
    );
  }
  return url.href.replace(/\/$/, "");
}

function requestOf(
  input: JsonObject,
  endpoint: HttpEndpoint,
  base: string,
  config: HttpServiceConfig,
  context: OperationContext,
  accept: string,
): OutboundRequest {
  const { method, path, body: form = JSON_BODY } = endpoint;
  const { target, query, headers } = placed(input, endpoint);
  const credential = credentialOf(config, context);
  const body = input.body === undefined ? undefined : bodyText(form, input.body);
  // Some documents tell operations apart by a query that their path has already.
  const url = base + target + (query === "" ? "" : `${target.includes("?") ? "&" : "?"}${query}`);
  // The last look before a credential leaves: whatever a path is made of, it stays with the service.
  if (URL.parse(url)?.origin !== new URL(base).origin) {
    throw new CallError("INTERNAL", `${method} ${path} does not lead to ${new URL(base).origin}`);
  }
  return {
    method,
    url,
    headers: {
      ...lowerCase(config.defaultHeaders ?? {}),
      ...headers,
      accept,
      ...(body !== undefined && { "content-type": form.type }),
      ...(credential && { [credential.header]: credential.value }),
    },
    body,
  };
}

/** The members of an input in their places. */
function placed(input: JsonObject, { path, parameters }: HttpEndpoint) {
  const member = (name: string): JsonValue | undefined => Object.hasOwn(input, name) ? input[name] : undefined;
  const inPath = new Map<string, RequestParameter>();
  const pairs: string[] = [];
  const headers: Record<string, string> = {};
  for (const parameter of parameters === "rest" ? restOf(input, path) : parameters) {
    const { name, place, style } = parameter;
    const value = member(parameter.member);
    if (place === "path") inPath.set(name, parameter);
    else if (value === undefined || value === null) continue;
    else if (place === "header") headers[name.toLowerCase()] = headerValue(parameter.member, value, style);
    else pairs.push(...queryPairs(parameter, value));
  }
  const target = path.replaceAll(/\{([^{}]+)\}/g, (_, name: string) => {
    const { member: from, style } = inPath.get(name) ?? { member: name, style: "simple" };
    return pathSegment(from, member(from), style);
  });
  return { target, query: pairs.join("&"), headers };
}

function restOf(input: JsonObject, path: string): RequestParameter[] {
  const taken = new Set(["body", ...path.matchAll(/\{([^{}]+)\}/g).map(([, name]) => name)]);
  const rest = Object.keys(input).filter((name) => !taken.has(name));
  return rest.map((name) => ({ member: name, name, place: "query", style: "form", explode: true }));
}

/** Read at each call, from capabilities alone. */
function credentialOf({ auth, namespace }: HttpServiceConfig, { capabilities }: OperationContext) {
  if (!auth) return;
  const credential = capabilities.get(namespace);
  if (typeof credential !== "string" || credential === "") {
    throw new CallError("INTERNAL", `no credential for service ${namespace}`);
  }
  if (auth.type === "apiKey") return { header: auth.header.toLowerCase(), value: credential };
  return { header: "authorization", value: `${auth.type === "bearer" ? "Bearer" : "Basic"} ${credential}` };
}

async function outputOf({ status, headers, body }: OutboundResponse): Promise<JsonValue> {
  const bytes = await readAll(body, MAX_ANSWER);
  if (!bytes) throw new CallError("INTERNAL", "the service's answer is longer than 64 MiB");
  if (bytes.byteLength === 0 || status === 204) return null;
  const type = headers["content-type"] ?? "";
  try {
    if (isJson(type)) return JSON.parse(decode(bytes));
    if (/^text\//i.test(type)) return decode(bytes);
  } catch (cause) {
    throw new CallError("INTERNAL", "the service's answer could not be decoded", { cause });
  }
  return bytes.toBase64();
}

async function failure(response: OutboundResponse, codes: ReadonlyMap<number | null, string>): Promise<CallError> {
  const { status, reason, headers } = response;
  let details: JsonValue | undefined;
  try {
    const bytes = isJson(headers["content-type"] ?? "") ? await readAll(response.body, MAX_DETAILS) : undefined;
    if (bytes) details = JSON.parse(decode(bytes));
    else for await (const _ of response.body) break;
  } catch {
    // Announced as JSON and none.
  }
  const retryable = RETRYABLE.has(status);
  const wait = headers["retry-after"];
  if (retryable && wait !== undefined && (details === undefined || isRecord(details))) {
    details = { ...details, retry_after: /^\d{1,9}$/.test(wait) ? Number(wait) : wait };
  }
  return new CallError(codes.get(status) ?? `HTTP_${status}`, `HTTP ${status}: ${reason}`, { retryable, details });
}

function eventValue(data: string): JsonValue {
  if (data === "") return null;
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}

/** Nothing if there is more than `limit`; the connection is then closed. */
async function readAll(body: AsyncIterable<Uint8Array>, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    if ((size += chunk.byteLength) > limit) return;
    chunks.push(chunk);
  }
  return joined(chunks, size);
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}

function isJson(type: string): boolean {
  return /^[a-z0-9.+-]+\/(?:[a-z0-9.+-]+\+)?json[ \t]*(?:;|$)/i.test(type);
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function asObject(input: JsonValue): JsonObject {
  return isRecord(input) ? input : {};
}
