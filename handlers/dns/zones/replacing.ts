/**
 * All records of a zone in place of those that it has, in one step.
 *
 * They stream into a table of their own, where the rules look at them, while everybody else may write. What differs from the
 * zone then is one transaction: it is as short as the difference is small, and what is the same is no change.
 *
 * @module
 */
import type { AlknetError } from "@alknet/core/handler";
import type { DatabaseSync } from "node:sqlite";
import type { DnsName } from "../codec/name.ts";
import { soaParts, withSerial } from "../codec/rdata_text.ts";
import { type ResourceRecord, Type } from "../codec/types.ts";
import { blob, ownerOf, type RawZone, recordOf, type RecordRow, zoneOf, type ZoneRow } from "./rows.ts";
import { checkRecord, checkWhole, DnsRuleError } from "./rules.ts";
import { nextSerial } from "./serial.ts";
import type { Difference, Replaced, ReplaceOptions } from "./store.ts";

/** What replacing asks of a database. */
export interface ReplacingOptions extends ReplaceOptions {
  /** Unix seconds. */
  readonly seconds: number;
  /** Records of the largest zone. */
  readonly maxRecords: number;
}

const INCOMING = `CREATE TEMP TABLE incoming (name BLOB NOT NULL, type INTEGER NOT NULL, data BLOB NOT NULL,
  ttl INTEGER NOT NULL, owner BLOB, seq INTEGER NOT NULL, PRIMARY KEY (name, type, data)) STRICT, WITHOUT ROWID`;
const COLUMNS = "name, type, data, ttl, owner";
const SAME = "a.name = b.name AND a.type = b.type AND a.data = b.data AND a.ttl = b.ttl AND a.owner IS b.owner";
const GONE = `FROM record AS a WHERE zone = ? AND NOT EXISTS (SELECT 1 FROM temp.incoming AS b WHERE ${SAME})`;
const NEW = `FROM temp.incoming AS a WHERE NOT EXISTS (SELECT 1 FROM record AS b WHERE b.zone = ? AND ${SAME})`;

/**
 * Replaces the records of a zone, which is made if it is not there. No transaction may be open.
 *
 * @throws {AlknetError} `DNS_RULE`; what SQLite throws where another writer is in the way.
 */
export function replaceRecords(
  database: DatabaseSync,
  name: DnsName,
  records: Iterable<ResourceRecord>,
  options: ReplacingOptions,
): Replaced {
  database.exec(INCOMING);
  try {
    const soa = transaction(database, "BEGIN", () => take(database, name, records, options));
    const difference = () => change(database, name, soa, options);
    const { added, removed, serial } = transaction(database, "BEGIN IMMEDIATE", difference, "nothing");
    return { added, removed, serial };
  } finally {
    database.exec("DROP TABLE temp.incoming");
  }
}

/** Takes the records in, as a zone has them. Gives the SOA. */
function take(
  database: DatabaseSync,
  name: DnsName,
  records: Iterable<ResourceRecord>,
  { maxRecords }: ReplacingOptions,
): ResourceRecord {
  const insert = database.prepare(
    `INSERT INTO temp.incoming (${COLUMNS}, seq) VALUES (?, ?, ?, ?, ?, ?) ` +
      "ON CONFLICT DO UPDATE SET ttl = excluded.ttl, seq = excluded.seq",
  );
  let count = 0;
  for (const record of records) {
    checkRecord(name, record);
    if (++count > maxRecords) throw tooMany(name, maxRecords);
    insert.run(blob(record.name.key), record.type, record.data, record.ttl, ownerOf(record.name), count);
  }
  oneTtlASet(database);
  const rows = database.prepare(`SELECT ${COLUMNS} FROM temp.incoming ORDER BY name, type, data`).iterate();
  checkWhole(name, recordsOf(rows as Iterable<unknown>));
  const sql = `SELECT ${COLUMNS} FROM temp.incoming WHERE name = ? AND type = ?`;
  return recordOf(database.prepare(sql).get(blob(name.key), Type.SOA) as unknown as RecordRow);
}

/** A set has one TTL (RFC 2181 §5.2): that of its last record. */
function oneTtlASet(database: DatabaseSync): void {
  const mixed = database.prepare(
    "SELECT name, type FROM temp.incoming GROUP BY name, type HAVING min(ttl) <> max(ttl)",
  ).all() as unknown as Pick<RecordRow, "name" | "type">[];
  const set = database.prepare(
    "UPDATE temp.incoming SET ttl = (SELECT ttl FROM temp.incoming WHERE name = ?1 AND type = ?2 ORDER BY seq DESC) " +
      "WHERE name = ?1 AND type = ?2",
  );
  for (const { name, type } of mixed) set.run(name, type);
}

/** Makes the difference. */
function change(
  database: DatabaseSync,
  name: DnsName,
  soa: ResourceRecord,
  { dryRun = false, onDifference, seconds }: ReplacingOptions,
): Replaced & { readonly nothing: boolean } {
  const before = rowOf(database, name);
  const row = before ?? made(database, name, soaParts(soa.data).numbers[0] || 1);
  // The serial alone is no difference.
  setIncomingSerial(database, soa, row.serial);
  if (onDifference) tell(database, row.id, onDifference);
  const removed = Number(database.prepare(`DELETE ${GONE}`).run(row.id).changes);
  const insert = `INSERT INTO record (zone, ${COLUMNS}) SELECT ?, ${COLUMNS} ${NEW}`;
  const added = Number(database.prepare(insert).run(row.id, row.id).changes);
  const nothing = dryRun || added + removed === 0;
  if (nothing) return { added, removed, serial: row.serial, nothing };
  const serial = before ? nextSerial(before.serial, seconds) : row.serial;
  setSerial(database, row, serial);
  return { added, removed, serial, nothing };
}

function tell(database: DatabaseSync, id: number, onDifference: NonNullable<ReplaceOptions["onDifference"]>): void {
  const looks: readonly (readonly [Difference, string])[] = [["-", GONE], ["+", NEW]];
  for (const [sign, sql] of looks) {
    const rows = database.prepare(`SELECT ${COLUMNS} ${sql} ORDER BY name, type, data`).iterate(id);
    for (const record of recordsOf(rows as Iterable<unknown>)) onDifference(sign, record);
  }
}

function rowOf(database: DatabaseSync, name: DnsName): ZoneRow | undefined {
  const row = database.prepare("SELECT id, name, kind, serial, records FROM zone WHERE name = ?").get(blob(name.key));
  return row && zoneOf(row as unknown as RawZone);
}

function made(database: DatabaseSync, name: DnsName, serial: number): ZoneRow {
  const sql = "INSERT INTO zone (name, kind, serial, records) VALUES (?, 'primary', ?, 0)";
  const id = Number(database.prepare(sql).run(blob(name.key), serial).lastInsertRowid);
  return { id, name, kind: "primary", serial, records: 0 };
}

function setIncomingSerial(database: DatabaseSync, { name, data }: ResourceRecord, serial: number): void {
  database.prepare("UPDATE temp.incoming SET data = ? WHERE name = ? AND type = ?")
    .run(withSerial(data, serial), blob(name.key), Type.SOA);
}

function setSerial(database: DatabaseSync, { id, name }: ZoneRow, serial: number): void {
  const sql = "SELECT data FROM record WHERE zone = ? AND name = ? AND type = ?";
  const { data } = database.prepare(sql).get(id, blob(name.key), Type.SOA) as { data: Uint8Array };
  database.prepare("UPDATE record SET data = ? WHERE zone = ? AND name = ? AND type = ?")
    .run(withSerial(data, serial), id, blob(name.key), Type.SOA);
  database.prepare(
    "UPDATE zone SET serial = ?, records = (SELECT count(*) FROM record WHERE zone = ?2) WHERE id = ?2",
  ).run(serial, id);
}

function* recordsOf(rows: Iterable<unknown>): Generator<ResourceRecord> {
  for (const row of rows) yield recordOf(row as RecordRow);
}

function transaction<T>(database: DatabaseSync, begin: string, action: () => T, undo?: keyof T): T {
  database.exec(begin);
  try {
    const result = action();
    database.exec(undo !== undefined && result[undo] ? "ROLLBACK" : "COMMIT");
    return result;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** More records than a zone may have: `DNS_RULE`. */
export function tooMany(name: DnsName, most: number): AlknetError {
  return new DnsRuleError(name, name, Type.SOA, `${most} records are held at most`);
}
