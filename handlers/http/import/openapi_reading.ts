/**
 * OpenAPI documents as data: text to value, references followed, schemas as JSON Schema (OpenAPI 3.0, 3.1).
 *
 * A schema that a document names stays a reference, into a `$defs` block of its own: nothing is unfolded, so a schema
 * that contains itself costs no more than another.
 *
 * @module
 */
import { ImportError, type JsonObject, type JsonValue } from "@alknet/core/operations";
import { parse as parseYaml } from "yaml";

/** Keywords whose value is one schema, a list of schemas, or schemas by name. Everything else is copied as it is. */
const SCHEMA_KEYWORDS: Readonly<Record<string, "one" | "list" | "map">> = {
  additionalProperties: "one",
  contains: "one",
  else: "one",
  if: "one",
  items: "one",
  not: "one",
  propertyNames: "one",
  then: "one",
  unevaluatedItems: "one",
  unevaluatedProperties: "one",
  allOf: "list",
  anyOf: "list",
  oneOf: "list",
  prefixItems: "list",
  $defs: "map",
  dependentSchemas: "map",
  patternProperties: "map",
  properties: "map",
};

/** Of OpenAPI alone; without meaning for a check. */
const NOT_JSON_SCHEMA = new Set(["nullable", "discriminator", "xml", "externalDocs", "example"]);

/** A document, and what it says under a reference. */
export class OpenApiDocument {
  /** The whole. */
  readonly root: JsonObject;
  readonly #is30: boolean;

  /**
   * @param source JSON or YAML text, or what it says.
   * @throws {ImportError} `SCHEMA_PARSE`: it is no OpenAPI 3 document.
   */
  constructor(source: string | JsonValue) {
    const value = typeof source === "string" ? parsed(source) : source;
    if (!isRecord(value)) throw unreadable("is no object");
    const { openapi, info, paths } = value;
    if (typeof openapi !== "string" || !/^3\.[01]\./.test(openapi)) {
      throw unreadable("has no member openapi with a version of 3.0 or 3.1");
    }
    if (!isRecord(info)) throw unreadable("has no info");
    if (!isRecord(paths)) throw unreadable("has no paths");
    this.root = value;
    this.#is30 = openapi.startsWith("3.0.");
  }

  /**
   * A parameter, body, response or path item, with references followed.
   *
   * @throws {ImportError} `SCHEMA_PARSE`: it leads nowhere, elsewhere, or in a circle.
   */
  resolved(value: JsonValue | undefined, where: string): JsonObject {
    for (let hops = 0; hops < 32; hops++) {
      if (!isRecord(value)) throw unreadable(`has no object at ${where}`);
      if (typeof value.$ref !== "string") return value;
      value = this.#at(value.$ref);
    }
    throw unreadable(`refers in a circle at ${where}`);
  }

  /**
   * A schema as JSON Schema that stands by itself.
   *
   * @throws {ImportError} `SCHEMA_PARSE`: a reference leads nowhere or to another document.
   */
  schema(value: JsonValue): JsonValue {
    const names = new Map<string, string>();
    const converted = this.#convert(value, names);
    const defs: Record<string, JsonValue> = {};
    // Converting one adds those that it names.
    for (const [pointer, name] of names) defs[name] = this.#convert(this.#at(pointer), names);
    if (names.size === 0) return converted;
    return isRecord(converted) ? { ...converted, $defs: { ...defs, ...asRecord(converted.$defs) } } : converted;
  }

  #convert(schema: JsonValue, names: Map<string, string>): JsonValue {
    if (!isRecord(schema)) return schema;
    const result: Record<string, JsonValue> = {};
    for (const [keyword, value] of Object.entries(schema)) {
      if (NOT_JSON_SCHEMA.has(keyword)) continue;
      if (keyword === "$ref" && typeof value === "string") result.$ref = this.#reference(value, names);
      else result[keyword] = this.#convertKeyword(keyword, value, names);
    }
    return this.#is30 ? fromOpenApi30(result, schema.nullable === true) : result;
  }

  #convertKeyword(keyword: string, value: JsonValue, names: Map<string, string>): JsonValue {
    const kind = Object.hasOwn(SCHEMA_KEYWORDS, keyword) ? SCHEMA_KEYWORDS[keyword] : undefined;
    if (kind === "one") return this.#convert(value, names);
    if (kind === "list" && Array.isArray(value)) return value.map((item: JsonValue) => this.#convert(item, names));
    if (kind !== "map" || !isRecord(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, this.#convert(item, names)]));
  }

  #reference(pointer: string, names: Map<string, string>): string {
    let name = names.get(pointer);
    if (name === undefined) {
      this.#at(pointer);
      const last = pointer.slice(pointer.lastIndexOf("/") + 1).replaceAll(/[^A-Za-z0-9_.-]/g, "_");
      const taken = new Set(names.values());
      name = last;
      for (let n = 2; taken.has(name); n++) name = `${last}_${n}`;
      names.set(pointer, name);
    }
    return `#/$defs/${name}`;
  }

  /** What a reference names (RFC 6901). */
  #at(reference: string): JsonValue {
    if (!reference.startsWith("#")) throw unreadable(`refers to another document, ${JSON.stringify(reference)}`);
    let value: JsonValue | undefined = this.root;
    for (const token of pointerTokens(reference)) {
      value = isRecord(value) && Object.hasOwn(value, token)
        ? value[token]
        : Array.isArray(value) && /^\d+$/.test(token)
        ? value[Number(token)]
        : undefined;
    }
    if (value === undefined) throw unreadable(`refers to ${JSON.stringify(reference)}, which is not there`);
    return value;
  }
}

/** What is wrong with a document. */
export function unreadable(what: string, options?: ErrorOptions): ImportError {
  return new ImportError("SCHEMA_PARSE", `the OpenAPI document ${what}`, options);
}

/** Whether a value is an object, and neither an array nor null. */
export function isRecord(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value if it is an object, else an empty one. */
export function asRecord(value: JsonValue | undefined): JsonObject {
  return isRecord(value) ? value : {};
}

function parsed(text: string): JsonValue {
  try {
    // JSON is YAML, but its own parser is a hundred times as fast.
    return JSON.parse(text);
  } catch (cause) {
    if (/^\s*[{[]/.test(text)) throw unreadable("is not JSON", { cause });
  }
  try {
    return parseYaml(text, { maxAliasCount: 100, prettyErrors: false });
  } catch (cause) {
    throw unreadable("is neither JSON nor YAML", { cause });
  }
}

function pointerTokens(reference: string): string[] {
  try {
    return decodeURIComponent(reference.slice(1)).split("/").slice(1).map((token) =>
      token.replaceAll("~1", "/").replaceAll("~0", "~")
    );
  } catch (cause) {
    throw unreadable(`has the malformed reference ${JSON.stringify(reference)}`, { cause });
  }
}

/** What OpenAPI 3.0 says otherwise than JSON Schema: `nullable`, and bounds that are excluded by a boolean. */
function fromOpenApi30(schema: Record<string, JsonValue>, nullable: boolean): JsonValue {
  for (const [bound, exclusive] of [["minimum", "exclusiveMinimum"], ["maximum", "exclusiveMaximum"]]) {
    if (typeof schema[exclusive] !== "boolean") continue;
    if (schema[exclusive] && typeof schema[bound] === "number") {
      schema[exclusive] = schema[bound];
      delete schema[bound];
    } else delete schema[exclusive];
  }
  return nullable ? { anyOf: [schema, { type: "null" }] } : schema;
}
