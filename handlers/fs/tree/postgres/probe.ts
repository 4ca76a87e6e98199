/**
 * Whether a PostgreSQL can be used.
 *
 * @module
 */
import { treeError } from "./faults.ts";
import { type PostgresOptions, postgresPlace } from "./options.ts";
import { privilegesOf } from "./schema.ts";

/**
 * Connects to a database, and looks whether trees are there or may be made. Nothing is changed.
 *
 * @returns Which it is, and what it is.
 * @throws {AlknetError} `TREE_UNAVAILABLE`.
 * @throws {RangeError} Something in the options is none.
 */
export async function probePostgres(options: PostgresOptions): Promise<string> {
  const place = postgresPlace(options);
  try {
    const { Connection } = await import("./connection.ts");
    await using connection = await Connection.open(place, options);
    const [{ server_version: version }] = await connection.query<{ server_version: string }>("SHOW server_version");
    return `${place.name}: PostgreSQL ${version}, ${await privilegesOf(connection)}`;
  } catch (error) {
    throw treeError(error, place.name);
  }
}
