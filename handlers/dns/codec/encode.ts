/**
 * Writing messages: names compressed, cut to a size, padded (RFC 1035 §4.1, RFC 2181 §9, RFC 7830).
 *
 * @module
 */
import type { DnsName } from "./name.ts";
import { compressedFrom, compressedNames } from "./rdata.ts";
import {
  type Edns,
  EdnsCode,
  type EdnsOption,
  type Flags,
  type Message,
  type Records,
  type ResourceRecord,
  Type,
} from "./types.ts";

/** Options of {@linkcode encodeMessage}. */
export interface EncodeOptions {
  /** Bytes at most. Default 65,535. */
  readonly maxSize?: number;
  /** Pads to a multiple of so many bytes, where EDNS is spoken. */
  readonly padTo?: number;
}

/** Bytes of the longest message: its length is two bytes over a stream. */
export const MAX_MESSAGE = 65_535;
/** Offsets that a pointer reaches. */
const MAX_POINTER = 0x3fff;
/** Bytes of an OPT without options. */
const OPT_SIZE = 11;

/**
 * Writes a message. What does not fit goes, from the end: additional records, then authority, then sets of the answer, of
 * which a missing one is told by TC.
 */
export function encodeMessage(message: Message, options: EncodeOptions = {}): Uint8Array<ArrayBuffer> {
  const { maxSize = MAX_MESSAGE, padTo } = options;
  const writer = new MessageWriter(Math.min(maxSize, MAX_MESSAGE), optSize(message.edns));
  writer.question(message);
  let { tc } = message.flags;
  const answers = writer.sets(message.answer);
  tc ||= answers < message.answer.length;
  const authorities = tc ? 0 : writer.sets(message.authority);
  const additionals = tc || authorities < message.authority.length ? 0 : writer.sets(message.additional);
  const opt = message.edns ? writer.opt(message.edns, message.rcode, padTo) : 0;
  writer.header(message, { ...message.flags, tc }, [
    message.question ? 1 : 0,
    answers,
    authorities,
    additionals + opt,
  ]);
  return writer.bytes();
}

function optSize(edns: Edns | undefined): number {
  return edns ? OPT_SIZE + optionsSize(edns.options) : 0;
}

/** Bytes of options, each behind its code and length. */
export function optionsSize(options: readonly EdnsOption[]): number {
  return options.reduce((sum, { data }) => sum + 4 + data.byteLength, 0);
}

/**
 * Bytes of padding in an option of its own (RFC 7830) that make a message a multiple; what fits below the most that it may
 * have. Negative: no option.
 */
export function paddingOf(size: number, multiple: number | undefined, max: number = MAX_MESSAGE): number {
  if (multiple === undefined) return -1;
  return Math.min((multiple - (size + 4) % multiple) % multiple, max - size - 4);
}

class MessageWriter {
  #bytes = new Uint8Array(512);
  #view = new DataView(this.#bytes.buffer);
  #at = 12;
  /** Where suffixes of names are, by their bytes. */
  readonly #suffixes = new Map<string, number>();
  readonly #max: number;
  readonly #reserved: number;

  constructor(max: number, reserved: number) {
    this.#max = max;
    this.#reserved = reserved;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#at);
  }

  header({ id, response, opcode, rcode }: Message, flags: Flags, counts: readonly number[]): void {
    const { aa, tc, rd, ra, ad, cd } = flags;
    const bits = [[response, 0x8000], [aa, 0x400], [tc, 0x200], [rd, 0x100], [ra, 0x80], [ad, 0x20], [
      cd,
      0x10,
    ]] as const;
    let word = opcode << 11 | rcode & 0xf;
    for (const [set, bit] of bits) if (set) word |= bit;
    this.#view.setUint16(0, id);
    this.#view.setUint16(2, word);
    counts.forEach((count, n) => this.#view.setUint16(4 + 2 * n, count));
  }

  question({ question }: Message): void {
    if (!question) return;
    this.#name(question.name);
    this.#room(4);
    this.#view.setUint16(this.#at, question.type);
    this.#view.setUint16(this.#at + 2, question.class);
    this.#at += 4;
  }

  /**
   * Writes records, sets of one name and type whole or not at all. Returns how many were written; where some were not, nothing
   * with a name may follow.
   */
  sets(records: Records): number {
    let written = 0;
    while (written < records.length) {
      const first = records[written];
      let end = written + 1;
      while (end < records.length && records[end].type === first.type && sameWire(records[end].name, first.name)) end++;
      const before = this.#at;
      for (let n = written; n < end; n++) this.#record(records[n]);
      if (this.#at + this.#reserved > this.#max) {
        this.#at = before;
        return written;
      }
      written = end;
    }
    return written;
  }

  opt({ udpSize, version, dnssecOk, options }: Edns, rcode: number, padTo: number | undefined): number {
    const size = optionsSize(options);
    const padding = paddingOf(this.#at + OPT_SIZE + size, padTo, this.#max);
    const length = size + (padding < 0 ? 0 : 4 + padding);
    this.#room(OPT_SIZE + length);
    const view = this.#view;
    view.setUint8(this.#at, 0);
    view.setUint16(this.#at + 1, Type.OPT);
    view.setUint16(this.#at + 3, udpSize);
    view.setUint32(this.#at + 5, ((rcode >>> 4 << 24) | version << 16 | (dnssecOk ? 0x8000 : 0)) >>> 0);
    view.setUint16(this.#at + 9, length);
    this.#at += OPT_SIZE;
    for (const { code, data } of options) this.#option(code, data);
    if (padding >= 0) this.#option(EdnsCode.PADDING, new Uint8Array(padding));
    return 1;
  }

  #option(code: number, data: Uint8Array): void {
    this.#view.setUint16(this.#at, code);
    this.#view.setUint16(this.#at + 2, data.byteLength);
    this.#bytes.set(data, this.#at + 4);
    this.#at += 4 + data.byteLength;
  }

  #record({ name, type, class: kind, ttl, data }: ResourceRecord): void {
    this.#name(name);
    this.#room(10 + data.byteLength);
    const header = this.#at;
    this.#view.setUint16(header, type);
    this.#view.setUint16(header + 2, kind);
    this.#view.setUint32(header + 4, ttl);
    this.#at += 10;
    this.#rdata(type, data);
    this.#view.setUint16(header + 8, this.#at - header - 10);
  }

  #rdata(type: number, data: Uint8Array): void {
    let from = compressedFrom(type);
    if (from < 0) from = data.byteLength;
    this.#raw(data.subarray(0, from));
    for (let n = compressedNames(type); n > 0 && from < data.byteLength; n--) {
      const end = endOfName(data, from);
      this.#wire(data.subarray(from, end));
      from = end;
    }
    this.#raw(data.subarray(from));
  }

  #name({ wire }: DnsName): void {
    this.#wire(wire);
  }

  /** Writes a name; the longest suffix that stands before is a pointer to it. Letters count: they come back as they were. */
  #wire(wire: Uint8Array): void {
    for (let at = 0; wire[at] !== 0; at += wire[at] + 1) {
      const suffix = String.fromCharCode(...wire.subarray(at));
      const known = this.#suffixes.get(suffix);
      if (known !== undefined) {
        this.#room(2);
        this.#view.setUint16(this.#at, 0xc000 | known);
        this.#at += 2;
        return;
      }
      if (this.#at <= MAX_POINTER) this.#suffixes.set(suffix, this.#at);
      this.#raw(wire.subarray(at, at + 1 + wire[at]));
    }
    this.#room(1);
    this.#bytes[this.#at++] = 0;
  }

  #raw(bytes: Uint8Array): void {
    this.#room(bytes.byteLength);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.byteLength;
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.byteLength) return;
    const larger = new Uint8Array(Math.max(2 * this.#bytes.byteLength, this.#at + more));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

function endOfName(data: Uint8Array, at: number): number {
  while (data[at] !== 0) at += data[at] + 1;
  return at + 1;
}

function sameWire(a: DnsName, b: DnsName): boolean {
  return a === b || a.key === b.key;
}
