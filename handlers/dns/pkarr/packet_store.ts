/**
 * Signed packets that are kept: one a key, the newest. Those that nobody has sent for long go first.
 *
 * @module
 */
import { parseNodeId } from "@alknet/core/identity";
import type { DatabaseSync } from "node:sqlite";
import { SignedPacket } from "./signed_packet.ts";

/** What became of a packet. */
export type Put = "stored" | "same" | "older";

/** Signed packets, one a key. */
export interface PacketStore {
  /** How many there are. */
  readonly size: number;
  /**
   * The packet of a key.
   *
   * @throws {AlknetError} `INVALID_NODE_ID`, `DNS_BUSY`.
   */
  get(nodeId: string): SignedPacket | undefined;
  /**
   * Keeps a packet, unless there is one that is newer.
   *
   * @throws {AlknetError} `DNS_BUSY`.
   */
  put(packet: SignedPacket): Put;
}

/** What a store in a database is given. */
export interface SqlitePacketsOptions {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Packets at most. Default 1,000,000. */
  readonly maxPackets?: number;
  /** Turns what a busy database says into `DNS_BUSY`. */
  readonly guarded: <T>(action: () => T) => T;
  /** The same, in one transaction. */
  readonly change: <T>(action: () => T) => T;
}

const MAX_PACKETS = 1_000_000;
/** Seconds for which a packet is kept that is not sent again. */
const KEPT = 7 * 86_400;

/** Packets in a database that has its tables. */
export class SqlitePackets implements PacketStore {
  readonly #database: DatabaseSync;
  readonly #options: SqlitePacketsOptions;
  readonly #statements = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  /** Counted once: walking through a million keys for each new one would be most of its cost. */
  #size: number;

  /** @param database The open database, whose the statements are. */
  constructor(database: DatabaseSync, options: SqlitePacketsOptions) {
    this.#database = database;
    this.#options = options;
    this.#size = this.#count();
  }

  get size(): number {
    // Another process may have brought the first.
    if (this.#size === 0) this.#size = this.#count();
    return this.#size;
  }

  get(nodeId: string): SignedPacket | undefined {
    const key = parseNodeId(nodeId);
    const sql = "SELECT payload FROM packet WHERE key = ? AND seen >= ?";
    const row = this.#options.guarded(() => this.#one(sql, key, this.#seconds() - KEPT));
    return row && SignedPacket.fromOwnStore(key, row.payload as Uint8Array);
  }

  put(packet: SignedPacket): Put {
    const [became, more] = this.#options.change((): [Put, number] => {
      const { publicKey: key } = packet;
      const row = this.#one("SELECT payload FROM packet WHERE key = ?", key);
      const before = row && SignedPacket.fromOwnStore(key, row.payload as Uint8Array);
      const seen = this.#seconds();
      if (before && !packet.isNewerThan(before)) {
        if (before.isNewerThan(packet)) return ["older", 0];
        this.#run("UPDATE packet SET seen = ? WHERE key = ?", seen, key);
        return ["same", 0];
      }
      const gone = before ? 0 : this.#makeRoom(seen);
      this.#run(
        "INSERT INTO packet (key, timestamp, seen, payload) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET " +
          "timestamp = excluded.timestamp, seen = excluded.seen, payload = excluded.payload",
        key,
        packet.timestamp,
        seen,
        packet.toRelayPayload(),
      );
      return ["stored", before ? 0 : 1 - gone];
    });
    // Not before it is committed.
    this.#size += more;
    return became;
  }

  /** Room for one more; says how many went. */
  #makeRoom(seen: number): number {
    const late = this.#run("DELETE FROM packet WHERE seen < ?", seen - KEPT);
    const surplus = this.#size - late + 1 - (this.#options.maxPackets ?? MAX_PACKETS);
    if (surplus <= 0) return late;
    const oldest = "DELETE FROM packet WHERE key IN (SELECT key FROM packet ORDER BY seen, key LIMIT ?)";
    return late + this.#run(oldest, surplus);
  }

  #count(): number {
    return Number(this.#one("SELECT count(*) AS count FROM packet")!.count);
  }

  #seconds(): number {
    return Math.floor(this.#options.now() / 1000);
  }

  #one(sql: string, ...values: (Uint8Array | number)[]): Record<string, unknown> | undefined {
    return this.#prepared(sql).get(...values) as Record<string, unknown> | undefined;
  }

  #run(sql: string, ...values: (Uint8Array | number | bigint)[]): number {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  #prepared(sql: string): ReturnType<DatabaseSync["prepare"]> {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, statement = this.#database.prepare(sql));
    return statement;
  }
}
