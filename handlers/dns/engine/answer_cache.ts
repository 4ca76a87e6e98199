/**
 * Encoded answers, so that a question asked again costs no look-up and no encoding.
 *
 * An answer is kept as bytes without padding. What differs between two who ask the same is written over a copy: the id, the
 * bits RD and CD, the letters of the question, and, at the end, options and padding.
 *
 * @module
 */
import { RecentMap } from "@alknet/core/handler";
import { MAX_MESSAGE, optionsSize, paddingOf } from "../codec/encode.ts";
import { EdnsCode, type EdnsOption, type Message } from "../codec/types.ts";

/** What an answer has on top for who asks, where EDNS is spoken. */
export interface Extras {
  /** To a multiple of how many bytes it is padded. */
  readonly padTo?: number;
  /** Options that are for this one alone. */
  readonly extra?: readonly EdnsOption[];
  /** Whether recursion is there for this one. */
  readonly ra?: boolean;
}

interface Entry {
  readonly bytes: Uint8Array;
  /** The generation of the zone that it is out of, and which. */
  readonly zone: string;
  readonly generation: number;
}

const HEADER = 12;
/** Bytes that an entry costs beside its own. */
const ENTRY_COST = 200;

/** A cache of answers, of which those used lately stay. */
export class AnswerCache {
  readonly #entries: RecentMap<string, Entry>;

  /** @param limit Bytes. */
  constructor(limit: number) {
    this.#entries = new RecentMap({ most: limit, costOf: cost });
  }

  /** How many answers it holds. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * The answer to a query, ready to be sent.
   *
   * @param generationOf What generation a zone has now.
   * @param extras What comes on top; nothing is found where there is no room for it.
   */
  get(
    query: Message,
    generationOf: (zone: string) => number,
    extras: Extras = {},
  ): Uint8Array<ArrayBuffer> | undefined {
    const key = keyOf(query);
    const entry = key === undefined ? undefined : this.#entries.get(key);
    if (!entry) return undefined;
    if (generationOf(entry.zone) !== entry.generation) {
      this.#entries.delete(key!);
      return undefined;
    }
    return personal(entry.bytes, query, extras);
  }

  /**
   * Keeps an answer.
   *
   * @param bytes As it is encoded without padding.
   */
  set(query: Message, bytes: Uint8Array, zone: string, generation: number): void {
    const key = keyOf(query);
    if (key === undefined) return;
    this.#entries.set(key, { bytes: bytes.slice(), zone, generation });
  }
}

/** What an answer depends on. */
function keyOf({ question, edns }: Message): string | undefined {
  if (!question) return undefined;
  return `${question.type} ${edns ? (edns.dnssecOk ? 2 : 1) : 0} ${question.name.key}`;
}

function cost(key: string, { bytes }: Entry): number {
  return ENTRY_COST + 2 * key.length + bytes.byteLength;
}

/** A copy for who asks. */
function personal(
  bytes: Uint8Array,
  query: Message,
  { padTo, extra = [], ra = false }: Extras,
): Uint8Array<ArrayBuffer> | undefined {
  const options = query.edns ? extra : [];
  const end = bytes.byteLength + optionsSize(options);
  if (end > MAX_MESSAGE) return undefined;
  const padding = query.edns ? paddingOf(end, padTo) : -1;
  const copy = new Uint8Array(end + (padding < 0 ? 0 : 4 + padding));
  copy.set(bytes);
  const view = new DataView(copy.buffer);
  view.setUint16(0, query.id);
  // RD and CD come back as they were sent; RA is for who may.
  copy[2] = copy[2] & ~0x01 | (query.flags.rd ? 0x01 : 0);
  copy[3] = copy[3] & ~0x90 | (query.flags.cd ? 0x10 : 0) | (ra ? 0x80 : 0);
  copy.set(query.question!.name.wire, HEADER);
  if (copy.byteLength === bytes.byteLength) return copy;
  // The OPT is last, and its length the last of its 11 bytes; its options are those of the cached answer: none.
  view.setUint16(bytes.byteLength - 2, copy.byteLength - bytes.byteLength);
  let at = bytes.byteLength;
  for (const { code, data } of options) {
    view.setUint16(at, code);
    view.setUint16(at + 2, data.byteLength);
    copy.set(data, at + 4);
    at += 4 + data.byteLength;
  }
  if (padding >= 0) {
    view.setUint16(at, EdnsCode.PADDING);
    view.setUint16(at + 2, padding);
  }
  return copy;
}

/** Whether an encoded answer can be kept: its OPT, if it has one, is last and without options. */
export function isKeepable({ edns }: Message): boolean {
  return !edns || edns.options.length === 0;
}
