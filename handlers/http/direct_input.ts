/**
 * Query parameters as the input of an operation (http.md §12).
 *
 * Parameters are text; the operation's schema says what a text stands for. What does not parse stays a text, so that the
 * schema refuses it with its own words.
 *
 * @module
 */
import type { JsonObject, JsonValue, OperationSpec } from "@alknet/handlers/call";
import { type Body, parseJson } from "./request_body.ts";

/** Texts of a type, in the order in which they are tried. */
const PARSERS: Readonly<Record<string, (text: string) => JsonValue | undefined>> = {
  null: (text) => text === "null" ? null : undefined,
  boolean: (text) => text === "true" ? true : text === "false" ? false : undefined,
  integer: (text) => /^-?\d+(?:\.0+)?$/.test(text) ? Number(text) : undefined,
  number: (text) => /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined,
  object: parsed,
};

/**
 * The input that a query holds: its parameters as an object, or JSON in the one parameter `input`. Without parameters it
 * is `{}` where the schema wants an object, else `null`.
 */
export function queryInput(query: string, { input_schema: schema }: OperationSpec): Body {
  const properties = asObject(asObject(schema).properties);
  const parameters = [...new URLSearchParams(query)];
  if (parameters.length === 0) {
    return { value: asObject(schema).type === "object" || Object.keys(properties).length > 0 ? {} : null };
  }
  if (parameters.length === 1 && parameters[0][0] === "input" && !Object.hasOwn(properties, "input")) {
    return parseJson(parameters[0][1]);
  }
  const texts = new Map<string, string[]>();
  for (const [name, text] of parameters) {
    const known = texts.get(name);
    if (known) known.push(text);
    else texts.set(name, [text]);
  }
  const members = [...texts].map(([name, values]) => {
    const property = Object.hasOwn(properties, name) ? properties[name] : {};
    return [name, parameterValue(values, property)] as const;
  });
  return { value: Object.fromEntries(members) };
}

function parameterValue(texts: readonly string[], schema: JsonValue): JsonValue {
  const types = typesOf(schema);
  if (types.has("array")) {
    const items = typesOf(asObject(schema).items ?? {});
    return texts.map((text) => textValue(text, items));
  }
  return texts.length === 1 ? textValue(texts[0], types) : texts;
}

function textValue(text: string, types: ReadonlySet<string>): JsonValue {
  for (const [type, parse] of Object.entries(PARSERS)) {
    const value = types.has(type) ? parse(text) : undefined;
    if (value !== undefined) return value;
  }
  return text;
}

/** The types that a schema allows, as far as it says so itself or in its alternatives. */
function typesOf(schema: JsonValue): Set<string> {
  const { type, anyOf, oneOf } = asObject(schema);
  const types = new Set<string>();
  for (const name of Array.isArray(type) ? type : [type]) if (typeof name === "string") types.add(name);
  for (const alternative of [anyOf, oneOf].flat() as JsonValue[]) {
    for (const name of alternative === undefined ? [] : typesOf(alternative)) types.add(name);
  }
  return types;
}

function parsed(text: string): JsonValue | undefined {
  const body = parseJson(text);
  return "value" in body ? body.value : undefined;
}

function asObject(value: JsonValue | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as JsonObject : {};
}
