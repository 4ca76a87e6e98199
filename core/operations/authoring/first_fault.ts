/**
 * Finds the first part of a large value that does not fit, without walking on: the schema library lists every fault of a
 * value to report eight, which for millions of members takes longer than all else that they cost.
 *
 * @module
 */
import { Check } from "typebox/schema";
import { isObject, type JsonObject, type JsonValue } from "../values/json.ts";

/** Parts of a value of which a list of faults is made. */
const FEW = 2000;

/** A part of a value that does not fit, and what it does not fit. */
export interface Fault {
  /** The schema of the part. */
  readonly schema: JsonValue;
  /** The part. */
  readonly value: unknown;
  /** Where it stands, from the value down. */
  readonly path: readonly (string | number)[];
  /** Whether it is small enough for a list of its faults. */
  readonly isSmall: boolean;
}

/** Narrows a value that does not fit a schema down to a part that is small, as far as objects and lists lead. */
export function firstFault(schema: JsonValue, value: unknown): Fault {
  const path: (string | number)[] = [];
  let at: { schema: JsonValue; value: unknown } = { schema, value };
  // A part of a schema that refers to another cannot be checked by itself.
  const isPlain = !refers(schema);
  while (!isSmall(at.value)) {
    const step = isPlain ? failingPart(at.schema, at.value) : undefined;
    if (!step) return { ...at, path, isSmall: false };
    path.push(step.name);
    at = { schema: step.schema, value: step.value };
  }
  return { ...at, path, isSmall: true };
}

interface Step {
  readonly name: string | number;
  readonly schema: JsonValue;
  readonly value: unknown;
}

function failingPart(schema: JsonValue, value: unknown): Step | undefined {
  if (!isObject(schema)) return undefined;
  if (Array.isArray(value)) return isObject(schema.items) ? failingItem(schema.items, value) : undefined;
  return isObject(value as JsonValue) ? failingMember(schema, value as JsonObject) : undefined;
}

function failingItem(items: JsonObject, value: readonly JsonValue[]): Step | undefined {
  const index = value.findIndex((item) => !Check(items, item));
  return index < 0 ? undefined : { name: index, schema: items, value: value[index] };
}

function failingMember(schema: JsonObject, value: JsonObject): Step | undefined {
  const known = isObject(schema.properties) ? schema.properties : {};
  for (const [name, of] of Object.entries(known)) {
    if (Object.hasOwn(value, name) && !Check(of as object, value[name])) {
      return { name, schema: of, value: value[name] };
    }
  }
  const patterns = Object.entries(isObject(schema.patternProperties) ? schema.patternProperties : {})
    .map(([pattern, of]): [RegExp, JsonValue] => [new RegExp(pattern, "u"), of]);
  const { additionalProperties } = schema;
  if (patterns.length === 0 && additionalProperties === undefined) return undefined;
  for (const name in value) {
    if (Object.hasOwn(known, name)) continue;
    const [, of = additionalProperties] = patterns.find(([pattern]) => pattern.test(name)) ?? [];
    if (of === undefined) continue;
    // Of a member that may not be there, what it is does not matter.
    if (of === false) return { name, schema: of, value: null };
    if (!Check(of as object, value[name])) return { name, schema: of, value: value[name] };
  }
}

function isSmall(value: unknown): boolean {
  let left = FEW;
  const waiting = [value];
  for (let next = waiting.pop();; next = waiting.pop()) {
    if (typeof next === "object" && next !== null) {
      for (const name in next) {
        if (--left < 0) return false;
        waiting.push((next as Record<string, unknown>)[name]);
      }
    }
    if (waiting.length === 0) return true;
  }
}

function refers(schema: JsonValue): boolean {
  if (Array.isArray(schema)) return schema.some(refers);
  if (!isObject(schema)) return false;
  return Object.entries(schema).some(([keyword, value]) =>
    /^\$(?:dynamic|recursive)?[rR]ef$/.test(keyword) || refers(value)
  );
}
