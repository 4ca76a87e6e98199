/**
 * Checks a value against a schema and says in one line what is wrong: where, what was expected, what was found.
 *
 * @module
 */
import { Compile, type Validator } from "typebox/compile";
import { AlknetError } from "../errors.ts";
import { foreign } from "../log.ts";
import type { Schema } from "./types.ts";

/** A configuration that cannot be used: `INVALID_CONFIG`. */
export class InvalidConfigError extends AlknetError {
  /** `InvalidConfigError`. */
  override readonly name = "InvalidConfigError";
  /** Where in the document, as `auth.peers[0].peer_id`; empty for the document itself. */
  readonly path: string;
  /** What would have been right. */
  readonly expected: string;

  /**
   * Says where, what was expected and what was found.
   *
   * @param file The configuration file, for the message.
   * @param path Where in the document.
   * @param expected What would have been right.
   * @param found What was there instead; never a secret.
   */
  constructor(file: string, path: string, expected: string, found: string, options?: ErrorOptions) {
    super("INVALID_CONFIG", `config ${file}: ${path ? `${path}: ` : ""}expected ${expected}, found ${found}`, options);
    this.path = path;
    this.expected = expected;
  }
}

type SchemaError = ReturnType<Validator["Errors"]>[number];

const validators = new WeakMap<Schema, Validator>();

/** Values that are not repeated in messages: hashes, and whatever a handler is told. */
const SECRET_FIELD = /^(hash|auth_token_hash)$|token|secret|password|passphrase|key$/i;
/** Characters of a value that a message repeats. */
const MAX_SHOWN = 64;

/**
 * Checks a value.
 *
 * @param file The configuration file, for the message.
 * @param under Where the value is in the document, as names.
 * @param secret Whether no value of it may be repeated.
 * @throws {InvalidConfigError} The first thing that is wrong.
 */
export function checkSchema(schema: Schema, value: unknown, file: string, under: string[] = [], secret = false): void {
  const validator = compiled(schema);
  if (validator.Check(value)) return;
  const errors = validator.Errors(value);
  const { error, expected } = firstFault(errors, schema);
  const names = error.instancePath.split("/").slice(1).map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  const missing = error.keyword === "required" ? String(error.params.requiredProperties[0]) : undefined;
  const path = formatPath([...under, ...names, ...(missing === undefined ? [] : [missing])]);
  const hidden = secret || names.some((name) => SECRET_FIELD.test(name));
  const found = missing === undefined ? describeFound(error, at(value, names), hidden) : "nothing";
  throw new InvalidConfigError(file, path, expected, found);
}

/** The value at a path, described for a message. */
export function describeValue(value: unknown, hidden = false): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return value.length === 0 ? "an empty array" : "an array";
  if (typeof value === "object") return "an object";
  if (typeof value !== "string") return hidden ? `a ${typeof value}` : String(value);
  if (value === "") return "an empty string";
  if (hidden) return `a string of ${value.length} characters`;
  return `"${foreign(value.length > MAX_SHOWN ? `${value.slice(0, MAX_SHOWN)}...` : value)}"`;
}

/** `["auth", "peers", "0", "peer_id"]` as `auth.peers[0].peer_id`. */
export function formatPath(names: readonly string[]): string {
  return names.map((name, i) => {
    if (/^\d+$/.test(name)) return `[${name}]`;
    const dot = i === 0 ? "" : ".";
    return /^[\w-]+$/.test(name) ? dot + name : `["${foreign(name)}"]`;
  }).join("");
}

/** Compiled, a check of ten thousand peers takes 2 ms, interpreted 100, during which the node does nothing else. */
function compiled(schema: Schema): Validator {
  let validator = validators.get(schema);
  if (!validator) validators.set(schema, validator = Compile(schema));
  return validator;
}

/** The error to tell of, and what it expected; alternatives that all want another type are told of together. */
function firstFault(errors: SchemaError[], schema: Schema): { error: SchemaError; expected: string } {
  const [first] = errors;
  const union = errors.find((error) =>
    error.keyword === "anyOf" && first.schemaPath.startsWith(`${error.schemaPath}/anyOf/`)
  );
  if (!union) return { error: first, expected: expectation(first, schema) };
  const branches = errors.filter((error) => error.schemaPath.startsWith(`${union.schemaPath}/anyOf/`));
  const inside = branches.find((error) => error.keyword !== "type" || error.instancePath !== union.instancePath);
  if (inside && inside.keyword !== "const") {
    // Of the one that fits so far; in it there may be alternatives too.
    const branch = /^\/anyOf\/\d+/.exec(inside.schemaPath.slice(union.schemaPath.length))![0];
    const path = union.schemaPath + branch;
    const within = ({ schemaPath }: SchemaError): boolean => schemaPath === path || schemaPath.startsWith(`${path}/`);
    return firstFault(branches.filter(within), schema);
  }
  return { error: union, expected: [...new Set(branches.map((error) => expectation(error, schema)))].join(" or ") };
}

function expectation(error: SchemaError, schema: Schema): string {
  switch (error.keyword) {
    case "type":
      return [error.params.type].flat().join(" or ");
    case "enum":
      return listed(error.params.allowedValues);
    case "const":
      return JSON.stringify(error.params.allowedValue);
    case "minimum":
    case "maximum":
      return range(schemaAt(schema, error.schemaPath));
    case "minLength":
      return `at least ${characters(error.params.limit)}`;
    case "maxLength":
      return `at most ${characters(error.params.limit)}`;
    case "minItems":
      return `at least ${error.params.limit} ${error.params.limit === 1 ? "entry" : "entries"}`;
    case "uniqueItems":
      return "entries that differ";
    case "pattern":
      return "text without control characters";
    case "boolean":
    case "additionalProperties":
      return `one of ${knownFields(schemaAt(schema, error.schemaPath.replace(/\/additionalProperties$/, "")))}`;
    case "required":
      return "a value";
    default:
      return error.message.replace(/^must /, "it to ");
  }
}

function describeFound(error: SchemaError, value: unknown, hidden: boolean): string {
  if (error.keyword === "boolean") return "an unknown field";
  if (error.keyword === "type" || error.keyword === "anyOf") {
    return value === null || typeof value === "object" ? describeValue(value) : withArticleless(value);
  }
  return describeValue(value, hidden);
}

/** A value of the wrong type is named by its type alone; what it is does not help. A fraction is shown. */
function withArticleless(value: unknown): string {
  return typeof value === "number" && !Number.isInteger(value) ? String(value) : typeof value;
}

function range(schema: { minimum?: number; maximum?: number }): string {
  const { minimum, maximum } = schema;
  if (maximum === undefined || maximum === Number.MAX_SAFE_INTEGER) return `a number from ${minimum} up`;
  return `a number from ${minimum} to ${maximum}`;
}

function listed(values: readonly unknown[]): string {
  const texts = values.map((value) => JSON.stringify(value));
  return texts.length === 1 ? texts[0] : `${texts.slice(0, -1).join(", ")} or ${texts.at(-1)}`;
}

function knownFields(schema: { properties?: Record<string, unknown> }): string {
  return Object.keys(schema.properties ?? {}).join(", ");
}

/** Follows a JSON pointer (RFC 6901), as a URI fragment, into a schema. */
function schemaAt(schema: Schema, pointer: string): Record<string, never> {
  const names = pointer.split("/").slice(1).map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  return at(schema, names) as Record<string, never>;
}

function at(value: unknown, names: readonly string[]): unknown {
  return names.reduce<unknown>((inner, name) => (inner as Record<string, unknown> | undefined)?.[name], value);
}

function characters(limit: number): string {
  return `${limit} ${limit === 1 ? "character" : "characters"}`;
}
