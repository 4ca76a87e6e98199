/**
 * How one schema became another: a list of edits by path, and how strong the strongest is (tensor.md §11.2).
 *
 * @module
 */
import { isObject, type Json, type JsonObject } from "../format/scanner.ts";
import { kindOf, optionOf, Schema } from "../format/schema.ts";

/** Classes of edits, the weakest first. */
export const EDIT_CLASSES = ["none", "additive", "layout", "widening", "subtractive", "lossy", "breaking"] as const;
/** How strong an edit is. */
export type EditClass = typeof EDIT_CLASSES[number];

/** One difference. */
export interface Edit {
  /** Dotted path, as the new schema has it; of what was removed, as the old one had it. */
  readonly path: string;
  /** How strong it is. */
  readonly class: EditClass;
  /** What it is, in words. */
  readonly what: string;
  /** The path in the old schema, of a rename. */
  readonly from?: string;
}

/** All differences. */
export interface SchemaDiff {
  /** The class of the strongest. */
  readonly class: EditClass;
  /** In the order of the new schema, then what was removed. */
  readonly edits: readonly Edit[];
}

/** Kinds and element types that hold every value of another, exactly; each with those right above it. */
const WIDER: Readonly<Record<string, readonly string[]>> = {
  BOOLEAN: ["INT8", "UINT8"],
  INT8: ["INT16"],
  INT16: ["INT32"],
  INT32: ["INT64"],
  UINT8: ["UINT16", "INT16"],
  UINT16: ["UINT32", "INT32"],
  UINT32: ["UINT64", "INT64"],
  FLOAT16: ["FLOAT32"],
  BFLOAT16: ["FLOAT32"],
  FLOAT32: ["FLOAT64"],
};
/** Element types of tensors by the kinds of the same values. */
const KIND_OF_DTYPE: Readonly<Record<string, string>> = {
  BOOL: "BOOLEAN",
  F16: "FLOAT16",
  BF16: "BFLOAT16",
  F32: "FLOAT32",
  F64: "FLOAT64",
};
const TEXTS: readonly string[] = ["String", "Bytes", "Timestamp"];

/** The differences between two schemas. Renames are those that `aliases` of the new node name; none is guessed. */
export function diff(before: JsonObject, after: JsonObject): SchemaDiff {
  const walk = new Walk(new Schema(before), new Schema(after));
  walk.nodes(before, after, "", "");
  const strongest = Math.max(0, ...walk.edits.map((edit) => EDIT_CLASSES.indexOf(edit.class)));
  return { class: EDIT_CLASSES[strongest], edits: walk.edits };
}

/** Whether every value of one kind or element type is one of the other, exactly. */
export function widens(from: string, to: string): boolean {
  const next = WIDER[spelled(from)] ?? [];
  return next.includes(spelled(to)) || next.some((kind) => widens(kind, to));
}

class Walk {
  readonly edits: Edit[] = [];
  readonly #before: Schema;
  readonly #after: Schema;

  constructor(before: Schema, after: Schema) {
    this.#before = before;
    this.#after = after;
  }

  nodes(unresolvedOld: JsonObject, unresolvedNew: JsonObject, path: string, from: string): void {
    const old = this.#before.resolve(unresolvedOld, from);
    const now = this.#after.resolve(unresolvedNew, path);
    const was = kindOf(old, from);
    const is = kindOf(now, path);
    if (was?.kind !== is?.kind) return this.#kinds(was?.kind, is?.kind, path);
    const oldOption = (name: string) => was && optionOf(old, was.options, name);
    const option = (name: string) => is && optionOf(now, is.options, name);
    const changed = (name: string): boolean => JSON.stringify(oldOption(name)) !== JSON.stringify(option(name));
    if (changed("align") || changed("fieldAlign")) this.#edit(path, "layout", "alignment changed");
    if (changed("encoding") || changed("region") || changed("width")) this.#edit(path, "breaking", "kept elsewhere");
    if (is?.kind === "Tensor") this.#tensors(oldOption, option, path);
    else if (is?.kind === "Enum") this.#enums(oldOption("enum") as Json[], option("enum") as Json[], path);
    else if (is?.kind === "Union") this.#unions(old, now, changed("discriminator"), path, from);
    else if (TEXTS.includes(is?.kind ?? "") && changed("maxLength")) {
      const grows = Number(option("maxLength")) > Number(oldOption("maxLength"));
      this.#edit(path, grows ? "widening" : "lossy", `maxLength ${oldOption("maxLength")} → ${option("maxLength")}`);
    } else if (is?.kind === "Array" && (changed("minItems") || changed("maxItems"))) {
      this.#edit(path, "breaking", `items ${oldOption("minItems")} → ${option("minItems")}: a fill is needed`);
    }
    if (isObject(old.items) && isObject(now.items)) {
      this.nodes(old.items, now.items, below(path, "*"), below(from, "*"));
    } else if (isObject(old.items) || isObject(now.items)) this.#edit(path, "breaking", "items came or went");
    if (isObject(old.properties) || isObject(now.properties)) this.#properties(old, now, path, from);
  }

  #properties(old: JsonObject, now: JsonObject, path: string, from: string): void {
    const before = new Map(Object.entries(isObject(old.properties) ? old.properties : {}));
    const left = new Set(before.keys());
    const kept: string[] = [];
    const after = Object.entries(isObject(now.properties) ? now.properties : {});
    for (const [name, child] of after) {
      const node = child as JsonObject;
      const aliases = Array.isArray(node.aliases) ? node.aliases : [];
      const source = before.has(name) ? name : aliases.find((alias) => before.has(String(alias)));
      const here = below(path, name);
      if (source === undefined) {
        const optional = node.default !== undefined || !(Array.isArray(now.required) && now.required.includes(name));
        this.#edit(
          here,
          optional ? "additive" : "breaking",
          optional ? "added" : "added, required and without default",
        );
        continue;
      }
      const earlier = String(source);
      left.delete(earlier);
      kept.push(earlier);
      if (earlier !== name) {
        this.edits.push({ path: here, class: "additive", what: "renamed", from: below(from, earlier) });
      }
      this.nodes(before.get(earlier) as JsonObject, node, here, below(from, earlier));
    }
    for (const name of left) this.#edit(below(from, name), "subtractive", "removed");
    const order = [...before.keys()].filter((name) => kept.includes(name));
    if (now["TypeDef:Struct"] !== undefined && String(order) !== String(kept)) {
      this.#edit(path, "layout", "fields in another order");
    }
  }

  #kinds(was: string | undefined, is: string | undefined, path: string): void {
    const what = `${was ?? "none"} → ${is ?? "none"}`;
    const numbers = [was, is].every((kind) => /^(?:Int|Uint|Float|BFloat|Boolean)/.test(kind ?? ""));
    this.#edit(path, widens(was ?? "", is ?? "") ? "widening" : numbers ? "lossy" : "breaking", what);
  }

  #tensors(old: (name: string) => unknown, now: (name: string) => unknown, path: string): void {
    const [was, is] = [String(old("dtype")), String(now("dtype"))];
    if (was !== is) this.#edit(path, widens(was, is) ? "widening" : "lossy", `${was} → ${is}`);
    const [shape, to] = [old("shape") as number[], now("shape") as number[]];
    if (String(shape) === String(to)) return;
    const same = shape.reduce((a, b) => a * b, 1) === to.reduce((a, b) => a * b, 1);
    const allowed = same && now("reshape") === true;
    this.#edit(path, allowed ? "layout" : "breaking", `shape [${shape}] → [${to}]`);
  }

  #enums(old: readonly Json[], now: readonly Json[], path: string): void {
    if (JSON.stringify(old) === JSON.stringify(now)) return;
    const appended = old.every((value, index) => value === now[index]);
    this.#edit(path, appended ? "additive" : "breaking", appended ? "values appended" : "values reordered or removed");
  }

  #unions(old: JsonObject, now: JsonObject, discriminator: boolean, path: string, from: string): void {
    const [before, after] = [variantsOf(old), variantsOf(now)];
    if (discriminator && before.length === after.length) this.#edit(path, "breaking", "another discriminator");
    if (after.length < before.length) return this.#edit(path, "breaking", "variants removed");
    before.forEach((one, i) => this.nodes(one, after[i], below(path, String(i)), below(from, String(i))));
    if (after.length > before.length) this.#edit(path, "additive", "variants added");
  }

  #edit(path: string, strength: EditClass, what: string): void {
    this.edits.push({ path, class: strength, what });
  }
}

function variantsOf(node: JsonObject): JsonObject[] {
  const list = node.anyOf ?? node.oneOf;
  return Array.isArray(list) ? list.filter(isObject) : [];
}

function spelled(kind: string): string {
  if (Object.hasOwn(KIND_OF_DTYPE, kind)) return KIND_OF_DTYPE[kind];
  return kind.replace(/^I(?=\d)/, "INT").replace(/^U(?=\d)/, "UINT").toUpperCase();
}

function below(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}
