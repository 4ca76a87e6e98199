/**
 * A zone as of one moment: a transaction that reads, on a connection of its own, so that others may write meanwhile.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import { type DnsName, formatName } from "../codec/name.ts";
import { type ResourceRecord, Type } from "../codec/types.ts";
import { blob, recordOf, type RecordRow } from "./rows.ts";
import { noSuchZone, type ZoneSnapshot } from "./store.ts";

/**
 * Opens one.
 *
 * @param file The database.
 * @param id The zone's number in it.
 * @param name The zone's name.
 * @param timeout Milliseconds to wait for another writer.
 * @throws {AlknetError} `NO_SUCH_ZONE`: it was removed meanwhile.
 */
export function snapshotOf(file: string, id: number, name: DnsName, timeout: number): ZoneSnapshot {
  const database = new DatabaseSync(file, { readOnly: true, timeout });
  try {
    database.exec("BEGIN");
    const sql = "SELECT name, type, data, ttl, owner FROM record WHERE zone = ?";
    const soa = database.prepare(`${sql} AND name = ? AND type = ?`).get(id, blob(name.key), Type.SOA);
    if (!soa) throw noSuchZone(formatName(name));
    const rows = database.prepare(`${sql} ORDER BY name, type, data`).iterate(id);
    return {
      soa: recordOf(soa as unknown as RecordRow),
      others: othersOf(rows as Iterable<unknown>),
      [Symbol.dispose]: () => database.isOpen && database.close(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

function* othersOf(rows: Iterable<unknown>): Generator<ResourceRecord> {
  for (const row of rows) if ((row as RecordRow).type !== Type.SOA) yield recordOf(row as RecordRow);
}
