/**
 * Schemas that strangers wrote, made harmless before anything is checked against them.
 *
 * A schema of a few lines can keep a checker busy for years: by references that double at each step, or by a pattern that
 * tries every way to split a text. What expands too far is refused, and patterns are left out: whoever wrote the schema
 * checks the value again.
 *
 * @module
 */
import { isObject, type JsonValue } from "../values/json.ts";

/** Checks that one part of a value may meet: seconds of work, and more than the largest descriptions in use ask for. */
const MOST_CHECKS = 1_000_000;

/** Keywords that apply schemas to the value itself. */
const IN_PLACE = new Set(["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas", "dependencies"]);
/** Keywords that apply schemas to parts of the value. */
const TO_PARTS = new Set([
  "properties",
  "patternProperties",
  "additionalProperties",
  "unevaluatedProperties",
  "propertyNames",
  "items",
  "prefixItems",
  "additionalItems",
  "unevaluatedItems",
  "contains",
]);
/** Keywords that hold schemas for references. */
const HELD = new Set(["$defs", "definitions"]);
/** Of all these, the ones whose members have names of their own. */
const MAPS = new Set(["properties", "patternProperties", "dependentSchemas", "dependencies", ...HELD]);
const REFERENCES = ["$ref", "$dynamicRef", "$recursiveRef"];
/** Says how members are named, which without patterns nobody knows. */
const REST = new Set(["additionalProperties", "unevaluatedProperties"]);

/**
 * The same schema without patterns.
 *
 * @throws {TypeError} It expands too far, refers to what is not in it, or has a pattern that is none.
 */
export function tamed(schema: JsonValue): JsonValue {
  if (new Expansion(schema).checks(schema) > MOST_CHECKS) throw new TypeError("its references expand too far");
  return withoutPatterns(schema);
}

/** Counts checks as if every reference were written out. */
class Expansion {
  readonly #root: JsonValue;
  readonly #named = new Map<string, JsonValue>();
  readonly #counts = new Map<JsonValue, number>();

  constructor(root: JsonValue) {
    this.#root = root;
    this.#collect(root);
  }

  /** How often the part of a value that is looked at most may be looked at. */
  checks(schema: JsonValue): number {
    if (!isObject(schema)) return 1;
    const known = this.#counts.get(schema);
    if (known !== undefined) return known;
    // A schema within itself goes on for as long as the value does.
    this.#counts.set(schema, 1);
    let here = 1;
    let below = 0;
    for (const [keyword, value] of Object.entries(schema)) {
      if (REFERENCES.includes(keyword)) here += this.checks(this.#target(value));
      else if (IN_PLACE.has(keyword)) { for (const part of subschemas(keyword, value)) here += this.checks(part); }
      else if (TO_PARTS.has(keyword)) {
        for (const part of subschemas(keyword, value)) below = Math.max(below, this.checks(part));
      }
    }
    this.#counts.set(schema, here + below);
    return here + below;
  }

  #target(reference: JsonValue): JsonValue {
    if (typeof reference !== "string") throw new TypeError("a reference is no text");
    const named = this.#named.get(reference);
    if (named !== undefined) return named;
    if (reference !== "#" && !reference.startsWith("#/")) throw new TypeError("a reference leads elsewhere");
    let target: JsonValue | undefined = this.#root;
    for (const step of decodeURIComponent(reference).split("/").slice(1)) {
      const name = step.replaceAll("~1", "/").replaceAll("~0", "~");
      if (typeof target !== "object" || target === null || !Object.hasOwn(target, name)) {
        throw new TypeError("a reference leads nowhere");
      }
      target = (target as Record<string, JsonValue>)[name];
    }
    return target;
  }

  /** Schemas that have names, wherever they stand. */
  #collect(value: JsonValue): void {
    if (Array.isArray(value)) { for (const item of value) this.#collect(item); }
    if (!isObject(value)) return;
    const { $id, $anchor, $dynamicAnchor } = value;
    if (typeof $id === "string") this.#named.set($id, value);
    for (const anchor of [$anchor, $dynamicAnchor]) {
      if (typeof anchor === "string") this.#named.set(`#${anchor}`, value);
    }
    for (const member of Object.values(value)) this.#collect(member);
  }
}

function subschemas(keyword: string, value: JsonValue): readonly JsonValue[] {
  if (Array.isArray(value)) return value;
  return MAPS.has(keyword) && isObject(value) ? Object.values(value) : [value];
}

function withoutPatterns(schema: JsonValue): JsonValue {
  if (!isObject(schema)) return schema;
  const isOpen = Object.hasOwn(schema, "patternProperties");
  const rest: [string, JsonValue][] = [];
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === "pattern") checkPattern(value);
    else if (keyword === "patternProperties" && isObject(value)) Object.keys(value).forEach(checkPattern);
    else if (!isOpen || !REST.has(keyword)) rest.push([keyword, inside(keyword, value)]);
  }
  return Object.fromEntries(rest);
}

function inside(keyword: string, value: JsonValue): JsonValue {
  if (!IN_PLACE.has(keyword) && !TO_PARTS.has(keyword) && !HELD.has(keyword)) return value;
  if (Array.isArray(value)) return value.map(withoutPatterns);
  if (!MAPS.has(keyword) || !isObject(value)) return withoutPatterns(value);
  // `dependencies` may hold lists of names beside schemas.
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withoutPatterns(part)]));
}

function checkPattern(pattern: JsonValue): void {
  if (typeof pattern !== "string") throw new TypeError("a pattern is no text");
  // Compiled and not run: that costs no more than its length. Many are written for engines without `u` (JSON Schema, Core §6.4).
  try {
    new RegExp(pattern, "u");
  } catch {
    new RegExp(pattern);
  }
}
