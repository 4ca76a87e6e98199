/**
 * Statements on tables in a PostgreSQL: they are handed out to whoever has a connection. Paths are resolved by the server, in
 * one statement each.
 *
 * @module
 */
import { noBranch } from "../errors.ts";
import { DROPPED } from "../rows/branches.ts";
import type { TreeDatabase } from "../rows/engine.ts";
import { COLUMNS, type Level, ROOT, type Row } from "../rows/row.ts";
import type { SqlValue, Statement, Steps } from "../rows/steps.ts";

/** Branches behind a version, by the number of its branch. */
const CHAIN = `chain(i,branch,v,head,parent,at) AS (
  SELECT 0::bigint, b.id, $2::bigint, b.head, b.parent, b.at FROM branches b WHERE b.id=$1
  UNION ALL SELECT c.i+1, b.id, c.at, b.head, b.parent, b.at FROM chain c JOIN branches b ON b.id=c.parent)`;
/** Those that are known. */
const KNOWN = `chain(branch,v,head,i) AS (
  SELECT * FROM unnest(string_to_array($1,',')::bigint[],string_to_array($2,',')::bigint[],
    string_to_array($4,',')::bigint[]) WITH ORDINALITY)`;

// For each part, for each level: two lookups by whole keys, as fs.md §6 has it. Whether a row is of the version is said so that
// no planner walks by commits.
const WALK = `parts(names) AS (SELECT string_to_array($3,'/')),
walk(k,${COLUMNS}) AS (
  SELECT 0, -1::bigint, ''::text COLLATE "C", 0::bigint, 2::bigint, 0::bigint, NULL::bytea, NULL::bigint, 493::bigint,
    0::bigint, NULL::text COLLATE "C"
  UNION ALL
  SELECT w.k+1, f.* FROM walk w CROSS JOIN parts p CROSS JOIN LATERAL (
    SELECT r.* FROM chain c CROSS JOIN LATERAL (
      (SELECT ${COLUMNS} FROM entries e
        WHERE e.branch=c.branch AND e.dir=w.node AND e.name=p.names[w.k+1] AND e.seq+0<=c.v)
      UNION ALL
      (SELECT q.* FROM (SELECT ${COLUMNS} FROM past x
        WHERE x.branch=c.branch AND x.dir=w.node AND x.name=p.names[w.k+1] AND x.until>c.v AND c.v<c.head
        ORDER BY x.until LIMIT 1) q WHERE q.seq<=c.v)
    ) r ORDER BY c.i LIMIT 1
  ) f WHERE w.kind=2 AND w.k<cardinality(p.names))
SELECT (SELECT count(*) FROM chain) AS levels, w.*
  FROM (SELECT 1) one LEFT JOIN walk w ON w.k=(SELECT cardinality(names) FROM parts) AND w.kind<>0`;

const FIND = `WITH RECURSIVE ${CHAIN}, ${WALK}`;
const RESOLVE = `WITH RECURSIVE ${KNOWN}, ${WALK}`;

interface Found extends Row {
  readonly levels: number;
  readonly k: number | null;
}

/** Hands out statements. */
export class PostgresRows implements TreeDatabase {
  readonly forUpdate: string = " FOR UPDATE";
  readonly #texts = new Map<string, string>();

  *get<T>(sql: string, ...values: readonly SqlValue[]): Steps<T | undefined> {
    return (yield this.#statement(sql, values, true))[0] as T | undefined;
  }

  *all<T>(sql: string, ...values: readonly SqlValue[]): Steps<T[]> {
    return (yield this.#statement(sql, values, true)) as T[];
  }

  *run(sql: string, ...values: readonly SqlValue[]): Steps<void> {
    yield this.#statement(sql, values, false);
  }

  *newNode(): Steps<number> {
    return (yield* this.get<{ value: number }>("SELECT nextval('nodes') AS value"))!.value;
  }

  readonly find = function* (branch: number, v: number, parts: readonly string[]): Steps<Row | undefined> {
    const values = [branch, v, parts.join("/")];
    const [row] = (yield { sql: FIND, values, wants: true }) as readonly Found[];
    if (row.levels === 0) throw noBranch(`${DROPPED}${branch}`);
    return rowOf(row, parts);
  };

  readonly resolve = function* (levels: readonly Level[], parts: readonly string[]): Steps<Row | undefined> {
    const listOf = (name: keyof Level): string => levels.map((level) => level[name]).join(",");
    const values = [listOf("branch"), listOf("v"), parts.join("/"), listOf("head")];
    const [row] = (yield { sql: RESOLVE, values, wants: true }) as readonly Found[];
    return rowOf(row, parts);
  };

  #statement(sql: string, values: readonly SqlValue[], wants: boolean): Statement {
    let text = this.#texts.get(sql);
    if (text === undefined) this.#texts.set(sql, text = postgresText(sql));
    return { sql: text, values, wants };
  }
}

/** A statement as PostgreSQL has it: its values have other signs, and which index is good it knows itself. */
export function postgresText(sql: string): string {
  let n = 0;
  return sql.replaceAll(/\?(\d*)/g, (_, number) => `$${number || ++n}`).replaceAll(/ INDEXED BY \w+/g, "");
}

function rowOf({ levels: _, k, ...row }: Found, parts: readonly string[]): Row | undefined {
  if (parts.length === 0) return ROOT;
  return k === null ? undefined : row;
}
