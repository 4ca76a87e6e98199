/**
 * Text of foreign origin, which a terminal shows and does not obey.
 *
 * @module
 */
import type { JsonValue } from "@alknet/core/operations";

/** Text of foreign origin without what drives a terminal; line breaks stay. */
export function visible(text: string): string {
  // deno-lint-ignore no-control-regex -- those are what is looked for.
  return text.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** JSON for a terminal. */
export function jsonText(value: JsonValue, indent?: number): string {
  return visible(JSON.stringify(value, undefined, indent));
}
