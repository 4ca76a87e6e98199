/**
 * The tables of a database of zones, and which databases are ours.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

/** The version that is written here. */
const VERSION = 1;
const MAGIC = "SQLite format 3\0";
/** Where a SQLite file says the version that its program gave it (https://sqlite.org/fileformat.html §1.3). */
const USER_VERSION = 60;

/** What holds for each connection. */
export const PRAGMAS: readonly string[] = [
  "PRAGMA journal_mode = WAL",
  "PRAGMA synchronous = FULL",
  "PRAGMA foreign_keys = ON",
];

/** Makes the tables, where they are not there. */
export const INITIAL = `
CREATE TABLE IF NOT EXISTS zone (id INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('primary', 'pkarr')), serial INTEGER NOT NULL, records INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS record (zone INTEGER NOT NULL REFERENCES zone ON DELETE CASCADE, name BLOB NOT NULL,
  type INTEGER NOT NULL, data BLOB NOT NULL, ttl INTEGER NOT NULL, owner BLOB,
  PRIMARY KEY (zone, name, type, data)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS packet (key BLOB PRIMARY KEY, timestamp INTEGER NOT NULL, seen INTEGER NOT NULL,
  payload BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS packet_seen ON packet (seen);
PRAGMA user_version = ${VERSION};
`;

/**
 * Looks whether a file is a database of ours, without touching it. An empty one may become one.
 *
 * @throws {AlknetError} `DNS_STORE`.
 */
export function assertVersion(file: string): void {
  const header = new Uint8Array(USER_VERSION + 4);
  using opened = Deno.openSync(file, { read: true });
  const length = opened.readSync(header) ?? 0;
  if (length === 0) return;
  if (length < header.byteLength || new TextDecoder().decode(header.subarray(0, 16)) !== MAGIC) {
    throw new AlknetError("DNS_STORE", `${file} is no database of zones; move it away`);
  }
  const version = new DataView(header.buffer).getUint32(USER_VERSION);
  if (version === VERSION || version === 0) return;
  throw new AlknetError(
    "DNS_STORE",
    `${file} has version ${version}, and this program knows version ${VERSION}; a newer one wrote it`,
  );
}
