/**
 * Trees that several nodes share, as the store of one sees them: what they link stays (fs.md §5.4, §7).
 *
 * @module
 */
import type { Dropped, Referrers } from "../../blobs/disk/collecting/referrers.ts";
import type { Used } from "../../blobs/disk/tables/usage.ts";
import type { PostgresOptions } from "./options.ts";
import { Pool } from "./pool.ts";
import { postgresText } from "./statements.ts";

const NOW = "(extract(epoch FROM clock_timestamp())*1000)::bigint";
/** Says, in a transaction, that something refers to a blob no more. */
export const DROP: string = `INSERT INTO dropped(hash,time) VALUES(?,${NOW})`;
/** Blobs of a list that something refers to: keyed lookups, each in an index. */
const AMONG = `SELECT encode(h,'hex') AS hash FROM (SELECT decode(unnest(string_to_array($1,',')),'hex') AS h) hashes
  WHERE EXISTS(SELECT 1 FROM entries WHERE hash=h AND hash IS NOT NULL)
  OR EXISTS(SELECT 1 FROM past WHERE hash=h AND hash IS NOT NULL)`;
const SINCE = postgresText(
  "SELECT n,hash,time FROM dropped WHERE time>=?1::bigint AND (time,n)>(?2::bigint,?3::bigint) ORDER BY time,n LIMIT ?4",
);
/** Milliseconds for which it is known what was dropped; a store that was not there so long looks at all it has. */
const KEPT = 30 * 24 * 3_600_000;
/** Milliseconds after which a transaction that wrote something down has ended. */
const OPEN = 3_600_000;
const AT_ONCE = 10_000;

interface DroppedRow {
  readonly n: number;
  readonly hash: Uint8Array;
  readonly time: number;
}

/** Such trees. */
export class SharedTrees implements Referrers, AsyncDisposable {
  /** Connections to where they are. */
  readonly pool: Pool;
  #met: (id: string) => void = () => {};

  /** @throws {RangeError} Something in the options is none. */
  constructor(options: PostgresOptions) {
    this.pool = new Pool(options, (id) => this.#met(id));
  }

  bind(met: (id: string) => void): void {
    this.#met = met;
  }

  async among(hashes: readonly Uint8Array[]): Promise<ReadonlySet<string>> {
    if (hashes.length === 0) return new Set();
    const text = hashes.map((hash) => hash.toHex()).join(",");
    const rows = await this.pool.use((connection) => connection.query<{ hash: string }>(AMONG, [text]));
    return new Set(rows.map(({ hash }) => hash));
  }

  async used(owner: string): Promise<Used> {
    const sql = "SELECT bytes,files FROM usage WHERE owner=$1";
    const [row] = await this.pool.use((connection) => connection.query<Used>(sql, [owner]));
    return row ?? { bytes: 0, files: 0 };
  }

  async dropped(since: number): Promise<Dropped> {
    return await this.pool.use(async (connection) => {
      const [{ now }] = await connection.query<{ now: number }>(`SELECT ${NOW} AS now`);
      await connection.query("DELETE FROM dropped WHERE time<$1", [now - KEPT]);
      const hashes: Uint8Array[] = [];
      const from = since - OPEN;
      for (let [time, n, isMore] = [from, 0, true]; isMore;) {
        const rows = await connection.query<DroppedRow>(SINCE, [from, time, n, AT_ONCE]);
        for (const row of rows) hashes.push(row.hash);
        isMore = rows.length === AT_ONCE;
        ({ time, n } = rows.at(-1) ?? { time, n });
      }
      return { hashes, now, isWhole: since === 0 || from >= now - KEPT };
    });
  }

  /** Ends its connections. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.pool[Symbol.asyncDispose]();
  }
}
