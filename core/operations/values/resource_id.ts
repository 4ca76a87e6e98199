/**
 * Finds the resource that an input addresses (call.md §10.1).
 *
 * `$.target.id` and `$/target/id` name the same member. A path leads through objects only; it is no JSON Pointer
 * (RFC 6901): nothing is unescaped, and no index is followed.
 *
 * @module
 */
import { isObject, type JsonValue } from "./json.ts";

/** The members that a path leads through, or nothing when the path is malformed. */
export function resourcePath(path: string): readonly string[] | undefined {
  if (!path.startsWith("$.") && !path.startsWith("$/")) return undefined;
  const members = path.slice(2).split(/[./]/);
  return members.includes("") ? undefined : members;
}

/**
 * The id of the addressed resource, or nothing: where the path is malformed, leads nowhere, or ends on anything but a
 * string or a number. A number is an id in its shortest decimal form.
 */
export function resourceId(path: string, input: JsonValue): string | undefined {
  const members = resourcePath(path);
  if (members === undefined) return undefined;
  let value: JsonValue | undefined = input;
  for (const member of members) {
    if (!isObject(value) || !Object.hasOwn(value, member)) return undefined;
    value = value[member];
  }
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : undefined;
}
