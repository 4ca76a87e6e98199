/**
 * What a client asks of an answer that it cannot have: a method, a media type.
 *
 * @module
 */
import type { Caller } from "../request/bearer.ts";
import { errorAnswer } from "./answers.ts";
import { invalid } from "../request/invalid.ts";

/** JSON. */
export const JSON_TYPE = "application/json";
/** Server-sent events. */
export const EVENT_STREAM = "text/event-stream";

/** A known path with a method that it does not have. */
export function notAllowed(allow: readonly string[]): Response {
  return new Response(null, { status: 405, headers: { allow: allow.join(", ") } });
}

/**
 * Whether a client takes an answer of a media type, going by `Accept` (RFC 9110 §12.5.1): absent takes everything, and of the
 * ranges that the type is in the closest one counts.
 */
export function admits(accept: string | null, type: string): boolean {
  if (accept === null || accept.trim() === "") return true;
  const ranges = ["*/*", `${type.slice(0, type.indexOf("/"))}/*`, type];
  let closest = -1;
  let weight = 0;
  for (const element of accept.split(",")) {
    const [range, ...parameters] = element.split(";").map((part) => part.trim().toLowerCase());
    const closeness = ranges.indexOf(range);
    if (closeness < closest || closeness < 0) continue;
    const refused = parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    if (closeness > closest) weight = 0;
    closest = closeness;
    if (!refused) weight = 1;
  }
  return weight > 0;
}

/** Whether a client takes an event stream. */
export function admitsEvents(accept: string | null): boolean {
  return admits(accept, EVENT_STREAM);
}

/** `406`, for a client that takes no event stream. */
export function notAcceptable(caller: Caller): Response {
  return errorAnswer(invalid("the answer is text/event-stream, which accept does not admit"), { caller, status: 406 });
}
