/**
 * What a client asks of an answer that it cannot have: a method, a media type.
 *
 * @module
 */
import type { Caller } from "../request/bearer.ts";
import { errorAnswer } from "./answers.ts";
import { invalid } from "../request/invalid.ts";

/** A known path with a method that it does not have. */
export function notAllowed(allow: readonly string[]): Response {
  return new Response(null, { status: 405, headers: { allow: allow.join(", ") } });
}

/** Whether a client takes an event stream, going by `Accept` (RFC 9110 §12.5.1): absent takes everything. */
export function admitsEvents(accept: string | null): boolean {
  if (accept === null) return true;
  return accept.split(",").some((range) => {
    const [type, ...parameters] = range.split(";").map((part) => part.trim().toLowerCase());
    const refused = parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    return !refused && (type === "*/*" || type === "text/*" || type === "text/event-stream");
  });
}

/** `406`, for a client that takes no event stream. */
export function notAcceptable(caller: Caller): Response {
  return errorAnswer(invalid("the answer is text/event-stream, which accept does not admit"), { caller, status: 406 });
}
