/**
 * OpenAPI documents as data: text to value, references followed (OpenAPI 3.0, 3.1).
 *
 * @module
 */
import { ImportError, type JsonObject, type JsonValue } from "@alknet/core/operations";
import { parse as parseYaml } from "yaml";

/** A document, and what it says under a reference. */
export class OpenApiDocument {
  /** The whole. */
  readonly root: JsonObject;
  /** Whether its version is 3.0, whose schemas are not quite JSON Schema. */
  readonly is30: boolean;
  /** Schemas with names of their own, once one is asked for. */
  #anchors: ReadonlyMap<string, JsonValue> | undefined;

  /**
   * @param source JSON or YAML text, or what it says.
   * @throws {ImportError} `SCHEMA_PARSE`: it is no OpenAPI 3 document.
   */
  constructor(source: string | JsonValue) {
    const value = typeof source === "string" ? parsed(source) : source;
    if (!isRecord(value)) throw unreadable("is no object");
    const { openapi, info, paths, webhooks, components } = value;
    if (typeof openapi !== "string" || !/^3\.[01]\./.test(openapi)) {
      throw unreadable("has no member openapi with a version of 3.0 or 3.1");
    }
    if (!isRecord(info)) throw unreadable("has no info");
    this.is30 = openapi.startsWith("3.0.");
    // 3.1 has documents of webhooks or components alone.
    const others = !this.is30 && paths === undefined && (isRecord(webhooks) || isRecord(components));
    if (!isRecord(paths) && !others) throw unreadable("has no paths");
    this.root = value;
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
      value = this.at(value.$ref);
    }
    throw unreadable(`refers in a circle at ${where}`);
  }

  /**
   * What a reference names: a place (RFC 6901), or a schema by its `$anchor`.
   *
   * @throws {ImportError} `SCHEMA_PARSE`: it is not there, or in another document.
   */
  at(reference: string): JsonValue {
    if (!reference.startsWith("#")) throw unreadable(`refers to another document, ${JSON.stringify(reference)}`);
    if (reference !== "#" && reference[1] !== "/") return this.#anchored(reference);
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

  #anchored(reference: string): JsonValue {
    const schema = (this.#anchors ??= anchorsIn(this.root)).get(reference.slice(1));
    if (schema === undefined) throw unreadable(`refers to ${JSON.stringify(reference)}, which is not there`);
    return schema;
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

/** Every schema with an `$anchor`, wherever it stands. */
function anchorsIn(value: JsonValue, found: Map<string, JsonValue> = new Map()): Map<string, JsonValue> {
  if (Array.isArray(value)) { for (const item of value) anchorsIn(item, found); }
  if (!isRecord(value)) return found;
  if (typeof value.$anchor === "string") found.set(value.$anchor, value);
  for (const member of Object.values(value)) anchorsIn(member, found);
  return found;
}

function parsed(text: string): JsonValue {
  try {
    // JSON is YAML, but its own parser is a hundred times as fast.
    return JSON.parse(text);
  } catch (cause) {
    if (/^\s*[{[]/.test(text)) throw unreadable("is not JSON", { cause });
  }
  try {
    return parseYaml(text, { maxAliasCount: 100, prettyErrors: false, merge: true });
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
