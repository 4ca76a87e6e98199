/**
 * Reading master files (RFC 1035 §5, RFC 2308 §4, RFC 3597 §5), record by record.
 *
 * There are `$ORIGIN` and `$TTL`. `$INCLUDE` would read files that nobody named, `$GENERATE` make as many records as it
 * likes: both are refused. What signs a zone (RRSIG, NSEC, NSEC3, NSEC3PARAM) is left out, since a zone is not signed here.
 *
 * @module
 */
import { parseDuration } from "../../codec/duration.ts";
import { DnsSyntaxError } from "../../codec/errors.ts";
import { formatType, parseType } from "../../codec/mnemonics.ts";
import { type DnsName, parseName } from "../../codec/name.ts";
import { parseRdata, soaParts } from "../../codec/rdata_text.ts";
import { CLASS_IN, type ResourceRecord, Type } from "../../codec/types.ts";
import { MasterFileError } from "./errors.ts";
import { entriesOf, type Entry, type PlacedWord } from "./lexer.ts";

/** A record, and where it stands. */
export interface MasterRecord {
  /** The record. */
  readonly record: ResourceRecord;
  /** The line of its type, from 1. */
  readonly line: number;
  /** The first character of its type, from 1. */
  readonly column: number;
}

const LEFT_OUT: ReadonlySet<number> = new Set([Type.RRSIG, Type.NSEC, Type.NSEC3, Type.NSEC3PARAM]);
const DURATION = /^(?:\d+|(?:\d+[smhdw])+)$/i;
const CLASS = /^(?:IN|CH|HS|CS|NONE|CLASS\d+)$/i;

/** Stands for an origin that there is not: whoever looks at it is told so. */
const NOWHERE: DnsName = {
  get wire(): never {
    throw new DnsSyntaxError("a name without its last dot, and no $ORIGIN before it");
  },
  get key(): never {
    return NOWHERE.wire as never;
  },
};

/**
 * The records of a master file, in order.
 *
 * @param pieces The file, cut anywhere.
 * @param origin What names are relative to before `$ORIGIN`. Default: there is to be one.
 * @throws {MasterFileError} It is none.
 */
export function* readMaster(pieces: Iterable<string>, origin?: DnsName): Generator<MasterRecord> {
  const reader = new MasterReader(origin ?? NOWHERE);
  for (const entry of entriesOf(pieces)) {
    const record = reader.take(entry);
    if (record && !LEFT_OUT.has(record.record.type)) yield record;
  }
}

class MasterReader {
  #origin: DnsName;
  #owner: DnsName | undefined;
  /** As it was written; most owners are that of the entry before. */
  #ownerText: string | undefined;
  #ttl: number | undefined;
  #minimum: number | undefined;

  constructor(origin: DnsName) {
    this.#origin = origin;
  }

  take({ indented, words }: Entry): MasterRecord | undefined {
    const [first] = words;
    if (!indented && !first.quoted && first.text.startsWith("$")) return void this.#direct(words);
    if (!indented) at(first, () => this.#own(first));
    if (!this.#owner) throw new MasterFileError(first.line, first.column, "no owner stands before it");
    return this.#record(this.#owner, indented ? words : words.slice(1), words.at(-1)!);
  }

  #own({ text }: PlacedWord): void {
    if (text === this.#ownerText) return;
    const name = parseName(text, this.#origin);
    // An origin that there is not says so here.
    this.#owner = name.wire && name;
    this.#ownerText = text;
  }

  #direct([directive, argument, ...more]: readonly PlacedWord[]): void {
    const name = directive.text.toUpperCase();
    if (name !== "$ORIGIN" && name !== "$TTL") {
      const refused = name === "$INCLUDE" || name === "$GENERATE";
      const reason = refused ? `${name} is not read; write its records out` : `${name} is no directive`;
      throw new MasterFileError(directive.line, directive.column, reason);
    }
    if (!argument || more.length > 0) {
      throw new MasterFileError(directive.line, directive.column, `${name} has one word behind it`);
    }
    at(argument, () => {
      if (name === "$TTL") return void (this.#ttl = parseDuration(argument.text));
      this.#origin = parseName(argument.text, this.#origin);
      this.#ownerText = undefined;
      void this.#origin.wire;
    });
  }

  #record(owner: DnsName, words: readonly PlacedWord[], last: PlacedWord): MasterRecord {
    let ttl: number | undefined;
    let hasClass = false;
    let n = 0;
    for (; n < words.length; n++) {
      const word = words[n];
      if (ttl === undefined && DURATION.test(word.text)) ttl = at(word, () => parseDuration(word.text));
      else if (!hasClass && CLASS.test(word.text)) {
        hasClass = true;
        if (!/^(?:IN|CLASS1)$/i.test(word.text)) fail(word, `class ${word.text}: a zone holds IN alone`);
      } else break;
    }
    const word = words[n];
    if (!word) fail(last, "no type stands here");
    const type = at(word, () => parseType(word.text));
    const data = at(word, () => parseRdata(type, words.slice(n + 1), this.#origin));
    if (type === Type.SOA) this.#minimum ??= soaParts(data).numbers[4];
    ttl ??= this.#ttl ?? this.#minimum;
    if (ttl === undefined) fail(word, `${formatType(type)} has no TTL, and neither $TTL nor a SOA stands before it`);
    return { record: { name: owner, type, class: CLASS_IN, ttl, data }, line: word.line, column: word.column };
  }
}

/** What goes wrong is told with its place. */
function at<T>(word: PlacedWord, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof DnsSyntaxError) fail(word, error.message);
    throw error;
  }
}

function fail({ line, column }: PlacedWord, reason: string): never {
  throw new MasterFileError(line, column, reason);
}
