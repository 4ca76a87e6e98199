/**
 * The check of the bucket behind the store of blobs.
 *
 * @module
 */
import { loadConfig } from "@alknet/core/config";
import { AlknetError } from "@alknet/core/handler";
import { exists, type Home } from "../home/home.ts";
import { bucketOf } from "../node/bucket.ts";
import type { FsConfig } from "../serving/fs.ts";
import { HANDLER_SCHEMAS } from "../serving/handlers.ts";
import type { Finding } from "./finding.ts";

/** Milliseconds that it may take. */
const PATIENCE = 15_000;

/** The bucket, where one is configured: an object is put there, listed, read and removed. */
export async function checkBucket(home: Home): Promise<Finding | undefined> {
  const { configFile } = home;
  if (!await exists(configFile)) return;
  const name = "bucket";
  try {
    const config = await loadConfig(configFile, { handlers: HANDLER_SCHEMAS }).catch(() => undefined);
    // What is wrong with the rest of it, another check says.
    const { bucket } = (config?.static.handlers.fs ?? {}) as FsConfig;
    if (!bucket) return;
    const { probeBucket } = await import("@alknet/handlers/fs");
    const options = await bucketOf(bucket, { configFile, home });
    const finding = await probeBucket(options, AbortSignal.timeout(PATIENCE));
    return { name, status: "ok", finding: `${finding}, put, listed, read and removed` };
  } catch (error) {
    const isSlow = (error as Error).name === "TimeoutError";
    if (!(error instanceof AlknetError) && !isSlow) throw error;
    const finding = isSlow ? `no answer within ${PATIENCE / 1000} s` : (error as Error).message;
    return { name, status: "fail", finding, mend: `see handlers.fs.bucket of ${configFile}` };
  }
}
