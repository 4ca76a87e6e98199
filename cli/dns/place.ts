/**
 * Zones where they are, in a home folder or at a node: what commands ask of both.
 *
 * @module
 */
import type { DnsName, Records, Replaced, ResourceRecord, Zone, ZoneChange } from "@alknet/handlers/dns";
import type { ImportOptions } from "./masters.ts";

/** What a new zone is told. */
export interface NewZoneTold {
  /** Its name servers; none: `ns` in the zone. */
  readonly servers: readonly DnsName[];
  /** Who is responsible, as `a@host`. Default: `hostmaster` of the zone. */
  readonly mail?: string;
  /** What it is. */
  readonly kind: Zone["kind"];
}

/** Records that can be looked at and changed. */
export interface RecordsPlace {
  /** Records of a name; those of the type are among them. */
  at(zone: Zone, name: DnsName, type?: number): Records | Promise<Records>;
  /** Changes a zone, whole or not at all; gives it as it is then. */
  apply(zone: Zone, change: ZoneChange): Pick<Zone, "serial"> | Promise<Pick<Zone, "serial">>;
}

/** Zones that commands work on. What they throw has the codes of the operations `dns/…`. */
export interface ZonesPlace extends RecordsPlace {
  /** The zones. */
  list(): Promise<readonly Zone[]>;
  /** The zone of a name as a person wrote it. Throws `NO_SUCH_ZONE`. */
  named(text: string): Promise<Zone>;
  /** Makes a zone. */
  create(name: DnsName, told: NewZoneTold): Promise<Zone>;
  /** Removes a zone; says how many records went with it. */
  remove(zone: Zone): Promise<number>;
  /** All records as of one moment, SOA first, some at a time. */
  records(zone: Zone): AsyncIterable<Iterable<ResourceRecord>>;
  /** Puts a master file in place of a zone's records; the zone is made if it is not there. */
  import(name: DnsName, file: string, options: ImportOptions): Promise<Replaced>;
  /** The file of a configuration that leaves the zones unanswered for, where it is known that one does. */
  unserved(): Promise<string | undefined>;
}
