/**
 * Members of an input as parts of a request: path, query, headers, body (OpenAPI 3.1, Style Values; RFC 6570).
 *
 * @module
 */
import { CallError, type JsonValue } from "@alknet/core/operations";
import { isRecord } from "./openapi_document.ts";

/** Where a parameter stands. */
export type Place = "path" | "query" | "header";
/** How its value is written; `json` is for those whose content is JSON. */
export type ParameterStyle = "simple" | "form" | "spaceDelimited" | "pipeDelimited" | "deepObject" | "json";

/** A member of the input that goes to a place of the request. */
export interface RequestParameter {
  /** The member of the input. */
  readonly member: string;
  /** What it is called there. */
  readonly name: string;
  readonly place: Place;
  readonly style: ParameterStyle;
  /** Whether each item or member stands for itself. */
  readonly explode: boolean;
}

/** How a body is written. */
export interface BodyForm {
  readonly kind: "json" | "form" | "text";
  /** Its media type, as the document has it. */
  readonly type: string;
}

/** Between the items of a list that stand as one. */
const SEPARATORS = { form: ",", spaceDelimited: "%20", pipeDelimited: "|" } as const;

/** One segment, whatever it contains. Dots alone have a meaning that no encoding takes away. */
export function pathSegment(member: string, value: JsonValue | undefined, style: ParameterStyle = "simple"): string {
  const text = value === undefined || value === null
    ? ""
    : style === "json"
    ? encodeURIComponent(JSON.stringify(value))
    : simple(member, value, encodeURIComponent);
  if (text === "" || text === "." || text === "..") {
    throw new CallError("INVALID_INPUT", `/${member} must be a value that can stand in a path`);
  }
  return text;
}

/** The pairs of a query that a value makes, encoded. */
export function queryPairs({ member, name, style, explode }: RequestParameter, value: JsonValue): string[] {
  const pair = (key: string, text: string): string => `${encode(key)}=${text}`;
  if (style === "json") return [pair(name, encode(JSON.stringify(value)))];
  if (style === "deepObject") {
    if (!isRecord(value)) throw unwritable(member, "an object");
    return Object.entries(value).map(([key, item]) => pair(`${name}[${key}]`, encode(flat(member, item))));
  }
  if (Array.isArray(value)) {
    const items = value.map((item: JsonValue) => encode(flat(member, item)));
    if (explode) return items.map((item) => pair(name, item));
    return items.length === 0 ? [] : [pair(name, items.join(SEPARATORS[style as keyof typeof SEPARATORS]))];
  }
  if (isRecord(value)) {
    const members = Object.entries(value).map(([key, item]) => [encode(key), encode(flat(member, item))]);
    if (explode) return members.map(([key, item]) => `${key}=${item}`);
    return [pair(name, members.flat().join(SEPARATORS[style as keyof typeof SEPARATORS]))];
  }
  return [pair(name, encode(String(value)))];
}

/** The value of a header. */
export function headerValue(member: string, value: JsonValue, style: ParameterStyle = "simple"): string {
  const text = style === "json" ? JSON.stringify(value) : simple(member, value, String);
  // deno-lint-ignore no-control-regex
  if (/[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]/.test(text)) {
    throw new CallError("INVALID_INPUT", `/${member} must be a value that can stand in a header`);
  }
  return text;
}

/** A body in its form. */
export function bodyText({ kind }: BodyForm, body: JsonValue): string {
  if (kind === "json") return JSON.stringify(body);
  if (kind === "text") {
    if (typeof body === "object") throw unwritable("body", "text");
    return String(body);
  }
  if (!isRecord(body)) throw unwritable("body", "an object");
  const form = { member: "body", place: "query", style: "form", explode: true } as const;
  // As `style: form` has it, member by member: lists are repeated, and what is deeper has no form.
  return Object.entries(body).filter(([, value]) => value !== null).flatMap(([name, value]) => {
    if (isRecord(value)) throw unwritable(`body/${name}`, "text, a number, a boolean or a list of them");
    return queryPairs({ ...form, name, member: `body/${name}` }, value);
  }).join("&");
}

/** `style: simple`: lists and objects with commas, a list of names and values. */
function simple(member: string, value: JsonValue, encoded: (text: string) => string): string {
  if (Array.isArray(value)) return value.map((item: JsonValue) => encoded(flat(member, item))).join(",");
  if (!isRecord(value)) return encoded(String(value));
  return Object.entries(value).map(([key, item]) => `${encoded(key)},${encoded(flat(member, item))}`).join(",");
}

/** What stands in a list has no structure of its own: no style says how that would be written. */
function flat(member: string, value: JsonValue): string {
  if (typeof value === "object" && value !== null) throw unwritable(member, "without lists or objects inside");
  return String(value);
}

function unwritable(member: string, wanted: string): CallError {
  return new CallError("INVALID_INPUT", `/${member} must be ${wanted}, to be written as the service declares it`);
}

/** As forms have it (WHATWG URL, application/x-www-form-urlencoded), but that a space is %20, which queries need. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
