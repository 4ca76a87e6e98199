/**
 * The check of the database that keeps the branches of several nodes.
 *
 * @module
 */
import { loadConfig } from "@alknet/core/config";
import { AlknetError } from "@alknet/core/handler";
import { exists, type Home } from "../home/home.ts";
import { postgresOf } from "../node/postgres.ts";
import type { FsConfig } from "../serving/fs.ts";
import { HANDLER_SCHEMAS } from "../serving/handlers.ts";
import type { Finding } from "./finding.ts";

/** The database, where one is configured: it is connected to, and asked whether branches may be kept there. */
export async function checkPostgres(home: Home): Promise<Finding | undefined> {
  const { configFile } = home;
  if (!await exists(configFile)) return;
  const name = "postgres";
  try {
    const config = await loadConfig(configFile, { handlers: HANDLER_SCHEMAS }).catch(() => undefined);
    // What is wrong with the rest of it, another check says.
    const { postgres } = (config?.static.handlers.fs ?? {}) as FsConfig;
    if (!postgres) return;
    const { probePostgres } = await import("@alknet/handlers/fs");
    const finding = await probePostgres(await postgresOf(postgres, { configFile, home }));
    return { name, status: "ok", finding };
  } catch (error) {
    if (!(error instanceof AlknetError)) throw error;
    return { name, status: "fail", finding: error.message, mend: `see handlers.fs.postgres of ${configFile}` };
  }
}
