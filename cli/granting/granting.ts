/**
 * From a command line to what a guest is started with.
 *
 * @module
 */
import type { GuestHost, GuestLimits, IsolateOptions } from "@alknet/runtime";
import { UsageError } from "../terminal/output.ts";
import { type FolderGrant, parseFolderGrants } from "../guests/folder_grants.ts";
import type { GrantOptions } from "./options.ts";

/** What a guest is started with, and what has to be let go after it. */
export interface Granted extends AsyncDisposable {
  /** For `ProcessGuest.start`. */
  readonly options: IsolateOptions;
}

/**
 * Grants what the command line says.
 *
 * @param log Takes lines of the console.
 * @throws {UsageError} Something of it cannot be granted.
 */
export async function granted(
  given: GrantOptions,
  log: GuestHost["log"],
  signal: AbortSignal,
  limits: Partial<GuestLimits> = {},
): Promise<Granted> {
  const { allowFetch: origins, allowFs, allowGpu, gpuMemory, op, node, memory, timeout } = given;
  if (op.length === 0 && node !== undefined) throw new UsageError("--node without --op: name what may be called there");
  const mounts = foldersOf(allowFs);
  const operations = op.length === 0
    ? undefined
    : await (await import("./node_operations.ts")).nodeGrants(given, signal);
  const time = timeout * 1000;
  const options: IsolateOptions = {
    limits: { memory, cpu: time, wall: time, ...limits },
    operations: operations?.operations,
    host: { ...operations?.host, log },
    ...origins.length > 0 && { allowFetch: { origins, timeout: time } },
    ...mounts.length > 0 && { allowFs: { mounts } },
    ...allowGpu && { allowGpu: { maxBytes: gpuMemory * 2 ** 20, timeAMinute: time } },
  };
  return { options, [Symbol.asyncDispose]: async () => await operations?.[Symbol.asyncDispose]() };
}

function foldersOf(texts: readonly string[]): FolderGrant[] {
  try {
    return parseFolderGrants(texts);
  } catch (cause) {
    throw new UsageError(`--allow-fs: ${(cause as Error).message}`);
  }
}
