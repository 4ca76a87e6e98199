/**
 * Reading messages (RFC 1035 §4.1, RFC 6891).
 *
 * Whatever a header claims is held against what is left before anything is made of it: a question takes 5 bytes at least,
 * a record 11.
 *
 * @module
 */
import { DnsMalformedError, type MessageHead } from "./errors.ts";
import { readName } from "./name.ts";
import { readRdata } from "./rdata.ts";
import {
  type Edns,
  type EdnsOption,
  type Flags,
  type Message,
  type Question,
  type ResourceRecord,
  Type,
} from "./types.ts";

const HEADER = 12;
const MIN_QUESTION = 5;
const MIN_RECORD = 11;
/** Records that a query may have behind its question: an OPT, and what else there may be. */
const MAX_ADDITIONAL = 4;
const MAX_TTL = 0x8000_0000;

/**
 * Reads a message.
 *
 * @throws {DnsMalformedError} It is none; with what could be read of it.
 */
export function decodeMessage(bytes: Uint8Array): Message {
  if (bytes.byteLength < HEADER) throw new DnsMalformedError("a message has 12 bytes at least");
  const reader = new MessageReader(bytes);
  try {
    return reader.read();
  } catch (error) {
    if (error instanceof DnsMalformedError) throw new DnsMalformedError(error.message, error.rcode, reader.head);
    throw error;
  }
}

class MessageReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = HEADER;
  #question: Question | undefined;
  #edns: Edns | undefined;
  #extendedRcode = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get head(): MessageHead {
    const word = this.#view.getUint16(2);
    return {
      id: this.#view.getUint16(0),
      response: (word & 0x8000) !== 0,
      opcode: word >>> 11 & 0xf,
      flags: flagsOf(word),
      question: this.#question,
    };
  }

  read(): Message {
    const [questions, answers, authorities, additionals] = [4, 6, 8, 10].map((at) => this.#view.getUint16(at));
    const least = questions * MIN_QUESTION + (answers + authorities + additionals) * MIN_RECORD;
    if (least > this.#bytes.byteLength - HEADER) throw new DnsMalformedError("a message is shorter than it says");
    const { id, response, opcode, flags } = this.head;
    if (questions > 1) throw new DnsMalformedError("a message has one question");
    if (questions === 1) this.#question = this.#readQuestion();
    if (!response) this.#checkCounts(questions, answers, authorities, additionals);
    const answer = this.#records(answers);
    const authority = this.#records(authorities);
    const additional = this.#additional(additionals);
    if (this.#at !== this.#bytes.byteLength) throw new DnsMalformedError("bytes follow a message");
    const rcode = this.#extendedRcode << 4 | this.#view.getUint16(2) & 0xf;
    const edns = this.#edns;
    return { id, response, opcode, rcode, flags, question: this.#question, answer, authority, additional, edns };
  }

  #checkCounts(questions: number, answers: number, authorities: number, additionals: number): void {
    const most = this.#question?.type === Type.IXFR ? 1 : 0;
    if (questions !== 1) throw new DnsMalformedError("a query has one question");
    if (answers > 0 || authorities > most) throw new DnsMalformedError("a query has no answers");
    if (additionals > MAX_ADDITIONAL) throw new DnsMalformedError("a query has too many additional records");
  }

  #readQuestion(): Question {
    const { name, end } = readName(this.#bytes, this.#at);
    if (end + 4 > this.#bytes.byteLength) throw new DnsMalformedError("a question is cut off");
    this.#at = end + 4;
    return { name, type: this.#view.getUint16(end), class: this.#view.getUint16(end + 2) };
  }

  #records(count: number): ResourceRecord[] {
    const records: ResourceRecord[] = [];
    for (let n = 0; n < count; n++) {
      const record = this.#record();
      if (record.type === Type.OPT) throw new DnsMalformedError("EDNS stands among the additional records");
      records.push(record);
    }
    return records;
  }

  #additional(count: number): ResourceRecord[] {
    const records: ResourceRecord[] = [];
    for (let n = 0; n < count; n++) {
      const record = this.#record();
      if (record.type === Type.TSIG || record.type === Type.SIG) {
        throw new DnsMalformedError("signed messages are not served", 9);
      }
      if (record.type === Type.OPT) this.#takeEdns(record);
      else records.push(record);
    }
    return records;
  }

  #record(): ResourceRecord {
    const { name, end } = readName(this.#bytes, this.#at);
    if (end + 10 > this.#bytes.byteLength) throw new DnsMalformedError("a record is cut off");
    const type = this.#view.getUint16(end);
    const ttl = this.#view.getUint32(end + 4);
    const length = this.#view.getUint16(end + 8);
    const at = end + 10;
    if (at + length > this.#bytes.byteLength) throw new DnsMalformedError("the data of a record is cut off");
    this.#at = at + length;
    const data = readRdata(this.#bytes, at, length, type);
    // RFC 2181 §8: a TTL with its top bit set is 0. In an OPT these bytes are no TTL.
    const seconds = type !== Type.OPT && ttl >= MAX_TTL ? 0 : ttl;
    return { name, type, class: this.#view.getUint16(end + 2), ttl: seconds, data };
  }

  #takeEdns({ name, class: size, ttl, data }: ResourceRecord): void {
    if (this.#edns) throw new DnsMalformedError("EDNS is spoken twice");
    if (name.wire.byteLength > 1) throw new DnsMalformedError("EDNS has an owner");
    const version = ttl >>> 16 & 0xff;
    this.#extendedRcode = ttl >>> 24;
    this.#edns = {
      udpSize: Math.max(512, size),
      version,
      dnssecOk: (ttl & 0x8000) !== 0,
      options: optionsIn(data),
    };
    if (version > 0) throw new DnsMalformedError("EDNS of another version", 16);
  }
}

function optionsIn(data: Uint8Array): EdnsOption[] {
  const options: EdnsOption[] = [];
  for (let at = 0; at < data.byteLength;) {
    if (at + 4 > data.byteLength) throw new DnsMalformedError("an option of EDNS is cut off");
    const length = data[at + 2] << 8 | data[at + 3];
    if (at + 4 + length > data.byteLength) throw new DnsMalformedError("an option of EDNS is cut off");
    options.push({ code: data[at] << 8 | data[at + 1], data: data.subarray(at + 4, at + 4 + length) });
    at += 4 + length;
  }
  return options;
}

function flagsOf(word: number): Flags {
  return {
    aa: (word & 0x400) !== 0,
    tc: (word & 0x200) !== 0,
    rd: (word & 0x100) !== 0,
    ra: (word & 0x80) !== 0,
    ad: (word & 0x20) !== 0,
    cd: (word & 0x10) !== 0,
  };
}
