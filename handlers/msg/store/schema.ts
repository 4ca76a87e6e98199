/**
 * The tables of `msg.sqlite` (msg.md §3.1). Those of what is not made yet are there too, so that nothing has to move later.
 *
 * @module
 */
import type { DatabaseKind } from "../database.ts";

/** The database of messages. */
export const MESSAGES: DatabaseKind = {
  what: "messages",
  code: "MESSAGE_STORE",
  applicationId: 0x616c6b6d,
  version: 1,
  schema: `
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE contact (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, ed BLOB NOT NULL UNIQUE, state TEXT NOT NULL, secret BLOB NOT NULL) STRICT;
CREATE TABLE queue (rid BLOB PRIMARY KEY, contact INT REFERENCES contact ON DELETE CASCADE, token TEXT, state TEXT NOT NULL, secret BLOB NOT NULL)
  STRICT, WITHOUT ROWID;
CREATE TABLE session (id BLOB PRIMARY KEY, contact INT NOT NULL REFERENCES contact ON DELETE CASCADE, rid BLOB NOT NULL, sends INT NOT NULL,
  stale INT NOT NULL, secret BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE skipped (id INTEGER PRIMARY KEY, session BLOB NOT NULL REFERENCES session ON DELETE CASCADE, day INT NOT NULL, secret BLOB NOT NULL) STRICT;
CREATE TABLE prekey (rid BLOB NOT NULL REFERENCES queue ON DELETE CASCADE, kind TEXT NOT NULL, id INT NOT NULL, day INT NOT NULL, secret BLOB NOT NULL,
  PRIMARY KEY (rid, kind, id)) STRICT, WITHOUT ROWID;
CREATE TABLE first_seen (hash BLOB PRIMARY KEY, session BLOB NOT NULL, rid BLOB NOT NULL, spk INT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE seen (digest BLOB PRIMARY KEY, day INT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE outbox (id INTEGER PRIMARY KEY, contact INT NOT NULL, message BLOB, made INT NOT NULL, tries INT NOT NULL, due INT NOT NULL,
  secret BLOB NOT NULL) STRICT;
CREATE TABLE message (place INTEGER PRIMARY KEY, contact INT NOT NULL, mine INT NOT NULL, id BLOB NOT NULL, at INT NOT NULL, got INT NOT NULL,
  state TEXT NOT NULL, secret BLOB NOT NULL, UNIQUE (contact, mine, id)) STRICT;
CREATE TABLE part (contact INT NOT NULL, id BLOB NOT NULL, idx INT NOT NULL, count INT NOT NULL, day INT NOT NULL, secret BLOB NOT NULL,
  PRIMARY KEY (contact, id, idx)) STRICT, WITHOUT ROWID;
CREATE TABLE surb (id BLOB PRIMARY KEY, epoch INT NOT NULL, secret BLOB NOT NULL) STRICT, WITHOUT ROWID;`,
};
