/**
 * The OpenAPI 3.1 document of the gateway: five paths, the same for every caller, whatever operations there are
 * (http.md §8.2). It describes the contract, and its version is the contract's.
 *
 * @module
 */
import type { JsonObject } from "@alknet/core/operations";

/** Version of the contract: a removed or retyped member raises the first number, an addition the second. */
export const GATEWAY_VERSION = "1.0.0";

const text = { type: "string" };
const anything = {};
const ref = (name: string): JsonObject => ({ $ref: `#/components/schemas/${name}` });
const json = (schema: JsonObject): JsonObject => ({ "application/json": { schema } });

const REQUEST_ID = {
  "X-Request-Id": { description: "id of the request, as in logs", schema: { type: "string", format: "uuid" } },
};
const RETRY_AFTER = {
  "Retry-After": { description: "seconds to wait, or a date", schema: text },
};

/** What each status of an error means, wherever it occurs. */
const ERRORS: Readonly<Record<string, string>> = {
  400: "The body is not JSON, or the operation is of another type.",
  401: "The operation needs rights, and nobody was authenticated.",
  403: "The caller lacks the rights.",
  404: "There is no such operation, or none that the caller may know of.",
  406: "The client does not accept an event stream.",
  413: "The body is too long.",
  415: "The body is not application/json.",
  422: "The body, a parameter or the operation's input has the wrong shape.",
  429: "Too many failed authentications, or an operation's own limit.",
  500: "The operation failed.",
  504: "The operation ran out of time.",
};

/** Refused before anything is looked at, with an empty body. */
const UNLOOKED: JsonObject = {
  431: { description: "The header block is too long." },
  503: {
    description: "Too many requests at a time, or an operation that is not available now.",
    headers: RETRY_AFTER,
    content: json(ref("CallError")),
  },
};

const OPTIONAL_BEARER = [{}, { bearer: [] }];

const SCHEMAS: JsonObject = {
  CallRequest: {
    type: "object",
    required: ["operation"],
    properties: {
      operation: { ...text, minLength: 1, description: "name, with or without a leading slash" },
      input: { description: "as the operation's input_schema says; absent is null" },
      timeout_ms: {
        type: "integer",
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: "time limit, if shorter than the server's",
      },
    },
  },
  CallOk: ok(anything),
  CallError: {
    type: "object",
    required: ["code", "message", "retryable"],
    properties: {
      code: text,
      message: text,
      retryable: { type: "boolean" },
      details: { description: "as the operation's error_schemas say" },
    },
  },
  SearchResult: ok({
    type: "object",
    required: ["operations"],
    properties: {
      operations: {
        type: "array",
        items: {
          type: "object",
          required: ["name", "namespace", "op_type", "description"],
          properties: { name: text, namespace: text, op_type: ref("OperationType"), description: text },
        },
      },
    },
  }),
  SchemaResult: ok({
    type: "object",
    required: [
      "name",
      "namespace",
      "op_type",
      "visibility",
      "input_schema",
      "output_schema",
      "error_schemas",
      "access_control",
    ],
    properties: {
      name: text,
      namespace: text,
      op_type: ref("OperationType"),
      visibility: { const: "external" },
      input_schema: { description: "JSON Schema" },
      output_schema: { description: "JSON Schema" },
      error_schemas: { type: "array", items: { type: "object" } },
      access_control: { type: "object" },
    },
  }),
  OperationType: { enum: ["query", "mutation", "subscription"] },
  BatchResult: {
    type: "object",
    required: ["results"],
    properties: {
      results: {
        type: "array",
        items: {
          oneOf: [
            ref("CallOk"),
            {
              type: "object",
              required: ["request_id", "result", "error"],
              properties: {
                request_id: { type: ["string", "null"], description: "null where the entry was no call" },
                result: { const: "error" },
                error: ref("CallError"),
              },
            },
          ],
        },
      },
    },
  },
};

/** The document as JSON text. Built once: it depends on nothing. */
export const GATEWAY_DOCUMENT: string = JSON.stringify({
  openapi: "3.1.0",
  info: {
    title: "alknet gateway",
    version: GATEWAY_VERSION,
    description: "Finds, describes and calls operations. Which ones there are depends on who asks: see /search.",
  },
  security: OPTIONAL_BEARER,
  paths: {
    "/search": {
      get: {
        operationId: "gatewaySearch",
        summary: "Operations that the caller may call",
        parameters: [{
          name: "query",
          in: "query",
          description: "only those whose name or description contains it, ignoring case",
          schema: text,
        }],
        responses: responses("SearchResult", [429]),
      },
    },
    "/schema": {
      get: {
        operationId: "gatewaySchema",
        summary: "One operation's types, schemas and errors",
        parameters: [{ name: "name", in: "query", required: true, schema: { ...text, minLength: 1 } }],
        responses: responses("SchemaResult", [401, 403, 404, 422, 429, 500, 504]),
      },
    },
    "/call": {
      post: {
        operationId: "gatewayCall",
        summary: "Calls a query or a mutation",
        requestBody: { required: true, content: json(ref("CallRequest")) },
        responses: {
          ...responses("CallOk", [400, 401, 403, 404, 413, 415, 422, 429, 500, 504]),
          default: errorResponse("An error that the operation declares; /schema has its codes."),
        },
      },
    },
    "/batch": {
      post: {
        operationId: "gatewayBatch",
        summary: "Several calls, independent of each other",
        requestBody: {
          required: true,
          content: json({ type: "array", items: ref("CallRequest"), maxItems: 100 }),
        },
        responses: responses("BatchResult", [400, 413, 415, 422, 429]),
      },
    },
    "/subscribe": {
      post: {
        operationId: "gatewaySubscribe",
        summary:
          "A subscription as server-sent events: one `data` line of JSON each value, an `error` event on failure",
        requestBody: { required: true, content: json(ref("CallRequest")) },
        responses: {
          ...responses("CallOk", [400, 401, 403, 404, 406, 413, 415, 422, 429, 500]),
          200: {
            description: "The values. The end of the stream is the end of the subscription.",
            headers: REQUEST_ID,
            content: { "text/event-stream": { schema: text } },
          },
          default: errorResponse("An error that the operation declares; /schema has its codes."),
        },
      },
    },
  },
  components: {
    schemas: SCHEMAS,
    securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
  },
});

function ok(output: JsonObject): JsonObject {
  return {
    type: "object",
    required: ["request_id", "result", "output"],
    properties: { request_id: { ...text, format: "uuid" }, result: { const: "ok" }, output },
  };
}

function responses(success: string, errors: readonly number[]): JsonObject {
  const result: Record<string, JsonObject> = {
    200: { description: "Done.", content: json(ref(success)) },
    ...UNLOOKED as Record<string, JsonObject>,
  };
  for (const status of errors) result[status] = errorResponse(ERRORS[status], status);
  return result;
}

function errorResponse(description: string, status?: number): JsonObject {
  return { description, ...(status === 429 && { headers: RETRY_AFTER }), content: json(ref("CallError")) };
}
