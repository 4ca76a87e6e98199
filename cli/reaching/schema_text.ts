/**
 * JSON Schemas in a few words, for people.
 *
 * @module
 */
import type { JsonObject, JsonValue } from "@alknet/core/operations";
import { visible } from "../terminal/visible.ts";

/** How deep a schema is told. */
const MAX_DEPTH = 6;

/** What a schema accepts, on one line: `{ scopes: string[], expiresIn?: integer }`. */
export function schemaText(schema: JsonValue): string {
  return visible(describe(schema, 0));
}

function describe(schema: JsonValue | undefined, depth: number): string {
  if (schema === false) return "nothing";
  if (!isObject(schema) || depth > MAX_DEPTH) return "anything";
  if ("const" in schema) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) return [...new Set(choices.map((one) => describe(one, depth)))].join(" | ");
  const types = [schema.type ?? []].flat();
  return types.map((type) => describeType(String(type), schema, depth)).join(" | ") || "anything";
}

function describeType(type: string, schema: JsonObject, depth: number): string {
  if (type === "array") {
    const inner = Array.isArray(schema.items) ? "anything" : describe(schema.items, depth + 1);
    return inner.includes(" | ") ? `(${inner})[]` : `${inner}[]`;
  }
  if (type !== "object") return type;
  const required = Array.isArray(schema.required) ? schema.required : [];
  const members = Object.entries(isObject(schema.properties) ? schema.properties : {}).map(([name, each]) => {
    const shown = /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
    return `${shown}${required.includes(name) ? "" : "?"}: ${describe(each, depth + 1)}`;
  });
  if (members.length > 0) return `{ ${members.join(", ")} }`;
  return schema.additionalProperties === false ? "{}" : "object";
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
