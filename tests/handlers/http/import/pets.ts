/**
 * A document of a service, and what tests ask of its import.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { HandlerRegistration } from "@alknet/core/operations";
import { fromOpenApi, type HttpServiceConfig, OutboundClient } from "@alknet/handlers/http";
import type { TestClock } from "../operations.ts";
import type { Service } from "./service.ts";

/** A response of `200` with a schema. */
export const ok = (schema: object) => ({ description: "", content: { "application/json": { schema } } });

/** The document. */
export const PETS = {
  openapi: "3.1.0",
  info: { title: "pets", version: "1" },
  paths: {
    "/pets/{id}": {
      parameters: [{ name: "id", in: "path", required: true, schema: { type: "string" } }],
      get: {
        operationId: "showPet",
        parameters: [
          { name: "lang", in: "query", schema: { type: "string" } },
          { name: "tag", in: "query", schema: { type: "array", items: { type: "string" } } },
          { name: "X-Trace", in: "header", schema: { type: "string" } },
        ],
        responses: {
          200: ok({ $ref: "#/components/schemas/Pet" }),
          404: ok({}),
          500: { description: "broken" },
          default: { description: "" },
          "4XX": { description: "" },
        },
      },
      put: {
        requestBody: { required: true, content: { "application/json": { schema: { type: "object" } } } },
        responses: { 204: { description: "" } },
      },
    },
    "/": { get: { responses: { 200: ok({ type: "string" }) } } },
    "/events": {
      get: { operationId: "events", responses: { 200: { description: "", content: { "text/event-stream": {} } } } },
    },
    "/pets": {
      post: { requestBody: { $ref: "#/components/requestBodies/Pet" }, responses: { 201: ok({ type: "null" }) } },
    },
  },
  components: {
    requestBodies: { Pet: { content: { "application/json": { schema: { $ref: "#/components/schemas/Pet" } } } } },
    schemas: {
      Pet: {
        type: "object",
        required: ["name"],
        properties: {
          name: { type: "string" },
          children: { type: "array", items: { $ref: "#/components/schemas/Pet" } },
        },
      },
    },
  },
};

/** The operation of a name. */
export function find(bundles: readonly HandlerRegistration[], name: string): HandlerRegistration {
  const found = bundles.find(({ spec }) => spec.name === name);
  assert.ok(found, name);
  return found;
}

/** An import. */
export interface Imported extends Disposable {
  /** The service. */
  readonly config: HttpServiceConfig;
  /** Its operations. */
  readonly bundles: readonly HandlerRegistration[];
}

/** Imports with a client of its own, which is closed at the end. */
export function imported(service: Service, change: Partial<HttpServiceConfig> = {}, clock?: TestClock): Imported {
  const client = new OutboundClient({ clock });
  const config = { namespace: "shop", baseUrl: `${service.origin}/v2`, client, ...change };
  return {
    config,
    bundles: fromOpenApi(JSON.stringify(PETS), config),
    [Symbol.dispose]: () => client[Symbol.dispose](),
  };
}
