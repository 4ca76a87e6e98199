/**
 * The database of a configuration that keeps the branches of several nodes: where it is, and where the password is.
 *
 * @module
 */
import type { PostgresOptions } from "@alknet/handlers/fs";
import Type, { type Static } from "typebox";
import { certificatesOf, secretOf, type Service, type ServicePlace, wrong } from "./service.ts";

const POSTGRES: Service = "handlers.fs.postgres";

const postgresSchema = Type.Object({
  host: Type.String({ minLength: 1, description: "name or address; or the folder of its socket on this machine" }),
  port: Type.Optional(Type.Integer({ minimum: 1, maximum: 65535, description: "default: 5432" })),
  database: Type.String({ minLength: 1, description: "its name there" }),
  user: Type.String({ minLength: 1, description: "as whom it is asked" }),
  credential: Type.Optional(Type.String({ minLength: 1, description: "name in the vault of the password" })),
  credential_file: Type.Optional(
    Type.String({ minLength: 1, description: "file that holds it instead, which nobody else may read" }),
  ),
  tls: Type.Optional(Type.Boolean({ description: "false: on this machine alone; default: true" })),
  ca_file: Type.Optional(
    Type.String({ minLength: 1, description: "certificates, PEM, to believe beside the system's" }),
  ),
  connections: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100, description: "at a time, beside one that listens; default: 8" }),
  ),
}, { additionalProperties: false });

/** The schema of `handlers.fs.postgres`. */
export const POSTGRES_SCHEMA: typeof postgresSchema = postgresSchema;
/** Options of `handlers.fs.postgres`. */
export type PostgresConfig = Static<typeof postgresSchema>;

/**
 * The options of a database. Its password is read whenever it is connected to.
 *
 * @throws {AlknetError} `INVALID_CONFIG`: something in it is wrong.
 */
export async function postgresOf(config: PostgresConfig, place: ServicePlace): Promise<PostgresOptions> {
  const { PostgresPassword, postgresPlace } = await import("@alknet/handlers/fs");
  const { host, port, database, user, tls, connections, credential, credential_file: file, ca_file: caFile } = config;
  if (credential !== undefined && file !== undefined) {
    throw wrong(POSTGRES, place, "credential: a name in the vault, or credential_file; not both");
  }
  const isSecret = credential !== undefined || file !== undefined;
  const options: PostgresOptions = {
    host,
    port,
    database,
    user,
    tls,
    connections,
    ca: caFile === undefined ? undefined : await certificatesOf(caFile, POSTGRES, place),
    ...isSecret && {
      password: async () => new PostgresPassword(await secretOf({ credential, file }, POSTGRES, place)),
    },
  };
  try {
    postgresPlace(options);
  } catch (cause) {
    throw wrong(POSTGRES, place, (cause as Error).message, cause);
  }
  return options;
}
