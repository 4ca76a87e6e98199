/**
 * Text of foreign origin, which a terminal shows and does not obey.
 *
 * @module
 */
import type { JsonValue } from "@alknet/core/operations";

/** Text of foreign origin without what drives a terminal; line breaks and tabs stay. */
export function visible(text: string): string {
  // deno-lint-ignore no-control-regex -- those are what is looked for.
  return text.replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/g, escaped);
}

/** The same on one line, for a part of a line that something else follows or stands beneath. */
export function visibleLine(text: string): string {
  return visible(text).replace(/[\t\n]/g, escaped);
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** JSON for a terminal. */
export function jsonText(value: JsonValue, indent?: number): string {
  return visible(JSON.stringify(value, undefined, indent));
}
