/**
 * Zones in a SQLite database: names in memory, records not.
 *
 * A change is one transaction: whoever reads, in this process or another, sees it whole or not at all, and so does the next
 * start after a crash. The file may be edited by a command while a node serves from it; {@linkcode DnsStore.follow} notices.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { Buffer } from "node:buffer";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { type DnsName, formatName, nameOfKey } from "../codec/name.ts";
import { soaParts, withSerial } from "../codec/rdata_text.ts";
import { type Records, type ResourceRecord, Type } from "../codec/types.ts";
import { type PacketStore, SqlitePackets } from "../pkarr/packet_store.ts";
import { replaceRecords, tooMany } from "./replacing.ts";
import { differences } from "./differences.ts";
import { blob, ownerOf, rangeBelow, type RawZone, recordOf, type RecordRow, zoneOf, type ZoneRow } from "./rows.ts";
import { checkNames, checkRecord } from "./rules.ts";
import { assertVersion, INITIAL, PRAGMAS } from "./schema.ts";
import { nextSerial } from "./serial.ts";
import { snapshotOf } from "./snapshot.ts";
import {
  type Applied,
  exists,
  noSuchZone,
  type PageOptions,
  type Removal,
  type Replaced,
  type ReplaceOptions,
  staleSerial,
  type Zone,
  type ZoneChange,
  type ZoneSnapshot,
  type ZoneStore,
} from "./store.ts";

/** Options of {@linkcode openDnsStore}. */
export interface DnsStoreOptions {
  /** Milliseconds since 1970. Default: the system's. */
  readonly now?: () => number;
  /** Milliseconds to wait for another writer. Default 5000. */
  readonly busyTimeout?: number;
  /** Records of the largest zone. Default 5,000,000. */
  readonly maxRecords?: number;
  /** Signed packets at most. Default 1,000,000. */
  readonly maxPackets?: number;
}

/** An open database. */
export interface DnsStore extends Disposable {
  /** The zones in it. */
  readonly zones: ZoneStore;
  /** The signed packets in it. */
  readonly packets: PacketStore;
  /**
   * Looks for changes of other processes now and then, until it is disposed of.
   *
   * @param interval Milliseconds between looks. Default 250.
   */
  follow(interval?: number): Disposable;
}

const FOLLOW = 250;
const MAX_RECORDS = 5_000_000;

/**
 * Opens a database of zones, made if it is not there, for its owner alone.
 *
 * @param file Its path, or `:memory:`. Nobody else in this process may open and close it, nor watch its folder: that would
 *   give up the locks of this one (https://sqlite.org/howtocorrupt.html §2.2).
 * @throws {AlknetError} `DNS_STORE`: it is none, or of a version that is not known; nothing was touched. `DNS_BUSY`.
 */
export function openDnsStore(file: string, options: DnsStoreOptions = {}): DnsStore {
  if (file !== ":memory:") {
    Deno.mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    Deno.openSync(file, { read: true, write: true, create: true, mode: 0o600 }).close();
    assertVersion(file);
  }
  const zones = new SqliteZones(file, options);
  return {
    zones,
    packets: zones.packets(options.maxPackets),
    follow(interval = FOLLOW) {
      const timer = setInterval(() => zones.refresh(), interval);
      Deno.unrefTimer(timer);
      return { [Symbol.dispose]: () => clearInterval(timer) };
    },
    [Symbol.dispose]: () => zones[Symbol.dispose](),
  };
}

class SqliteZones implements ZoneStore {
  readonly #file: string;
  readonly #database: DatabaseSync;
  readonly #now: () => number;
  readonly #maxRecords: number;
  readonly #statements = new Map<string, StatementSync>();
  readonly #generations = new Map<string, number>();
  readonly #listeners = new Set<(zone: Zone) => void>();
  readonly #busyTimeout: number;
  #zones = new Map<string, ZoneRow>();
  #version = -1;

  constructor(file: string, { now = Date.now, busyTimeout = 5000, maxRecords = MAX_RECORDS }: DnsStoreOptions) {
    this.#file = file;
    this.#now = now;
    this.#maxRecords = maxRecords;
    this.#busyTimeout = busyTimeout;
    this.#database = new DatabaseSync(file, { timeout: busyTimeout });
    try {
      this.#guarded(() => {
        for (const pragma of PRAGMAS) this.#database.exec(pragma);
        this.#change(() => this.#database.exec(INITIAL));
      });
      this.refresh();
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  list(): Zone[] {
    return [...this.#zones.values()].sort((a, b) => a.name.key < b.name.key ? -1 : 1);
  }

  find(name: DnsName): Zone | undefined {
    if (this.#zones.size === 0) return undefined;
    for (let key = name.key;; key = key.slice(0, key.lastIndexOf("\0", key.length - 2) + 1)) {
      const zone = this.#zones.get(key);
      if (zone || key === "") return zone;
    }
  }

  at(zone: Zone, name: DnsName): Records {
    return this.#at(this.#row(zone).id, name);
  }

  page(zone: Zone, { type = 0, after, limit }: PageOptions): Records {
    const { id } = this.#row(zone);
    const sql = "SELECT name, type, data, ttl, owner FROM record WHERE zone = ?1 AND (?2 = 0 OR type = ?2) " +
      "AND (name, type, data) > (?3, ?4, ?5) ORDER BY name, type, data LIMIT ?6";
    const from = [blob(after?.name.key ?? ""), after?.type ?? -1, after?.data ?? blob("")] as const;
    return (this.#prepared(sql).all(id, type, ...from, limit) as unknown as RecordRow[]).map(recordOf);
  }

  hasBelow(zone: Zone, name: DnsName): boolean {
    const [from, to] = rangeBelow(name);
    const sql = "SELECT 1 FROM record WHERE zone = ? AND name > ? AND name < ? LIMIT 1";
    return this.#prepared(sql).get(this.#row(zone).id, from, to) !== undefined;
  }

  *read(zone: Zone): Iterable<ResourceRecord> {
    const { id, name } = this.#row(zone);
    const soa = this.#at(id, name).find(({ type }) => type === Type.SOA);
    if (soa) yield soa;
    const sql = "SELECT name, type, data, ttl, owner FROM record WHERE zone = ? ORDER BY name, type, data";
    for (const row of this.#database.prepare(sql).iterate(id)) {
      const record = recordOf(row as unknown as RecordRow);
      if (record.type !== Type.SOA) yield record;
    }
  }

  generation(zone: Zone): number {
    return this.generationOf(zone.name.key);
  }

  generationOf(key: string): number {
    return this.#generations.get(key) ?? 0;
  }

  create(apex: Records, kind: Zone["kind"]): Zone {
    const soa = apex.find(({ type }) => type === Type.SOA);
    if (!soa) throw new AlknetError("DNS_RULE", "a zone has a SOA");
    const { name } = soa;
    return this.#edit(name, () => {
      if (this.#select(name)) throw exists(name);
      const [serial] = soaParts(soa.data).numbers;
      const sql = "INSERT INTO zone (name, kind, serial, records) VALUES (?, ?, ?, 0)";
      const id = Number(this.#prepared(sql).run(blob(name.key), kind, serial).lastInsertRowid);
      this.#fill({ id, name, kind, serial, records: 0 }, apex);
    });
  }

  apply(zone: Zone, { expectSerial, remove = [], add = [] }: ZoneChange): Applied {
    let counts = { added: 0, removed: 0 };
    const after = this.#edit(zone.name, () => {
      const row = this.#select(zone.name) ?? fail(noSuchZone(formatName(zone.name)));
      if (expectSerial !== undefined && expectSerial !== row.serial) throw staleSerial(row, expectSerial);
      const before = new Map<string, Records>();
      const touch = (name: DnsName): void => {
        if (!before.has(name.key)) before.set(name.key, this.#at(row.id, name));
      };
      for (const removal of remove) {
        touch(removal.name);
        this.#remove(row.id, removal);
      }
      for (const record of add) {
        checkRecord(row.name, record);
        touch(record.name);
        this.#add(row.id, record);
      }
      const { names, ...rest } = differences(before, (name) => this.#at(row.id, name));
      if (names.length === 0) return false;
      counts = rest;
      this.#finish(row, names);
    });
    return { ...after, ...counts };
  }

  replace(name: DnsName, records: Iterable<ResourceRecord>, options: ReplaceOptions = {}): Replaced {
    const seconds = Math.floor(this.#now() / 1000);
    const all = { ...options, seconds, maxRecords: this.#maxRecords };
    const replaced = this.#guarded(() => replaceRecords(this.#database, name, records, all));
    this.#load();
    return replaced;
  }

  snapshot(zone: Zone): ZoneSnapshot {
    const { id, name } = this.#row(zone);
    if (this.#file !== ":memory:") return this.#guarded(() => snapshotOf(this.#file, id, name, this.#busyTimeout));
    const [soa, ...others] = this.read(zone);
    return { soa, others, [Symbol.dispose]() {} };
  }

  watch(listener: (zone: Zone) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  remove(zone: Zone): void {
    this.#edit(zone.name, () => {
      const row = this.#select(zone.name) ?? fail(noSuchZone(formatName(zone.name)));
      this.#prepared("DELETE FROM zone WHERE id = ?").run(row.id);
    });
  }

  /** Takes over what other processes have changed. */
  refresh(): void {
    try {
      const { data_version: version } = this.#prepared("PRAGMA data_version").get() as { data_version: number };
      if (version === this.#version) return;
      this.#version = version;
    } catch (error) {
      // Somebody writes: the next look will tell.
      if (isBusy(error)) return;
      throw error;
    }
    this.#load();
  }

  packets(maxPackets?: number): PacketStore {
    const guarded = <T>(action: () => T): T => this.#guarded(action);
    return new SqlitePackets(this.#database, {
      now: this.#now,
      maxPackets,
      guarded,
      change: (action) => guarded(() => this.#change(action)),
    });
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #load(): void {
    const rows = this.#prepared("SELECT id, name, kind, serial, records FROM zone").all() as unknown as RawZone[];
    const zones = new Map(rows.map((row) => zoneOf(row)).map((zone) => [zone.name.key, zone]));
    const changed: Zone[] = [];
    for (const key of new Set([...this.#zones.keys(), ...zones.keys()])) {
      const [before, after] = [this.#zones.get(key), zones.get(key)];
      if (before?.serial === after?.serial && before?.id === after?.id) continue;
      this.#generations.set(key, (this.#generations.get(key) ?? 0) + 1);
      if (after) changed.push(after);
    }
    this.#zones = zones;
    for (const zone of changed) for (const listener of this.#listeners) listener(zone);
  }

  /** One transaction, and what is known in memory after it. An action that gives `false` has changed nothing. */
  #edit(name: DnsName, action: () => void | false): Zone {
    this.#guarded(() => this.#change(action));
    this.#load();
    return this.#zones.get(name.key) ?? { name, kind: "primary", serial: 0, records: 0 };
  }

  #change<T>(action: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const made = action();
      this.#database.exec(made === false ? "ROLLBACK" : "COMMIT");
      return made;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #guarded<T>(action: () => T): T {
    try {
      return action();
    } catch (cause) {
      if (!isBusy(cause)) throw cause;
      throw new AlknetError("DNS_BUSY", `${this.#file} is being written by another program; try again`, { cause });
    }
  }

  /** Puts in all records of a zone that has none. */
  #fill(row: ZoneRow, records: Iterable<ResourceRecord>): void {
    const names = new Map<string, DnsName>();
    for (const record of records) {
      checkRecord(row.name, record);
      this.#add(row.id, record);
      names.set(record.name.key, record.name);
    }
    this.#finish(row, names.values(), row.records === 0);
  }

  /** Rules, serial and count of what a change has made. */
  #finish(row: ZoneRow, names: Iterable<DnsName>, fresh = false): void {
    const { id, name, serial } = row;
    const view = {
      apex: name,
      at: (other: DnsName) => this.#at(id, other),
      below: (other: DnsName) => this.#below(id, other),
    };
    checkNames(view, names);
    checkNames(view, [name]);
    const soa = this.#at(id, name).find(({ type }) => type === Type.SOA)!;
    const next = fresh ? serial : nextSerial(serial, Math.floor(this.#now() / 1000));
    this.#remove(id, { name, type: Type.SOA });
    this.#add(id, { ...soa, data: withSerial(soa.data, next) });
    const { count } = this.#prepared("SELECT count(*) AS count FROM record WHERE zone = ?").get(id) as {
      count: number;
    };
    if (count > this.#maxRecords) throw tooMany(name, this.#maxRecords);
    this.#prepared("UPDATE zone SET serial = ?, records = ? WHERE id = ?").run(next, count, id);
  }

  #select(name: DnsName): ZoneRow | undefined {
    const sql = "SELECT id, name, kind, serial, records FROM zone WHERE name = ?";
    const row = this.#prepared(sql).get(blob(name.key)) as RawZone | undefined;
    return row && zoneOf(row);
  }

  #row(zone: Zone): ZoneRow {
    return this.#zones.get(zone.name.key) ?? fail(noSuchZone(formatName(zone.name)));
  }

  #at(id: number, name: DnsName): ResourceRecord[] {
    const sql = "SELECT name, type, data, ttl, owner FROM record WHERE zone = ? AND name = ?";
    const rows = this.#prepared(sql).all(id, blob(name.key)) as unknown as RecordRow[];
    return rows.map(recordOf);
  }

  *#below(id: number, name: DnsName): Iterable<DnsName> {
    const sql = "SELECT DISTINCT name FROM record WHERE zone = ? AND name > ? AND name < ?";
    for (const row of this.#database.prepare(sql).all(id, ...rangeBelow(name)) as unknown as { name: Uint8Array }[]) {
      yield nameOfKey(Buffer.from(row.name).toString("latin1"));
    }
  }

  #add(id: number, { name, type, data, ttl }: ResourceRecord): void {
    const sql = "INSERT INTO record (zone, name, type, data, ttl, owner) VALUES (?, ?, ?, ?, ?, ?) " +
      "ON CONFLICT DO UPDATE SET ttl = excluded.ttl";
    this.#prepared(sql).run(id, blob(name.key), type, data, ttl, ownerOf(name));
    // A set has one TTL (RFC 2181 §5.2): the newest.
    this.#prepared("UPDATE record SET ttl = ? WHERE zone = ? AND name = ? AND type = ? AND ttl <> ?")
      .run(ttl, id, blob(name.key), type, ttl);
  }

  #remove(id: number, { name, type, data }: Removal): void {
    const key = blob(name.key);
    const sql = "DELETE FROM record WHERE zone = ? AND name = ?";
    if (type === undefined) this.#prepared(sql).run(id, key);
    else if (data === undefined) this.#prepared(`${sql} AND type = ?`).run(id, key, type);
    else this.#prepared(`${sql} AND type = ? AND data = ?`).run(id, key, type, data);
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, statement = this.#database.prepare(sql));
    return statement;
  }
}

/** The runtime gives no number, only SQLite's own words. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && /^database (?:table )?is locked/.test(error.message);
}

function fail(error: AlknetError): never {
  throw error;
}
