/**
 * Questions in a URL, and their answers as JSON.
 *
 * @module
 */
import { plainQuery } from "../codec/json.ts";
import { parseType } from "../codec/mnemonics.ts";
import { parseName } from "../codec/name.ts";
import { CLASS_IN, type Message, Type } from "../codec/types.ts";
import { DnsSyntaxError } from "../codec/errors.ts";

/** The media type of answers. */
export const JSON_TYPE = "application/dns-json";

/** The query in `?name=&type=&do=&cd=`, or the parameter that is wrong. */
export function queryIn(params: URLSearchParams): Message | "name" | "type" {
  const text = params.get("name") ?? "";
  const name = understood(() => parseName(text === "." || text.endsWith(".") ? text : `${text}.`));
  if (text === "" || text === "@" || !name) return "name";
  const typeText = params.get("type");
  const number = typeText === null ? Type.A : understood(() => typeOf(typeText));
  if (number === undefined) return "type";
  const options = { dnssec: isSet(params.get("do")), checkingDisabled: isSet(params.get("cd")) };
  return plainQuery({ name, type: number, class: CLASS_IN }, options);
}

function typeOf(text: string): number {
  return parseType(/^\d{1,5}$/.test(text) ? `TYPE${text}` : text);
}

function isSet(text: string | null): boolean {
  return text === "1" || text === "true";
}

function understood<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof DnsSyntaxError) return undefined;
    throw error;
  }
}
