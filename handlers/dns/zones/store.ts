/**
 * Where zones are: the interface, which a database and a twin in memory have.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { type DnsName, formatName } from "../codec/name.ts";
import type { Records, ResourceRecord } from "../codec/types.ts";

/** A zone. */
export interface Zone {
  /** Its apex. */
  readonly name: DnsName;
  /** `primary`: its records are ours. */
  readonly kind: "primary" | "pkarr";
  /** Serial of its SOA. */
  readonly serial: number;
  /** How many records it has. */
  readonly records: number;
}

/** What is to be removed: of a name, or of a type at it, or one record. */
export interface Removal {
  /** Whose. */
  readonly name: DnsName;
  /** Of this type alone. */
  readonly type?: number;
  /** With this data alone. */
  readonly data?: Uint8Array;
}

/** A change of a zone; what is removed goes first. */
export interface ZoneChange {
  /** The serial that the zone must have. */
  readonly expectSerial?: number;
  /** What goes. */
  readonly remove?: readonly Removal[];
  /** What comes. */
  readonly add?: Records;
}

/** What came of {@linkcode ZoneStore.apply}: the zone now, and how many records are new and gone. */
export interface Applied extends Zone {
  /** Records that are new, or have another TTL. */
  readonly added: number;
  /** Records that are gone, or had another TTL. */
  readonly removed: number;
}

/** Which records of a zone are wanted. */
export interface PageOptions {
  /** Of this type alone. */
  readonly type?: number;
  /** What stands behind this one. */
  readonly after?: Pick<ResourceRecord, "name" | "type" | "data">;
  /** So many at most. */
  readonly limit: number;
}

/** Whether a record goes or comes. */
export type Difference = "-" | "+";

/** Options of {@linkcode ZoneStore.replace}. */
export interface ReplaceOptions {
  /** Nothing is changed; what would be is told. */
  readonly dryRun?: boolean;
  /** Told of each record that goes, then of each that comes. */
  readonly onDifference?: (sign: Difference, record: ResourceRecord) => void;
}

/** What came of {@linkcode ZoneStore.replace}. */
export interface Replaced {
  /** Records that are new, or have another TTL. */
  readonly added: number;
  /** Records that are gone, or had another TTL. */
  readonly removed: number;
  /** The zone's serial now. */
  readonly serial: number;
}

/** A zone as of one moment, whatever becomes of it meanwhile. */
export interface ZoneSnapshot extends Disposable {
  /** Its SOA. */
  readonly soa: ResourceRecord;
  /** The others, in canonical order. To be walked through once. */
  readonly others: Iterable<ResourceRecord>;
}

/** Zones and their records. All of it is synchronous. */
export interface ZoneStore extends Disposable {
  /** The zones, in order of their names. */
  list(): Zone[];
  /** The zone with the longest name that this one is or lies below. */
  find(name: DnsName): Zone | undefined;
  /** All records of a name. */
  at(zone: Zone, name: DnsName): Records;
  /** Some records of a zone, in canonical order. */
  page(zone: Zone, options: PageOptions): Records;
  /** Whether there is a name strictly below. */
  hasBelow(zone: Zone, name: DnsName): boolean;
  /** All records of a zone, its SOA first, as of one moment. */
  read(zone: Zone): Iterable<ResourceRecord>;
  /** A number that moves with every change of a zone, whoever makes it. */
  generation(zone: Zone): number;
  /** The same of the zone with a key. */
  generationOf(key: string): number;
  /**
   * Makes a zone.
   *
   * @param apex Its SOA and NS records.
   * @throws {AlknetError} `ZONE_EXISTS`, `DNS_RULE`, `DNS_BUSY`.
   */
  create(apex: Records, kind: Zone["kind"]): Zone;
  /**
   * Changes a zone, whole or not at all. What changes nothing keeps the serial.
   *
   * @throws {AlknetError} `NO_SUCH_ZONE`, `DNS_SERIAL`, `DNS_RULE`, `DNS_BUSY`.
   */
  apply(zone: Zone, change: ZoneChange): Applied;
  /**
   * Puts records in place of all that a zone has, which is made if it is not there. What is the same is no change: a serial
   * of its own is taken over by a new zone alone.
   *
   * @throws {AlknetError} `DNS_RULE`, `DNS_BUSY`.
   */
  replace(name: DnsName, records: Iterable<ResourceRecord>, options?: ReplaceOptions): Replaced;
  /** The zone as of now, for who takes long. Throws `NO_SUCH_ZONE`, `DNS_BUSY`. */
  snapshot(zone: Zone): ZoneSnapshot;
  /**
   * Tells of zones that have changed or come, whoever changes them.
   *
   * @param listener Must not throw.
   * @returns Ends it.
   */
  watch(listener: (zone: Zone) => void): Disposable;
  /** Removes a zone. Throws `NO_SUCH_ZONE`, `DNS_BUSY`. */
  remove(zone: Zone): void;
}

/** A zone that is not there: `NO_SUCH_ZONE`. */
export function noSuchZone(text: string): AlknetError {
  return new AlknetError("NO_SUCH_ZONE", `there is no zone ${text}; \`alknet dns zone create\` makes one`);
}

/** A zone that is there already: `ZONE_EXISTS`. */
export function exists(name: DnsName): AlknetError {
  return new AlknetError("ZONE_EXISTS", `zone ${formatName(name)} is there already; nothing was changed`);
}

/** A zone that has another serial: `DNS_SERIAL`. */
export function staleSerial({ name, serial }: Zone, expected: number): AlknetError {
  return new AlknetError(
    "DNS_SERIAL",
    `zone ${formatName(name)} has serial ${serial}, not ${expected}; it was changed since`,
  );
}
