/**
 * Checks values against the schemas of operations, and says in one line what is wrong: where, what was expected, what
 * came.
 *
 * @module
 */
import { Check, Compile, Errors } from "typebox/schema";
import { firstFault } from "./first_fault.ts";
import { tamed } from "./foreign_schema.ts";
import type { JsonValue } from "../values/json.ts";

/** Says what is wrong with a value, or nothing. */
export type SchemaCheck = (value: unknown) => string | undefined;

/** What an error of the schema library holds. */
interface SchemaError {
  readonly keyword: string;
  readonly schemaPath: string;
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** Characters of a value, or of a list of choices, that a message repeats. */
const MAX_SHOWN = 64;

/**
 * A check that is made on first use: most operations of a large node are never called.
 *
 * Our own schemas are compiled to code, which checks a small object in 0.2 µs where the interpreter takes 15. A schema
 * that came from elsewhere is interpreted, without its patterns: no stranger's text becomes code, or work without end.
 *
 * @param origin Whose schema it is. Default `own`.
 */
export function schemaCheck(schema: JsonValue, origin: "own" | "foreign" = "own"): SchemaCheck {
  if (schema === true || isEmpty(schema)) return () => undefined;
  let fits: ((value: unknown) => boolean) | undefined;
  let used: JsonValue = schema;
  return (value) => {
    try {
      fits ??= origin === "own" ? compiled(schema) : interpreted(used = tamed(schema));
      return fits(value) ? undefined : describe(used, value);
    } catch {
      // A reference to itself, a pattern that is none: the fault is the schema's, and no value passes it.
      return "input cannot be checked: its schema is not usable";
    }
  };
}

/** What is wrong with a schema itself, or nothing; as far as can be told without a value. */
export function schemaFault(schema: unknown): string | undefined {
  if (typeof schema === "boolean") return undefined;
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) {
    return "is neither an object nor a boolean";
  }
  try {
    const usable = tamed(schema as JsonValue);
    for (const probe of [null, {}, [], "", 0]) Check(usable as object, probe);
  } catch (error) {
    return `is not usable: ${error instanceof Error ? error.message : "unknown reason"}`;
  }
  return undefined;
}

function isEmpty(schema: JsonValue): boolean {
  return typeof schema === "object" && schema !== null && Object.keys(schema).length === 0;
}

function compiled(schema: JsonValue): (value: unknown) => boolean {
  const validator = Compile(schema as object);
  return (value) => validator.Check(value);
}

function interpreted(schema: JsonValue): (value: unknown) => boolean {
  return (value) => Check(schema as object, value);
}

/** One sentence on the first fault; where alternatives fail, on the one that came furthest into the value. */
function describe(whole: JsonValue, input: unknown): string {
  const { schema, value, path, isSmall } = firstFault(whole, input);
  const where = path.map((name) => `/${String(name).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
  const place = (rest: string): string => cut(where + rest) || "input";
  if (!isSmall) return `${place("")} does not fit its schema`;
  if (schema === false) return `${place("")} must not be there`;
  const [, errors] = Errors(schema as object, value) as unknown as [boolean, SchemaError[]];
  const error = mostTelling(errors);
  if (!error) return `${place("")} does not fit its schema`;
  const names = error.instancePath.split("/").slice(1).map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  const found = names.reduce<unknown>((inner, name) => (inner as Record<string, unknown>)?.[name], value);
  const [wanted, came] = expectation(error, errors, schema, found);
  return `${place(error.instancePath)} must ${wanted}${came ? `, but ${came}` : ""}`;
}

function mostTelling(errors: readonly SchemaError[]): SchemaError | undefined {
  const [first] = errors;
  const union = errors.find(({ keyword, schemaPath }) =>
    (keyword === "anyOf" || keyword === "oneOf") && first.schemaPath.startsWith(`${schemaPath}/${keyword}/`)
  );
  if (!union) return first;
  const branches = errors.filter(({ schemaPath }) => schemaPath.startsWith(`${union.schemaPath}/${union.keyword}/`));
  const deepest = branches.reduce((a, b) => b.instancePath.length > a.instancePath.length ? b : a);
  return deepest.instancePath.length > union.instancePath.length ? deepest : union;
}

/** What was expected, and what came. */
function expectation(
  error: SchemaError,
  errors: readonly SchemaError[],
  schema: JsonValue,
  found: unknown,
): [wanted: string, came?: string] {
  const { keyword, params } = error;
  switch (keyword) {
    case "type":
      return [`be ${[params.type].flat().join(" or ")}`, `is ${kindOf(found)}`];
    case "const":
      return [`be ${shown(params.allowedValue)}`, `is ${shown(found)}`];
    case "enum":
      return [`be one of ${choices(params.allowedValues as readonly unknown[])}`, `is ${shown(found)}`];
    case "required":
      return [`have ${quoted(params.requiredProperties as readonly string[])}`];
    case "boolean":
    case "additionalProperties":
      return ["not be there", known(schema, error)];
    case "anyOf":
    case "oneOf": {
      const constants = errors.filter(({ keyword: inner, schemaPath }) =>
        inner === "const" && schemaPath.startsWith(`${error.schemaPath}/${keyword}/`)
      );
      if (constants.length === 0) return ["fit one of the alternatives", `is ${kindOf(found)}`];
      return [`be one of ${choices(constants.map(({ params }) => params.allowedValue))}`, `is ${shown(found)}`];
    }
    case "minimum":
    case "maximum":
    case "exclusiveMinimum":
    case "exclusiveMaximum":
    case "multipleOf":
      return [withoutMust(error.message), `is ${shown(found)}`];
    case "minLength":
    case "maxLength":
      return [withoutMust(error.message), `has ${[...String(found)].length}`];
    case "minItems":
    case "maxItems":
      return [withoutMust(error.message), `has ${(found as readonly unknown[]).length}`];
    default:
      return [withoutMust(error.message)];
  }
}

/** The members that an object may have, where one was found that it may not. */
function known(schema: JsonValue, { schemaPath }: SchemaError): string | undefined {
  const names = schemaPath.split("/").slice(1).map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
  if (names.at(-1) === "additionalProperties") names.pop();
  const owner = names.reduce<unknown>((inner, name) => (inner as Record<string, unknown>)?.[name], schema);
  const members = Object.keys((owner as { properties?: object } | undefined)?.properties ?? {});
  return members.length === 0 ? undefined : `${quoted(members)} may`;
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (value === undefined) return "missing";
  if (typeof value === "number" && !Number.isInteger(value)) return `the number ${value}`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function shown(value: unknown): string {
  return typeof value === "object" ? kindOf(value) : cut(JSON.stringify(value) ?? "missing");
}

function choices(values: readonly unknown[]): string {
  return cut(values.map((value) => JSON.stringify(value)).join(", "), 4 * MAX_SHOWN);
}

function quoted(names: readonly string[]): string {
  return cut(names.map((name) => JSON.stringify(name)).join(", "), 4 * MAX_SHOWN);
}

function withoutMust(message: string): string {
  return message.replace(/^must /, "");
}

function cut(text: string, most = MAX_SHOWN): string {
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
