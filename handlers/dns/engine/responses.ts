/**
 * Answers to queries, but for what they say.
 *
 * @module
 */
import type { Edns, EdnsOption, Message } from "../codec/types.ts";
import { type ExtendedError, extendedError } from "../extended_errors.ts";
import type { ZoneAnswer } from "./authority.ts";

/** Bytes of the largest answer over UDP that is offered where EDNS is spoken. */
const UDP_SIZE = 1232;

/** What a zone says, as an answer. */
export function answered(
  query: Message,
  { rcode, authoritative, answer, authority, additional }: ZoneAnswer,
  ra: boolean,
): Message {
  return { ...withRecursion(responseTo(query, rcode, authoritative), ra), answer, authority, additional };
}

/** An answer that says no more than a code. */
export function refusal(query: Message, rcode: number, error?: ExtendedError, ra = false): Message {
  const message = withRecursion(responseTo(query, rcode, false, error), ra);
  return { ...message, answer: [], authority: [], additional: [] };
}

/** An answer but for its records. */
export function responseTo(
  query: Message,
  rcode: number,
  aa: boolean,
  error?: ExtendedError,
): Omit<Message, "answer" | "authority" | "additional"> {
  const { id, opcode, question, flags: { rd, cd } } = query;
  const flags = { aa, tc: false, rd, ra: false, ad: false, cd };
  return { id, response: true, opcode, rcode, flags, question, edns: query.edns && ednsOf(query.edns, error) };
}

/** An answer with options of EDNS that are for this one alone. */
export function withOptions(message: Message, options: readonly EdnsOption[]): Message {
  const { edns } = message;
  return edns ? { ...message, edns: { ...edns, options: [...edns.options, ...options] } } : message;
}

function withRecursion<T extends Pick<Message, "flags">>(message: T, ra: boolean): T {
  return ra ? { ...message, flags: { ...message.flags, ra } } : message;
}

function ednsOf({ dnssecOk }: Edns, error: ExtendedError | undefined): Edns {
  return { udpSize: UDP_SIZE, version: 0, dnssecOk, options: error ? [extendedError(error)] : [] };
}
