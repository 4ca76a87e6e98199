/**
 * Writes TypeScript types of what a node offers, so that a client of it is checked: `alknet ops ADDRESS --types`.
 *
 * Whatever JSON Schema says that a type cannot hold is left out: the types are never narrower than the schema. Text of
 * the node is only ever written as a string literal or a comment that it cannot end.
 *
 * @module
 */
import type { PublishedSpec } from "./discovery.ts";
import { isObject, type JsonObject, type JsonValue } from "../values/json.ts";

/** How deep types are written out; below, they are `unknown`. */
const MAX_DEPTH = 32;
const INDENT = "  ";

/** Options of {@linkcode operationTypes}. */
export interface OperationTypesOptions {
  /** Name of the type. Default `RemoteOperations`. */
  readonly typeName?: string;
  /** Says where the operations were found, in the first comment. */
  readonly source?: string;
}

/**
 * A module that declares the operations by name, as `clientOf` and `connectCall` take them.
 *
 * @throws {TypeError} The name of the type is no identifier.
 */
export function operationTypes(specs: Iterable<PublishedSpec>, options: OperationTypesOptions = {}): string {
  const { typeName = "RemoteOperations", source } = options;
  if (!/^[A-Za-z_$][\w$]*$/.test(typeName)) throw new TypeError(`${JSON.stringify(typeName)} is no name of a type`);
  const sorted = [...specs].sort((a, b) => a.name < b.name ? -1 : 1);
  const definitions: string[] = [];
  const operations = sorted.map((spec, at) => {
    const input = new SchemaText(spec.input_schema, `Input${at}`);
    const output = new SchemaText(spec.output_schema, `Output${at}`);
    const text = [
      `${INDENT}readonly ${JSON.stringify(spec.name)}: {`,
      `${INDENT.repeat(2)}readonly type: ${JSON.stringify(spec.op_type)};`,
      `${INDENT.repeat(2)}readonly input: ${input.type(2)};`,
      `${INDENT.repeat(2)}readonly output: ${output.type(2)};`,
      `${INDENT}};`,
    ].join("\n");
    definitions.push(...input.definitions(), ...output.definitions());
    return text;
  });
  const about = source === undefined ? "Operations of a node." : `Operations of ${comment(source)}.`;
  return [
    `/** ${about} */`,
    `export type ${typeName} = {`,
    ...operations,
    "};",
    ...definitions.map((definition) => `\n${definition}`),
    "",
  ].join("\n");
}

/** The types of one schema, and of what it refers to in itself. */
class SchemaText {
  readonly #root: JsonValue;
  readonly #prefix: string;
  readonly #names = new Map<string, string>();
  /** References being written with no object or array between: a type cannot consist of itself. */
  #open = new Set<string>();
  readonly #texts: string[] = [];

  constructor(root: JsonValue, prefix: string) {
    this.#root = root;
    this.#prefix = prefix;
  }

  /** The type of the schema itself. */
  type(indent: number): string {
    return this.#type(this.#root, indent, 0);
  }

  /** Declarations of the types that the others refer to. */
  definitions(): readonly string[] {
    return this.#texts;
  }

  #type(schema: JsonValue | undefined, indent: number, depth: number): string {
    if (schema === false) return "never";
    if (!isObject(schema) || depth > MAX_DEPTH) return "unknown";
    if (typeof schema.$ref === "string") return this.#reference(schema.$ref);
    if ("const" in schema) return literal(schema.const);
    if (Array.isArray(schema.enum)) return union((schema.enum as readonly JsonValue[]).map(literal));
    const parts: string[] = [];
    for (const member of ["anyOf", "oneOf"] as const) {
      const list = schema[member];
      if (Array.isArray(list)) parts.push(union(list.map((each) => this.#type(each, indent, depth + 1))));
    }
    if (Array.isArray(schema.allOf)) {
      for (const each of schema.allOf as readonly JsonValue[]) parts.push(this.#type(each, indent, depth + 1));
    }
    const own = this.#ownType(schema, indent, depth);
    if (own !== "unknown") parts.push(own);
    const known = parts.filter((part) => part !== "unknown");
    if (known.length === 0) return "unknown";
    return known.length === 1 ? known[0] : known.map(bracketed).join(" & ");
  }

  #ownType(schema: JsonObject, indent: number, depth: number): string {
    const { type } = schema;
    if (Array.isArray(type)) return union(type.map((each) => this.#typeOf(each, schema, indent, depth)));
    if (type !== undefined) return this.#typeOf(type, schema, indent, depth);
    // Without a type, the keywords for objects bind objects alone: a string would pass too.
    return "unknown";
  }

  #typeOf(type: JsonValue, schema: JsonObject, indent: number, depth: number): string {
    switch (type) {
      case "string":
      case "boolean":
      case "null":
        return type;
      case "integer":
      case "number":
        return "number";
      case "array":
      case "object":
        return this.#container(type, schema, indent, depth);
      default:
        return "unknown";
    }
  }

  #container(type: "array" | "object", schema: JsonObject, indent: number, depth: number): string {
    const open = this.#open;
    this.#open = new Set();
    const text = type === "array" ? this.#array(schema, indent, depth) : this.#object(schema, indent, depth);
    this.#open = open;
    return text;
  }

  /** Positions are told by `prefixItems`, or by `items` as an array (draft 7, which TypeBox writes). */
  #array(schema: JsonObject, indent: number, depth: number): string {
    const { items, prefixItems, additionalItems, minItems } = schema;
    const [positions, others] = Array.isArray(items) ? [items, additionalItems] : [prefixItems, items];
    if (!Array.isArray(positions)) return `readonly ${bracketed(this.#type(others, indent, depth + 1))}[]`;
    const least = typeof minItems === "number" ? minItems : 0;
    const first = (positions as readonly JsonValue[]).map((each, at) =>
      bracketed(this.#type(each, indent, depth + 1)) + (at < least ? "" : "?")
    );
    const rest = others === false ? [] : [`...${bracketed(this.#type(others, indent, depth + 1))}[]`];
    return `readonly [${[...first, ...rest].join(", ")}]`;
  }

  #object({ properties, required, additionalProperties }: JsonObject, indent: number, depth: number): string {
    const members = isObject(properties) ? Object.entries(properties) : [];
    const needed = new Set(Array.isArray(required) ? required : []);
    for (const name of needed) {
      if (typeof name === "string" && !members.some(([known]) => known === name)) members.push([name, true]);
    }
    const others = additionalProperties === undefined ? true : additionalProperties;
    if (members.length === 0) {
      if (others === false) return "Readonly<Record<string, never>>";
      return `Readonly<Record<string, ${this.#type(others, indent, depth + 1)}>>`;
    }
    const inner = INDENT.repeat(indent + 1);
    const lines = members.map(([name, schema]) => {
      const about = isObject(schema) && typeof schema.description === "string"
        ? `${inner}/** ${comment(schema.description)} */\n`
        : "";
      const optional = needed.has(name) ? "" : "?";
      return `${about}${inner}readonly ${memberName(name)}${optional}: ${this.#type(schema, indent + 1, depth + 1)};`;
    });
    // Further members need no signature: types are open, and a literal with a slip in a name is worth an error.
    return `{\n${lines.join("\n")}\n${INDENT.repeat(indent)}}`;
  }

  /** References within the schema become named types, so that a schema may contain itself. */
  #reference(reference: string): string {
    if (this.#open.has(reference)) return "unknown";
    const known = this.#names.get(reference);
    if (known !== undefined) return known;
    const target = this.#target(reference);
    if (target === undefined) return "unknown";
    const name = `${this.#prefix}Definition${this.#names.size}`;
    this.#names.set(reference, name);
    this.#open.add(reference);
    this.#texts.push(`type ${name} = ${this.#type(target, 0, 0)};`);
    this.#open.delete(reference);
    return name;
  }

  #target(reference: string): JsonValue | undefined {
    if (reference === "#") return this.#root;
    if (!reference.startsWith("#/")) return undefined;
    const names = reference.slice(2).split("/").map((name) => name.replaceAll("~1", "/").replaceAll("~0", "~"));
    return names.reduce<JsonValue | undefined>(
      (inner, name) => isObject(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined,
      this.#root,
    );
  }
}

function memberName(name: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name);
}

function literal(value: JsonValue): string {
  if (typeof value === "object" && value !== null) return "unknown";
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

function union(types: readonly string[]): string {
  const distinct = [...new Set(types)];
  if (distinct.includes("unknown")) return "unknown";
  return distinct.length === 0 ? "never" : distinct.map(bracketed).join(" | ");
}

function bracketed(type: string): string {
  return /[|&]|^readonly /.test(type) ? `(${type})` : type;
}

/** Text that cannot end the comment it stands in, on one line. */
function comment(text: string): string {
  const cut = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return cut.replaceAll("*/", "*∕").replace(/[\s\p{Cc}\u2028\u2029]+/gu, " ").trim();
}
