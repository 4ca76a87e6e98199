/**
 * Rows of the database, and what they stand for.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type DnsName, nameOf, nameOfKey } from "../codec/name.ts";
import { CLASS_IN, type ResourceRecord } from "../codec/types.ts";
import type { Zone } from "./store.ts";

/** A zone, and its number in the database. */
export interface ZoneRow extends Zone {
  /** The number. */
  readonly id: number;
}

/** A row of `zone`. */
export interface RawZone {
  /** Its number. */
  readonly id: number;
  /** Key of its apex. */
  readonly name: Uint8Array;
  /** As {@linkcode Zone} has it. */
  readonly kind: Zone["kind"];
  /** Serial of its SOA. */
  readonly serial: number;
  /** How many records it has. */
  readonly records: number;
}

/** A row of `record`. */
export interface RecordRow {
  /** Key of its owner. */
  readonly name: Uint8Array;
  /** Its type. */
  readonly type: number;
  /** Its data. */
  readonly data: Uint8Array;
  /** Seconds. */
  readonly ttl: number;
  /** Its owner's wire form, where that has capital letters. */
  readonly owner: Uint8Array | null;
}

/** The zone of a row. */
export function zoneOf({ name, ...rest }: RawZone): ZoneRow {
  return { ...rest, name: nameOfKey(Buffer.from(name).toString("latin1")) };
}

/** The record of a row. */
export function recordOf({ name, type, data, ttl, owner }: RecordRow): ResourceRecord {
  const own = owner ? nameOf(owner) : nameOfKey(Buffer.from(name).toString("latin1"));
  return { name: own, type, class: CLASS_IN, ttl, data };
}

/** What stands in `owner` for a name: nothing where its letters are small. */
export function ownerOf({ key, wire }: DnsName): Uint8Array | null {
  for (const byte of wire) {
    // Lengths of labels are below 64, no capital letter.
    if (byte >= 0x41 && byte <= 0x5a) return Buffer.compare(nameOfKey(key).wire, wire) === 0 ? null : wire;
  }
  return null;
}

/** A key as the database has it. */
export function blob(key: string): Uint8Array {
  return Buffer.from(key, "latin1");
}

/** Keys strictly below a name: they begin with its own, which ends in 0. */
export function rangeBelow({ key }: DnsName): [from: Uint8Array, to: Uint8Array] {
  const to = key === "" ? Buffer.alloc(260, 0xff) : Buffer.from(`${key.slice(0, -1)}\x01`, "latin1");
  return [blob(key), to];
}
