/**
 * What all fronts share: what they are given, and how they answer what only half can be read.
 *
 * @module
 */
import { decodeMessage } from "../codec/decode.ts";
import { DnsMalformedError, type MessageHead } from "../codec/errors.ts";
import { EdnsCode, type EdnsOption, type Message } from "../codec/types.ts";
import type { Engine } from "../engine/engine.ts";
import type { Rates } from "../engine/rates.ts";
import type { DnsLimits } from "../limits.ts";
import type { Transfers } from "../transfer/transfer.ts";

/** What a front is given. */
export interface FrontParts {
  /** Answers. */
  readonly engine: Engine;
  /** How often one caller may ask. */
  readonly rates: Rates;
  /** Limits. */
  readonly limits: DnsLimits;
  /** Zones to those who may have all of them; without it transfers are refused. */
  readonly transfers?: Transfers;
}

/** Bytes of the shortest message. */
export const HEADER = 12;
/** Multiple of bytes to which an answer is padded, where the query was (RFC 8467 §4.1). */
const PAD_TO = 468;

/** To a multiple of how many bytes the answer to a query is padded: nobody pads unasked (RFC 7830 §4). */
export function padOf(query: Message): number | undefined {
  return optionOf(query, EdnsCode.PADDING) && PAD_TO;
}

/** An option of a message. */
export function optionOf({ edns }: Message, code: number): EdnsOption | undefined {
  return edns?.options.find((option) => option.code === code);
}

/**
 * A query; where only its header can be read, the answer that says so (it has `response`); of all else, an answer of
 * others with it, nothing.
 */
export function queryOrRefusal(bytes: Uint8Array): Message | undefined {
  try {
    const query = decodeMessage(bytes);
    // What answers an answer goes to and fro for ever.
    return query.response ? undefined : query;
  } catch (error) {
    if (!(error instanceof DnsMalformedError)) throw error;
    const { head, rcode } = error;
    return head && !head.response ? malformed(head, rcode) : undefined;
  }
}

/** The answer to what cannot be read. */
export function malformed(head: MessageHead, rcode: number): Message {
  const { id, opcode, question, flags: { rd, cd } } = head;
  const flags = { aa: false, tc: false, rd, ra: false, ad: false, cd };
  // BADVERS has its upper bits in EDNS (RFC 6891 §6.1.3).
  const edns = rcode > 15 ? { udpSize: 1232, version: 0, dnssecOk: false, options: [] } : undefined;
  return { id, response: true, opcode, rcode, flags, question, answer: [], authority: [], additional: [], edns };
}

/** Messages, each behind its length, as one piece. */
export function framed(messages: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(messages.reduce((sum, { byteLength }) => sum + 2 + byteLength, 0));
  let at = 0;
  for (const message of messages) {
    whole[at] = message.byteLength >>> 8;
    whole[at + 1] = message.byteLength & 0xff;
    whole.set(message, at + 2);
    at += 2 + message.byteLength;
  }
  return whole;
}

/** Two pieces as one. */
export function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const whole = new Uint8Array(a.byteLength + b.byteLength);
  whole.set(a);
  whole.set(b, a.byteLength);
  return whole;
}
