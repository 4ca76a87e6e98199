/**
 * Messages as JSON, as public resolvers have them, and the queries that stand in a URL.
 *
 * @module
 */
import { formatName } from "./name.ts";
import { formatRdata } from "./rdata_text.ts";
import { EdnsCode, type Message, type Question, type Records, type ResourceRecord } from "./types.ts";

/** A record of {@linkcode DnsJson}. */
export interface JsonRecord {
  /** Whose. */
  readonly name: string;
  /** Its type, as a number. */
  readonly type: number;
  /** Seconds. */
  readonly TTL: number;
  /** Its data as master files have it. */
  readonly data: string;
}

/** A message; lists that are empty are left out. */
export interface DnsJson {
  /** Response code. */
  readonly Status: number;
  /** Flags. */
  readonly TC: boolean;
  /** See {@linkcode DnsJson.TC}. */
  readonly RD: boolean;
  /** See {@linkcode DnsJson.TC}. */
  readonly RA: boolean;
  /** See {@linkcode DnsJson.TC}. */
  readonly AD: boolean;
  /** See {@linkcode DnsJson.TC}. */
  readonly CD: boolean;
  /** What was asked for. */
  readonly Question: readonly { readonly name: string; readonly type: number }[];
  /** What answers it. */
  readonly Answer?: readonly JsonRecord[];
  /** Who knows more, or that there is nothing. */
  readonly Authority?: readonly JsonRecord[];
  /** Extended errors (RFC 8914). */
  readonly Comment?: string;
}

/** A message as JSON. */
export function jsonOf(message: Message): DnsJson {
  const { rcode, flags, question, answer, authority } = message;
  const comment = extendedErrors(message).map(({ code, words }) => `EDE ${code}: ${words}`).join("; ");
  return {
    Status: rcode,
    TC: flags.tc,
    RD: flags.rd,
    RA: flags.ra,
    AD: flags.ad,
    CD: flags.cd,
    Question: question ? [{ name: formatName(question.name), type: question.type }] : [],
    ...listed("Answer", answer),
    ...listed("Authority", authority),
    ...(comment !== "" && { Comment: comment }),
  };
}

/** Extended errors of a message, in order; their words are a peer's. */
export function extendedErrors({ edns }: Message): { readonly code: number; readonly words: string }[] {
  return (edns?.options ?? []).filter(({ code, data }) => code === EdnsCode.EXTENDED_ERROR && data.byteLength >= 2)
    .map(({ data }) => ({ code: data[0] << 8 | data[1], words: new TextDecoder().decode(data.subarray(2)) }));
}

/** Options of {@linkcode plainQuery}. */
export interface PlainQueryOptions {
  /** DO: signatures are wanted. */
  readonly dnssec?: boolean;
  /** CD: who asks validates. */
  readonly checkingDisabled?: boolean;
}

/** A query as a program makes it: recursion is asked for, and EDNS is spoken. */
export function plainQuery(
  question: Question,
  { dnssec = false, checkingDisabled = false }: PlainQueryOptions = {},
): Message {
  return {
    id: 0,
    response: false,
    opcode: 0,
    rcode: 0,
    flags: { aa: false, tc: false, rd: true, ra: false, ad: false, cd: checkingDisabled },
    question,
    answer: [],
    authority: [],
    additional: [],
    edns: { udpSize: 1232, version: 0, dnssecOk: dnssec, options: [] },
  };
}

function listed(name: "Answer" | "Authority", records: Records): Partial<DnsJson> {
  return records.length === 0 ? {} : { [name]: records.map(recordJson) };
}

function recordJson({ name, type, ttl, data }: ResourceRecord): JsonRecord {
  return { name: formatName(name), type, TTL: ttl, data: formatRdata(type, data) };
}
