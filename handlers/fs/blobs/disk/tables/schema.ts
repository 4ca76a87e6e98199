/**
 * The tables of `store.db` (fs.md §5), all of them, so that a store that is there needs no change when more of fs is used.
 *
 * @module
 */

/** `application_id` of our databases: "alks". */
export const APPLICATION_ID = 0x616C6B73;
/** The version of these tables. */
export const USER_VERSION = 1;

/** Makes the tables and the branch `main`, in a transaction of the caller's. */
export const SCHEMA: string = `
CREATE TABLE blobs(hash BLOB PRIMARY KEY,  -- 32 bytes, everywhere
  size INT NOT NULL,    -- bytes; of a partial the largest claim, proven once .bits has the last group
  state INT NOT NULL,   -- 0 partial, 1 complete, 2 going
  place INT NOT NULL,   -- 0 inline, 1 owned, 2 referenced, 3 bucket only
  bucket INT NOT NULL,  -- 1: there too
  owner TEXT,           -- identity whose quota holds it while nothing refers to it
  used INT NOT NULL     -- last opened, Unix seconds, kept to the hour
  ) WITHOUT ROWID;
CREATE INDEX blobs_state ON blobs(state) WHERE state<>1;
CREATE TABLE inline(hash BLOB NOT NULL UNIQUE REFERENCES blobs ON DELETE CASCADE,
  data BLOB, pairs BLOB);  -- NULL: in a file, or no pairs at all
CREATE TABLE sources(hash BLOB REFERENCES blobs ON DELETE CASCADE, path TEXT,  -- absolute, of a reference
  size INT NOT NULL, mtime_ns INT NOT NULL, PRIMARY KEY(hash,path)) WITHOUT ROWID;  -- as hashed
CREATE TABLE grants(id BLOB PRIMARY KEY,  -- SHA-256 of the secret, or 32 random bytes
  subject TEXT NOT NULL,                  -- anyone, id:<identity>, key:<fingerprint>; secret until redeemed
  action INT NOT NULL,                    -- 1 read, 2 push
  hash BLOB NOT NULL, bytes INT,          -- most bytes of a push
  expires INT NOT NULL, owner TEXT        -- Unix seconds, 0 never; who granted
  ) WITHOUT ROWID;
CREATE INDEX grants_hash ON grants(hash,subject);
-- from here on in PostgreSQL too: BYTEA, BIGINT, TEXT COLLATE "C", identity key
CREATE TABLE tags(name TEXT PRIMARY KEY, hash BLOB NOT NULL, format INT NOT NULL,  -- 0 raw, 1 hash sequence
  owner TEXT, expires INT);  -- Unix seconds; past it no tag
CREATE INDEX tags_hash ON tags(hash);
CREATE TABLE members(root BLOB, child BLOB, PRIMARY KEY(root,child)) WITHOUT ROWID;  -- of tagged, held, granted sequences
CREATE INDEX members_child ON members(child);
CREATE TABLE holds(hash BLOB, holder TEXT, PRIMARY KEY(hash,holder)) WITHOUT ROWID;  -- counted in memory; there while above 0
CREATE TABLE candidates(hash BLOB PRIMARY KEY, since INT NOT NULL) WITHOUT ROWID;    -- perhaps unreferenced; ms
CREATE TABLE branches(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  parent INT REFERENCES branches, at INT,  -- forked from, at which of its seqs; NULL: from nothing
  depth INT NOT NULL,                      -- levels above, 0 to 31
  head INT NOT NULL,                       -- last commit's seq; 0 at first, also of a fork
  owner TEXT, public INT NOT NULL);        -- 1: anyone reads
CREATE INDEX branches_parent ON branches(parent);
CREATE TABLE entries(branch INT, dir INT,  -- node of the folder that holds it; 0: the root
  name TEXT, seq INT NOT NULL,             -- commit that wrote it
  kind INT NOT NULL,                       -- 0 gone, 1 file, 2 folder, 3 link
  node INT,                                -- of a folder, from counters 'node'; the same in all forks
  hash BLOB, size INT,                     -- of a file
  mode INT, mtime INT, target TEXT,        -- 12 bits; ms; of a link, as given
  PRIMARY KEY(branch,dir,name)) WITHOUT ROWID;
CREATE INDEX entries_seq ON entries(branch,seq);
CREATE INDEX entries_hash ON entries(hash) WHERE hash IS NOT NULL;
CREATE TABLE past(branch INT, dir INT, name TEXT, until INT, seq INT NOT NULL,  -- was true for seq <= v < until
  kind INT NOT NULL, node INT, hash BLOB, size INT, mode INT, mtime INT, target TEXT,
  PRIMARY KEY(branch,dir,name,until)) WITHOUT ROWID;
CREATE INDEX past_until ON past(branch,until);
CREATE INDEX past_hash ON past(hash) WHERE hash IS NOT NULL;
CREATE TABLE changes(branch INT, seq INT, n INT,   -- n: from 0 within the commit
  time INT NOT NULL, actor TEXT NOT NULL,          -- ms; identity id or 'local'
  op TEXT NOT NULL, path TEXT NOT NULL,            -- op of Change, §8; path after the commit
  origin TEXT, kind INT, hash BLOB, size INT,      -- origin: path moved or copied from, branch merged; the rest as left
  PRIMARY KEY(branch,seq,n)) WITHOUT ROWID;
CREATE TABLE snapshots(branch INT, name TEXT, seq INT NOT NULL, note TEXT, owner TEXT,
  PRIMARY KEY(branch,name)) WITHOUT ROWID;
CREATE TABLE merges(target INT, source INT, seq INT, source_seq INT NOT NULL,  -- commit in target, source's head then
  PRIMARY KEY(target,source,seq)) WITHOUT ROWID;
CREATE TABLE doomed(branch INT, node INT, seq INT NOT NULL, PRIMARY KEY(branch,node)) WITHOUT ROWID;  -- removed folders, when
CREATE TABLE counters(name TEXT PRIMARY KEY, value INT NOT NULL);  -- node: the last one given
CREATE TABLE usage(owner TEXT PRIMARY KEY, bytes INT NOT NULL, files INT NOT NULL);  -- what §5.5 counts
INSERT INTO branches(id,name,depth,head,owner,public) VALUES(1,'main',0,0,'local',0);
`;

/** Where a folder is, by its node: what lies below one is told by its path. A store that is there gets them when it is opened. */
export const NODE_INDEXES: string = `
CREATE INDEX IF NOT EXISTS entries_node ON entries(branch,node) WHERE node IS NOT NULL;
CREATE INDEX IF NOT EXISTS past_node ON past(branch,node,until) WHERE node IS NOT NULL;
`;
