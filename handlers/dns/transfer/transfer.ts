/**
 * Zones to those who have them too (RFC 5936, RFC 9103): all records as of one moment, in messages of 16 KiB, written as
 * fast as the peer reads.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { callerKey, type DnsCaller } from "../caller.ts";
import { encodeMessage, type EncodeOptions } from "../codec/encode.ts";
import { sameName } from "../codec/name.ts";
import { soaParts } from "../codec/rdata_text.ts";
import { CLASS_IN, type Message, Rcode, type ResourceRecord, Type } from "../codec/types.ts";
import { refusal, responseTo } from "../engine/responses.ts";
import { EDE, type ExtendedError } from "../extended_errors.ts";
import type { Rates } from "../engine/rates.ts";
import { isAhead } from "../zones/serial.ts";
import type { Zone, ZoneSnapshot, ZoneStore } from "../zones/store.ts";

/** Options of {@linkcode Transfers}. */
export interface TransfersOptions {
  /** The zones. */
  readonly zones: ZoneStore;
  /** Whether somebody may have all of a zone. */
  readonly mayTransfer: (caller: DnsCaller, zone: Zone) => boolean;
  /** Counts and logs what is refused. */
  readonly rates: Rates;
}

/** A transfer that has begun. Disposing of it ends it. */
export interface Transfer extends Disposable {
  /** Its messages, in order. To be walked through once. */
  readonly messages: Iterable<Uint8Array>;
}

/** Transfers of one peer at a time. */
const A_PEER = 2;
/** Transfers at a time. */
const IN_ALL = 8;
/** Bytes of a message, before names are compressed: pointers reach no further. */
const MESSAGE = 16 * 1024;
/** Bytes of a record around its name and data. */
const RECORD = 10;

/** Whether this asks for a zone. */
export function asksForTransfer({ opcode, question }: Message): boolean {
  return opcode === 0 && question !== undefined && question.class === CLASS_IN &&
    (question.type === Type.AXFR || question.type === Type.IXFR);
}

/** The transfers of a node. */
export class Transfers {
  readonly #options: TransfersOptions;
  /** How many run, by caller. */
  readonly #running = new Map<string, number>();
  #count = 0;

  /**
   * None runs yet.
   *
   * @param options Zones, and who may have them.
   */
  constructor(options: TransfersOptions) {
    this.#options = options;
  }

  /** Begins one, or refuses it: then there is one message, which says so. */
  begin(query: Message, caller: DnsCaller, padTo?: number): Transfer {
    const refused = (rcode: number, error?: ExtendedError): Transfer => ({
      messages: [encodeMessage(refusal(query, rcode, error), { padTo })],
      [Symbol.dispose]() {},
    });
    const { zones, mayTransfer, rates } = this.#options;
    const { name, type } = query.question!;
    const zone = zones.find(name);
    if (!zone || !sameName(zone.name, name) || !mayTransfer(caller, zone)) {
      rates.refuse(caller, "transfer");
      return refused(Rcode.REFUSED, EDE.NO_TRANSFER);
    }
    const known = type === Type.IXFR ? serialIn(query) : undefined;
    if (type === Type.IXFR && known === undefined) return refused(Rcode.FORMERR);
    const release = this.#take(callerKey(caller));
    if (!release) {
      rates.refuse(caller, "transfer");
      return refused(Rcode.REFUSED);
    }
    try {
      const snapshot = zones.snapshot(zone);
      return running(query, snapshot, known, { padTo }, release);
    } catch (error) {
      release();
      // Removed by another process, or a database that somebody holds.
      if (!(error instanceof AlknetError)) throw error;
      return refused(error.code === "NO_SUCH_ZONE" ? Rcode.REFUSED : Rcode.SERVFAIL);
    }
  }

  #take(key: string): (() => void) | undefined {
    const running = this.#running.get(key) ?? 0;
    if (running >= A_PEER || this.#count >= IN_ALL) return undefined;
    this.#running.set(key, running + 1);
    this.#count++;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      this.#count--;
      const left = this.#running.get(key)! - 1;
      if (left === 0) this.#running.delete(key);
      else this.#running.set(key, left);
    };
  }
}

function running(
  query: Message,
  snapshot: ZoneSnapshot,
  known: number | undefined,
  options: EncodeOptions,
  release: () => void,
): Transfer {
  const { soa, others } = snapshot;
  const [serial] = soaParts(soa.data).numbers;
  // RFC 1995 §2: who is not behind gets the SOA alone.
  const isUpToDate = known !== undefined && !isAhead(serial, known);
  const records = isUpToDate ? [soa] : bracketed(soa, others);
  return {
    messages: messagesOf(query, records, options),
    [Symbol.dispose]() {
      snapshot[Symbol.dispose]();
      release();
    },
  };
}

/** The SOA stands at both ends (RFC 5936 §2.2). */
function* bracketed(soa: ResourceRecord, others: Iterable<ResourceRecord>): Generator<ResourceRecord> {
  yield soa;
  yield* others;
  yield soa;
}

function* messagesOf(
  query: Message,
  records: Iterable<ResourceRecord>,
  options: EncodeOptions,
): Generator<Uint8Array> {
  let answer: ResourceRecord[] = [];
  let size = 0;
  const take = (): Uint8Array => {
    const message = { ...responseTo(query, Rcode.NOERROR, true), answer, authority: [], additional: [] };
    answer = [];
    size = 0;
    return encodeMessage(message, options);
  };
  for (const record of records) {
    const more = record.name.wire.byteLength + RECORD + record.data.byteLength;
    if (size + more > MESSAGE && answer.length > 0) yield take();
    answer.push(record);
    size += more;
  }
  if (answer.length > 0) yield take();
}

/** The serial that a client of IXFR has. */
function serialIn({ authority, question }: Message): number | undefined {
  const [soa] = authority;
  if (soa?.type !== Type.SOA || !sameName(soa.name, question!.name)) return undefined;
  return soaParts(soa.data).numbers[0];
}
