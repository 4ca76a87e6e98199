/**
 * Answers out of signed packets: for `x.<key>`, and for `x.<key>.<zone>` where the zone is of the kind `pkarr`.
 *
 * @module
 */
import { type DnsName, isWithin, nameOf, nameOfKey } from "../codec/name.ts";
import { CLASS_IN, type Question, Rcode, type Records, type ResourceRecord, Type } from "../codec/types.ts";
import type { Lookups } from "../pkarr/lookups.ts";
import { keyOf } from "../pkarr/key.ts";
import type { SignedPacket } from "../pkarr/signed_packet.ts";
import type { Zone, ZoneStore } from "../zones/store.ts";
import { choose, negativeSoa, type ZoneAnswer } from "./authority.ts";

/** A name below a key. */
export interface KeyName {
  /** The key in z-base-32. */
  readonly nodeId: string;
  /** The zone above the key; absent where the key is the topmost label. */
  readonly zone?: Zone;
  /** The name as packets have it: without the zone. */
  readonly name: DnsName;
}

const NODE_ID_LENGTH = 52;
/** Seconds for which an answer may be kept: its key may have signed another meanwhile. */
const MAX_TTL = 300;
/** Links of a chain of aliases that are followed. */
const MAX_CHAIN = 8;

/** The key in a name, where one stands right below a zone of keys, or topmost. */
export function keyNameIn(name: DnsName, zone: Zone | undefined): KeyName | undefined {
  if (zone && zone.kind !== "pkarr") return undefined;
  const rest = name.key.slice(zone?.name.key.length ?? 0);
  const nodeId = rest.slice(0, rest.indexOf("\0"));
  if (nodeId.length !== NODE_ID_LENGTH || !keyOf(nodeId)) return undefined;
  return { nodeId, zone, name: nameOfKey(rest) };
}

/** Packets, as an engine asks for them. */
export class PacketAnswers {
  readonly #lookups: Lookups;
  readonly #zones: ZoneStore;

  /**
   * @param lookups Where packets are, or come from.
   * @param zones The zones of the node.
   */
  constructor(lookups: Lookups, zones: ZoneStore) {
    this.#lookups = lookups;
    this.#zones = zones;
  }

  /** Whether there are packets. */
  get any(): boolean {
    return this.#lookups.any;
  }

  /**
   * The answer to a question for a name below a key.
   *
   * @param ask Whether relays may be asked.
   * @param signal Who asked has left.
   */
  answer(
    question: Question,
    found: KeyName,
    ask: boolean,
    signal?: AbortSignal,
  ): ZoneAnswer | Promise<ZoneAnswer> {
    const packet = this.#lookups.find(found.nodeId, ask, signal);
    if (packet instanceof Promise) return packet.then((packet) => this.#from(packet, question, found));
    return this.#from(packet, question, found);
  }

  #from(packet: SignedPacket | undefined, { name: asked, type }: Question, { zone, name }: KeyName): ZoneAnswer {
    const answer: ResourceRecord[] = [];
    const seen = new Set<string>();
    const origin = packet?.origin;
    const records = (packet?.records ?? []).filter(isData);
    let leadsTo: DnsName | undefined;
    let rcode: number = Rcode.NOERROR;
    // The first owner is the name that was asked for; what an alias leads to has its own.
    for (let owner = asked, inPacket = name;;) {
      const there = records.filter((record) => record.name.key === inPacket.key);
      const isThere = there.length > 0 || records.some((record) => record.name.key.startsWith(inPacket.key));
      if (!isThere) rcode = Rcode.NXDOMAIN;
      const chosen = isThere ? choose(there, owner, type) : undefined;
      if (chosen?.kind !== "set" && chosen?.kind !== "alias") break;
      answer.push(...capped(chosen.records));
      if (chosen.kind === "set") return this.#done(zone, Rcode.NOERROR, answer);
      const target = nameOf(chosen.records[0].data);
      seen.add(inPacket.key);
      if (!origin || !isWithin(target, origin)) {
        // What lies in a zone of ours is found by whoever asks for it next.
        if (!this.#zones.find(target)) leadsTo = target;
        break;
      }
      if (seen.has(target.key) || seen.size > MAX_CHAIN) break;
      owner = inPacket = target;
    }
    return { ...this.#done(zone, rcode, answer), leadsTo };
  }

  #done(zone: Zone | undefined, rcode: number, answer: Records): ZoneAnswer {
    const negative = answer.length === 0 && zone;
    const authority = negative ? [negativeSoa(this.#zones, zone)] : [];
    return { rcode, authoritative: zone !== undefined, answer, authority, additional: [] };
  }
}

function capped(records: Records): ResourceRecord[] {
  return records.map((record) => ({ ...record, ttl: Math.min(record.ttl, MAX_TTL) }));
}

/** Whoever signs may write anything: what is about messages, or of another class, is no data. */
function isData({ type, class: kind }: ResourceRecord): boolean {
  return kind === CLASS_IN && type !== 0 && type !== Type.OPT && (type < 128 || type > 255);
}
