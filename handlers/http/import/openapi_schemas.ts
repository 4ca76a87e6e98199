/**
 * The schemas of an OpenAPI document as JSON Schema.
 *
 * A schema that the document names is converted once, and stays a reference: what an operation needs of them stands in its
 * `$defs`, shared with all operations that need the same. So a document costs what it says, however often it says it.
 *
 * @module
 */
import type { JsonObject, JsonValue } from "@alknet/core/operations";
import { asRecord, isRecord, type OpenApiDocument, unreadable } from "./openapi_document.ts";

/** Which way a value goes: what only answers hold is not asked of requests, and the other way round. */
export type Direction = "request" | "answer";

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

/** Of OpenAPI alone, without meaning for a check; and names that are read here. */
const NOT_KEPT = new Set(["nullable", "discriminator", "xml", "externalDocs", "example", "$anchor"]);
/** What makes a reference mean something else than its text says. */
const UNREAD = ["$id", "$dynamicRef", "$recursiveRef"];
const MAX_HOPS = 32;

/** A schema that the document names. */
interface Named {
  readonly name: string;
  readonly converted: JsonValue;
  /** References that it holds. */
  readonly refers: readonly string[];
}

/** The schemas of one document, for values that go one way. */
export class OpenApiSchemas {
  readonly #document: OpenApiDocument;
  readonly #direction: Direction;
  readonly #named = new Map<string, Named>();
  readonly #names = new Map<string, string>();
  /** How many names were wished for, by name. */
  readonly #wished = new Map<string, number>();
  readonly #taken = new Set<string>();
  /** Blocks of `$defs`, by what leads into them, and by what they hold. */
  readonly #byEntry = new Map<string, JsonObject>();
  readonly #byContent = new Map<string, JsonObject>();

  /**
   * @param document Where they stand.
   * @param direction Which way their values go.
   */
  constructor(document: OpenApiDocument, direction: Direction) {
    this.#document = document;
    this.#direction = direction;
  }

  /**
   * A schema that stands by itself.
   *
   * @throws {ImportError} `SCHEMA_PARSE`: a reference leads nowhere or to another document, or is of a kind that is not read.
   */
  standalone(schema: JsonValue): JsonValue {
    const refers = new Set<string>();
    const converted = this.#convert(schema, refers);
    if (refers.size === 0 || !isRecord(converted)) return converted;
    const own = asRecord(converted.$defs);
    const defs = this.#defs(refers);
    return { ...converted, $defs: Object.keys(own).length === 0 ? defs : { ...defs, ...own } };
  }

  /** What a set of references leads to, by name. */
  #defs(refers: ReadonlySet<string>): JsonObject {
    const entry = [...refers].toSorted().join("\n");
    let defs = this.#byEntry.get(entry);
    if (defs) return defs;
    const reached = new Set(refers);
    for (const pointer of reached) for (const next of this.#at(pointer).refers) reached.add(next);
    const content = [...reached].toSorted().join("\n");
    defs = this.#byContent.get(content);
    if (!defs) {
      defs = Object.fromEntries([...reached].map((pointer) => {
        const { name, converted } = this.#at(pointer);
        return [name, converted];
      }));
      this.#byContent.set(content, defs);
    }
    this.#byEntry.set(entry, defs);
    return defs;
  }

  /** Converted when it is first needed: a chain of names is no depth of calls. */
  #at(pointer: string): Named {
    let named = this.#named.get(pointer);
    if (!named) {
      const refers = new Set<string>();
      const converted = this.#convert(this.#document.at(pointer), refers);
      named = { name: this.#nameOf(pointer), converted, refers: [...refers] };
      this.#named.set(pointer, named);
    }
    return named;
  }

  #nameOf(pointer: string): string {
    let name = this.#names.get(pointer);
    if (name === undefined) this.#names.set(pointer, name = this.#newName(pointer));
    return name;
  }

  #newName(pointer: string): string {
    const last = pointer.slice(pointer.lastIndexOf("/") + 1).replaceAll(/[^A-Za-z0-9_.-]/g, "_");
    let number = this.#wished.get(last) ?? 0;
    let name: string;
    do name = ++number === 1 ? last : `${last}_${number}`; while (this.#taken.has(name));
    this.#wished.set(last, number);
    this.#taken.add(name);
    return name;
  }

  #convert(schema: JsonValue, refers: Set<string>): JsonValue {
    if (!isRecord(schema)) return schema;
    const result: Record<string, JsonValue> = {};
    for (const [keyword, value] of Object.entries(schema)) {
      if (NOT_KEPT.has(keyword)) continue;
      if (UNREAD.includes(keyword)) throw unreadable(`has a schema with ${keyword}, which is not read here`);
      if (keyword === "$ref" && typeof value === "string") {
        refers.add(value);
        result.$ref = `#/$defs/${this.#nameOf(value)}`;
      } else result[keyword] = this.#keyword(keyword, value, refers);
    }
    this.#requireOneWay(schema, result);
    if (typeof result.pattern === "string" && !isPattern(result.pattern)) delete result.pattern;
    return this.#document.is30 ? fromOpenApi30(result, schema.nullable === true) : result;
  }

  #keyword(keyword: string, value: JsonValue, refers: Set<string>): JsonValue {
    const kind = Object.hasOwn(SCHEMA_KEYWORDS, keyword) ? SCHEMA_KEYWORDS[keyword] : undefined;
    if (kind === "one") return this.#convert(value, refers);
    if (kind === "list" && Array.isArray(value)) return value.map((item: JsonValue) => this.#convert(item, refers));
    if (kind !== "map" || !isRecord(value)) return value;
    const members = Object.entries(value).filter(([name]) => keyword !== "patternProperties" || isPattern(name));
    return Object.fromEntries(members.map(([name, item]) => [name, this.#convert(item, refers)]));
  }

  /** What is `readOnly` is required of answers only, what is `writeOnly` of requests only (OpenAPI 3.0.3, Schema Object). */
  #requireOneWay({ required, properties }: JsonObject, result: Record<string, JsonValue>): void {
    if (!Array.isArray(required) || !isRecord(properties)) return;
    const mark = this.#direction === "request" ? "readOnly" : "writeOnly";
    const left = required.filter((name) =>
      typeof name !== "string" || !Object.hasOwn(properties, name) || !this.#isMarked(properties[name], mark)
    );
    if (left.length === required.length) return;
    if (left.length === 0) delete result.required;
    else result.required = left;
  }

  #isMarked(schema: JsonValue, mark: "readOnly" | "writeOnly"): boolean {
    for (let hops = 0; isRecord(schema) && hops < MAX_HOPS; hops++) {
      if (schema[mark] === true) return true;
      if (typeof schema.$ref !== "string") return false;
      schema = this.#document.at(schema.$ref);
    }
    return false;
  }
}

/** Whether a pattern is one of ECMA-262; those of other languages are no check of ours. */
function isPattern(pattern: string): boolean {
  for (const flags of ["u", ""]) {
    try {
      new RegExp(pattern, flags);
      return true;
    } catch { /* as the other */ }
  }
  return false;
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
