/**
 * Query parameters as the input of an operation (http.md §12).
 *
 * Parameters are text; the operation's schema says what a text stands for. What does not parse stays a text, so that the
 * schema refuses it with its own words.
 *
 * @module
 */
import type { JsonObject, JsonValue, OperationSpec } from "@alknet/core/operations";
import { type Body, parseJson } from "../request/request_body.ts";

/** Texts of a type, in the order in which they are tried. */
const PARSERS: readonly (readonly [type: string, parse: (text: string) => JsonValue | undefined])[] = Object.entries({
  null: (text: string) => text === "null" ? null : undefined,
  boolean: (text: string) => text === "true" ? true : text === "false" ? false : undefined,
  integer: (text: string) => /^-?\d+(?:\.0+)?$/.test(text) ? exactly(text) : undefined,
  number: (text: string) => /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? exactly(text) : undefined,
  object: parsed,
});

/** What a schema says of a query, found out once. */
interface QueryPlan {
  /** The input of a query without parameters. */
  readonly empty: JsonValue;
  /** By name. */
  readonly properties: ReadonlyMap<string, PropertyTypes>;
}

/** Types of a property, and of its items. */
interface PropertyTypes {
  readonly types: ReadonlySet<string>;
  readonly items: ReadonlySet<string>;
}

const UNKNOWN: PropertyTypes = { types: new Set(), items: new Set() };
const MEMBER: PropertyDescriptor = { writable: true, enumerable: true, configurable: true };
const plans = new WeakMap<OperationSpec, QueryPlan>();

/**
 * The input that a query holds: its parameters as an object, or JSON in the one parameter `input`. Without parameters it
 * is `{}` where the schema wants an object, else `null`.
 */
export function queryInput(query: string, spec: OperationSpec): Body {
  let plan = plans.get(spec);
  if (!plan) plans.set(spec, plan = planOf(spec));
  const { empty, properties } = plan;
  const parameters = parametersOf(query);
  if (parameters.length === 0) return { value: empty };
  if (parameters.length === 1 && parameters[0][0] === "input" && !properties.has("input")) {
    return parseJson(parameters[0][1]);
  }
  const texts = new Map<string, string | string[]>();
  for (const [name, text] of parameters) {
    const known = texts.get(name);
    if (known === undefined) texts.set(name, text);
    else if (typeof known === "string") texts.set(name, [known, text]);
    else known.push(text);
  }
  const input: Record<string, JsonValue> = {};
  for (const [name, text] of texts) {
    const value = valueOf(text, properties.get(name) ?? UNKNOWN);
    // Assigned, this name would change the object instead of becoming a member of it.
    if (name === "__proto__") Object.defineProperty(input, name, { ...MEMBER, value });
    else input[name] = value;
  }
  return { value: input };
}

function valueOf(text: string | string[], { types, items }: PropertyTypes): JsonValue {
  if (types.has("array")) return (typeof text === "string" ? [text] : text).map((each) => textValue(each, items));
  return typeof text === "string" ? textValue(text, types) : text;
}

function planOf({ input_schema }: OperationSpec): QueryPlan {
  const { type, properties: declared } = asObject(input_schema);
  const properties = Object.entries(asObject(declared)).map(([name, schema]) => {
    return [name, { types: typesOf(schema), items: typesOf(asObject(schema).items ?? {}) }] as const;
  });
  return { empty: type === "object" || properties.length > 0 ? {} : null, properties: new Map(properties) };
}

/** As `URLSearchParams` reads them, which is asked only where something is encoded: it costs as much as a short call. */
function parametersOf(query: string): readonly (readonly [string, string])[] {
  if (/[%+]/.test(query)) return [...new URLSearchParams(query)];
  const parameters: [string, string][] = [];
  for (const part of query.split("&")) {
    if (part === "") continue;
    const at = part.indexOf("=");
    parameters.push(at < 0 ? [part, ""] : [part.slice(0, at), part.slice(at + 1)]);
  }
  return parameters;
}

function textValue(text: string, types: ReadonlySet<string>): JsonValue {
  if (types.size === 0) return text;
  for (const [type, parse] of PARSERS) {
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

/** A number, unless it is written to the digit and so large that its neighbours are the same one: an id would be another's. */
function exactly(text: string): number | undefined {
  const value = Number(text);
  return /[eE]/.test(text) || !Number.isInteger(value) || Number.isSafeInteger(value) ? value : undefined;
}
