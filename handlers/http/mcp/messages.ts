/**
 * What clients of MCP send, before the library sees it: made what it plainly means, or refused as the client's mistake.
 *
 * The library takes a parameter that does not fit for a failure of the server (-32603), and shows its validator's report.
 *
 * @module
 */
import type { JsonObject, JsonValue } from "@alknet/core/operations";
import {
  CallToolRequestSchema,
  InitializeRequestSchema,
  ListToolsRequestSchema,
  PingRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";

/** The requests that a session answers. */
const REQUESTS = {
  initialize: InitializeRequestSchema,
  ping: PingRequestSchema,
  "tools/list": ListToolsRequestSchema,
  "tools/call": CallToolRequestSchema,
} as const;

/** Parameters that may be absent, and that clients whose language has no absence send as null. */
const OPTIONAL = ["_meta", "cursor", "arguments"];

/** Whether a message asks for a session, well or badly. */
export function isInitialize(body: JsonValue | undefined): body is JsonObject {
  return isObject(body) && body.method === "initialize";
}

/** A message, or a batch of them, in which null for an optional parameter is its absence. */
export function tidied(body: JsonValue): JsonValue {
  if (Array.isArray(body)) return body.map(tidied);
  if (!isObject(body) || !("params" in body)) return body;
  const { params, ...rest } = body;
  if (params === null) return rest;
  if (!isObject(params)) return body;
  const entries = Object.entries(params).filter(([name, value]) => value !== null || !OPTIONAL.includes(name));
  return { ...rest, params: Object.fromEntries(entries) };
}

/** What is wrong with the parameters of a request that a session answers; nothing if all is well. */
export function faultIn(message: unknown): string | undefined {
  const { method } = message as { method?: string };
  if (method === undefined || !Object.hasOwn(REQUESTS, method)) return;
  const { error } = REQUESTS[method as keyof typeof REQUESTS].safeParse(message);
  if (!error) return;
  const [{ path, message: why }] = error.issues;
  return `${method}: ${path.length > 0 ? `${path.join(".")}: ` : ""}${why}`;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
