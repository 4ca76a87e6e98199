/**
 * Schemas: which keyword a node carries, where a reference leads, and whether the whole is sound (tensor.md §5, §6, V21).
 *
 * @module
 */
import { shown, TensorError } from "./errors.ts";
import { MAX_DEPTH } from "./limits.ts";
import { isObject, type JsonObject } from "./scanner.ts";

/** Kinds of values that a schema may describe. */
export const KINDS = [
  "Int8",
  "Uint8",
  "Boolean",
  "Int16",
  "Uint16",
  "Float16",
  "BFloat16",
  "Int32",
  "Uint32",
  "Float32",
  "Int64",
  "Uint64",
  "Float64",
  "Enum",
  "Array",
  "Tensor",
  "String",
  "Bytes",
  "Timestamp",
  "Record",
  "Struct",
  "Union",
] as const;

/** The kind of a value. */
export type Kind = typeof KINDS[number];

/** What keywords of a node begin with. */
export const KEYWORD = "TypeDef:";
/** The largest alignment of anything. */
export const MAX_ALIGN = 4096;
/** References followed in a row. */
const MAX_HOPS = 64;
/** Property names that JavaScript objects reorder. */
const INTEGER_LIKE = /^(?:0|[1-9][0-9]{0,9})$/;

const kinds: ReadonlySet<string> = new Set(KINDS);

/** The kind of a node and the options of its keyword, or undefined where it carries none. */
export function kindOf(node: JsonObject, path: string): { kind: Kind; options: JsonObject } | undefined {
  let found: { kind: Kind; options: JsonObject } | undefined;
  for (const key of Object.keys(node)) {
    if (!key.startsWith(KEYWORD)) continue;
    const kind = key.slice(KEYWORD.length);
    if (!kinds.has(kind)) throw schemaError(path, `keyword ${shown(key)} is unknown`);
    if (found) throw schemaError(path, "a node carries two kinds");
    const value = node[key];
    if (value !== true && !isObject(value)) throw schemaError(path, `${shown(key)} is neither true nor an object`);
    found = { kind: kind as Kind, options: value === true ? EMPTY : value };
  }
  return found;
}

const EMPTY: JsonObject = Object.freeze(Object.create(null));

/** A schema and the references within it. */
export class Schema {
  /** Its root node. */
  readonly root: JsonObject;

  /**
   * Makes one.
   *
   * @param root The root node.
   */
  constructor(root: JsonObject) {
    this.root = root;
  }

  /** Follows references until there is none. */
  resolve(node: JsonObject, path: string): JsonObject {
    for (let hops = 0; node.$ref !== undefined; hops++) {
      if (hops === MAX_HOPS) {
        throw new TensorError("E_SCHEMA_CYCLE", `more than ${MAX_HOPS} references in a row`, { field: path });
      }
      if (typeof node.$ref !== "string") throw schemaError(path, "$ref is not a string");
      node = this.pointed(node.$ref, path);
    }
    return node;
  }

  /** The node that a reference names: a pointer into this document, or the bare name of a definition. */
  pointed(reference: string, path: string): JsonObject {
    const pointer = /^[A-Za-z_][\w.-]*$/.test(reference) ? `#/$defs/${reference}` : reference;
    if (pointer !== "#" && !pointer.startsWith("#/")) {
      throw schemaError(path, `$ref ${shown(reference)} leaves the document; only #/… is followed`);
    }
    let at: unknown = this.root;
    for (const part of pointer.split("/").slice(1)) {
      const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
      at = typeof at === "object" && at !== null && Object.hasOwn(at, name) ? (at as JsonObject)[name] : undefined;
    }
    if (!isObject(at)) throw schemaError(path, `$ref ${shown(reference)} leads nowhere`);
    return at;
  }

  /** Checks every node: kinds known, references local and without cycles, alignments powers of two (V21). */
  check(mostNodes: number): void {
    let nodes = 0;
    const visit = (value: unknown, path: string, depth: number): void => {
      if (!isObject(value)) return;
      if (++nodes > mostNodes) throw new TensorError("E_LIMIT", `the schema has more than ${mostNodes} nodes`);
      if (depth > MAX_DEPTH) throw new TensorError("E_LIMIT", `the schema nests deeper than ${MAX_DEPTH}`);
      checkNode(value, path);
      if (value.$ref !== undefined) this.resolve(value, path);
      for (const [child, name] of childrenOf(value)) visit(child, path === "" ? name : `${path}.${name}`, depth + 1);
    };
    visit(this.root, "", 1);
    this.#refuseCycles();
  }

  /** A value cannot hold itself: no way along properties, items and variants may lead back to where it began. */
  #refuseCycles(): void {
    const done = new Set<JsonObject>();
    const open = new Set<JsonObject>();
    const visit = (value: unknown, path: string): void => {
      if (!isObject(value) || done.has(value)) return;
      if (open.has(value)) throw new TensorError("E_SCHEMA_CYCLE", "the schema holds itself", { field: path });
      open.add(value);
      if (typeof value.$ref === "string") visit(this.pointed(value.$ref, path), path);
      // What lies in a blob is reached by a reference of the file, and so may be of the kind that refers to it.
      else if (!isIndirect(value)) {
        for (const [child, name] of childrenOf(value, false)) visit(child, path === "" ? name : `${path}.${name}`);
      }
      open.delete(value);
      done.add(value);
    };
    visit(this.root, "");
    if (isObject(this.root.$defs)) { for (const [name, node] of Object.entries(this.root.$defs)) visit(node, name); }
  }
}

/** An option of a keyword, or the node's own member of that name. */
export function optionOf(node: JsonObject, options: JsonObject, name: string): unknown {
  return options[name] ?? node[name];
}

/** An alignment, checked. */
export function alignOf(value: unknown, path: string): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "number" && value >= 1 && value <= MAX_ALIGN && Number.isInteger(Math.log2(value))) return value;
  throw schemaError(path, `align ${String(value)} is not a power of two from 1 to ${MAX_ALIGN}`);
}

/** A schema that cannot be. */
export function schemaError(path: string, message: string): TensorError {
  return new TensorError("E_SCHEMA", message, { field: path });
}

function isIndirect(node: JsonObject): boolean {
  return Object.entries(node).some(([key, value]) =>
    key.startsWith(KEYWORD) && (isObject(value) ? value.encoding : undefined) === "offset-indirect"
  ) || node.encoding === "offset-indirect";
}

function checkNode(node: JsonObject, path: string): void {
  const known = kindOf(node, path);
  if (known) alignOf(optionOf(node, known.options, "align"), path);
  if (isObject(node.properties)) {
    for (const name of Object.keys(node.properties)) {
      if (INTEGER_LIKE.test(name)) {
        throw schemaError(path, `property ${shown(name)} looks like an integer, which JavaScript objects reorder`);
      }
    }
  }
}

/** Schemas directly below a node, and what to call them. */
function* childrenOf(node: JsonObject, withDefinitions = true): Generator<[unknown, string]> {
  const maps = withDefinitions ? ["properties", "$defs"] : ["properties"];
  for (const key of maps) {
    const map = node[key];
    if (isObject(map)) { for (const [name, child] of Object.entries(map)) yield [child, name]; }
  }
  if (node.items !== undefined) yield [node.items, "items"];
  for (const key of ["anyOf", "oneOf"]) {
    const list = node[key];
    if (Array.isArray(list)) { for (const [index, child] of list.entries()) yield [child, `${key}.${index}`]; }
  }
}
