/**
 * Records as people write them, and what becomes of a zone that is told to change.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import {
  type DnsName,
  formatName,
  formatRdata,
  formatRecord,
  formatType,
  nameInZone,
  parseDuration,
  parseRdata,
  parseType,
  type Records,
  type ResourceRecord,
  type Word,
  wordsOf,
  type Zone,
} from "@alknet/handlers/dns";
import { UsageError } from "../terminal/output.ts";
import type { RecordsPlace } from "./place.ts";
import { shown } from "./zones.ts";

/** What is to be done. */
export type RecordChange = "add" | "set" | "remove";

/** A record as somebody wrote it. */
export interface WrittenRecord {
  /** Relative to the zone unless it ends in a dot; whole already where it ends in the zone's name. */
  readonly name: string;
  /** Its type. */
  readonly type: string;
  /** Its data, in arguments. */
  readonly data: readonly string[];
  /** For how long it may be kept. */
  readonly ttl?: string;
}

/** What came of a change. */
export interface ChangedRecords {
  /** In a line. */
  readonly said: string;
  /** Records that are new. */
  readonly added: number;
  /** Records that are gone. */
  readonly removed: number;
  /** The zone's serial now. */
  readonly serial: number;
}

const TYPE_TXT = 16;
const CLASS_IN = 1;
const DEFAULT_TTL = 300;

/**
 * Changes a zone.
 *
 * @throws {UsageError} The record is not well-formed.
 * @throws {AlknetError} `NOT_FOUND`: nothing was there to be removed; what the store or the node throws.
 */
export async function changeRecords(
  zones: RecordsPlace,
  zone: Zone,
  what: RecordChange,
  written: WrittenRecord,
): Promise<ChangedRecords> {
  const { name, type, data } = read(zone, what, written);
  const there = (await zones.at(zone, name, type)).filter((record) => record.type === type);
  if (what === "remove") return await remove(zones, zone, { name, type, data }, there);
  const ttl = written.ttl === undefined ? there[0]?.ttl ?? DEFAULT_TTL : wellFormed(() => parseDuration(written.ttl!));
  const record: ResourceRecord = { name, type, class: CLASS_IN, ttl, data: data! };
  const same = there.filter((old) => equal(old.data, record.data));
  const { serial } = await zones.apply(zone, { remove: what === "set" ? [{ name, type }] : [], add: [record] });
  const replaced = what === "set" ? there.length - same.length : 0;
  const added = 1 - same.length;
  const unchanged = serial === zone.serial;
  const line = formatRecord(record);
  const said = unchanged
    ? `unchanged ${line}`
    : what === "set"
    ? `set ${line} (${replaced} replaced), serial ${serial}`
    : `added ${line}, serial ${serial}`;
  return { said, added, removed: replaced, serial };
}

async function remove(
  zones: RecordsPlace,
  zone: Zone,
  removal: { name: DnsName; type: number; data?: Uint8Array },
  there: Records,
): Promise<ChangedRecords> {
  const gone = there.filter(({ data }) => removal.data === undefined || equal(data, removal.data)).length;
  const what = `${shown(removal.name)} ${formatType(removal.type)}`;
  if (gone === 0) throw new AlknetError("NOT_FOUND", `${what}: there is no such record; nothing was changed`);
  const { serial } = await zones.apply(zone, { remove: [removal] });
  return {
    said: `removed ${gone} ${gone === 1 ? "record" : "records"}, serial ${serial}`,
    added: 0,
    removed: gone,
    serial,
  };
}

function read(zone: Zone, what: RecordChange, { name, type, data }: WrittenRecord) {
  return wellFormed(() => {
    const number = parseType(type);
    const words: Word[] = number === TYPE_TXT && data[0] !== "\\#"
      ? data.map((text) => ({ text: text.replaceAll("\\", "\\\\"), quoted: true }))
      : wordsOf(data.join(" "));
    if (words.length === 0 && what !== "remove") throw new UsageError(`${type} needs DATA`);
    const rdata = words.length === 0 ? undefined : parseRdata(number, words, zone.name);
    return { name: nameInZone(zone, name), type: number, data: rdata };
  });
}

/** The fields of a record. */
export function fieldsOf({ name, type, ttl, data }: ResourceRecord): Record<string, unknown> {
  return { name: formatName(name), type: formatType(type), ttl, data: formatRdata(type, data) };
}

function wellFormed<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError((error as Error).message);
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at]);
}
