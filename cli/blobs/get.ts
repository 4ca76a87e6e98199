/**
 * `alknet blob get`: a blob from whoever has it, into the home's store and from there to its place.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { nodeIdOf } from "@alknet/core/identity";
import { type BlobReader, BLOBS_ALPN, type BlobStore, getBlob, type Held } from "@alknet/handlers/fs";
import { isTicketText, parseHash, parseTicket } from "@alknet/handlers/fs/bao";
import { resolve } from "node:path";
import { formatSize } from "../terminal/size.ts";
import { exists } from "../home/home.ts";
import { type DialAddress, prepareDials, type ReachOptions } from "../reaching/reach.ts";
import { ExitCode, note, print, printJson } from "../terminal/output.ts";
import { untilStopped } from "./stopping.ts";
import { openBlobHome } from "./store.ts";
import { TransferLine } from "./transfer_line.ts";

/** Bytes that are copied at once. */
const PIECE = 1024 * 1024;

/** What the command line says. */
export interface GetCommandOptions extends Omit<ReachOptions, "address" | "token" | "tokenFile"> {
  /** A hash or a ticket. */
  readonly what: string;
  /** Who is asked first. */
  readonly from: readonly string[];
  /** Where it goes; `-` is stdout. */
  readonly output?: string;
  /** Replace what is there. */
  readonly force: boolean;
  /** Name that keeps it in the store. */
  readonly tag?: string;
  /** Configuration file. */
  readonly config?: string;
  /** Print JSON. */
  readonly json: boolean;
}

interface Wanted {
  readonly hash: string;
  readonly providers: readonly string[];
}

/** Gets a blob. Resolves to the exit code. */
export async function getToFile(options: GetCommandOptions): Promise<number> {
  const wanted = wantedOf(options);
  const { hash } = wanted;
  const path = options.output ?? `./${hash}`;
  if (path !== "-") await assertFree(path, options.force);
  await using home = await openBlobHome(options);
  using line = new TransferLine(`getting ${hash.slice(0, 10)}`);
  const size = await untilStopped(line, async (signal) => {
    await using held = await provided(wanted, home.fs.blobs, options, { line, signal });
    if (options.tag !== undefined) await home.fs.blobs.setTag(options.tag, held, { owner: "local" });
    await using reader = await home.fs.blobs.open(held.hash);
    line[Symbol.dispose]();
    if (path === "-") await toStdout(reader, signal);
    else await toFile(reader, path, options.force, signal);
    return held.size;
  }, "goes on");
  if (size === undefined) return ExitCode.INTERRUPTED;
  line[Symbol.dispose]();
  // The bytes themselves are the result on stdout.
  if (path === "-") return ExitCode.DONE;
  if (options.json) printJson({ hash, size, path });
  else print(`${hash}  ${formatSize(size)}  ${path}`);
  return ExitCode.DONE;
}

/** What is asked for, and of whom. */
function wantedOf({ what, from }: GetCommandOptions): Wanted {
  if (!isTicketText(what)) return { hash: parseHash(what), providers: from };
  const { hash, format, nodeKey, addresses, secret, expires = Infinity } = parseTicket(what);
  if (format !== "raw") {
    throw new AlknetError("NOT_SERVED", "the ticket is for a sequence of blobs; only single blobs are got yet");
  }
  if (secret) throw new AlknetError("NOT_SERVED", "the ticket holds a secret to redeem, which is not done yet");
  if (expires * 1000 <= Date.now()) {
    throw new AlknetError("GRANT_EXPIRED", `the ticket ended at ${new Date(expires * 1000).toISOString()}`);
  }
  const id = nodeIdOf(nodeKey);
  return { hash, providers: [...from, ...addresses.map((address) => `${id}@${address}`)] };
}

/** The blob in the store, from the first who has it. */
async function provided(
  { hash, providers }: Wanted,
  blobs: BlobStore,
  options: GetCommandOptions,
  { line, signal }: { readonly line: TransferLine; readonly signal: AbortSignal },
): Promise<Held> {
  if ((await blobs.status(hash)).state === "complete") return await blobs.hold(hash);
  if (providers.length === 0) {
    const what = `blob ${hash.slice(0, 10)} is not in the store of this home`;
    throw new AlknetError("BLOB_NOT_FOUND", `${what}; say who has it: --from NODEID@HOST:PORT, or give a ticket`);
  }
  const dial = await prepareDials(options);
  const faults: unknown[] = [];
  for (const address of providers) {
    try {
      return await getFrom(address, hash, blobs, dial, { line, signal });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof AlknetError)) throw error;
      faults.push(error);
      if (providers.length > 1) note(`alknet: ${address}: ${error.message}`);
    }
  }
  // What somebody answered says more than that somebody else was not there.
  throw faults.find((error) => /^(?:HASH_MISMATCH|BLOB_)/.test((error as AlknetError).code)) ?? faults[0];
}

async function getFrom(
  address: string,
  hash: string,
  blobs: BlobStore,
  dial: DialAddress,
  { line, signal }: { readonly line: TransferLine; readonly signal: AbortSignal },
): Promise<Held> {
  await using connection = await dial(address, BLOBS_ALPN, signal);
  return await getBlob(connection, hash, blobs, { progress: line.report, signal });
}

async function assertFree(path: string, force: boolean): Promise<void> {
  const there = await Deno.stat(path).catch(() => undefined);
  if (there?.isDirectory) {
    throw new AlknetError("IS_A_FOLDER", `${path} is a folder; name a file with -o`);
  }
  if (!force && await exists(path)) {
    throw new AlknetError("PATH_EXISTS", `${path} is there already; --force replaces it, -o names another`);
  }
}

/** Under its own name only once it is whole. */
async function toFile(reader: BlobReader, path: string, force: boolean, signal: AbortSignal): Promise<void> {
  const part = resolve(`${path}.part`);
  // A link of that name is not followed.
  await Deno.remove(part).catch(() => {});
  const file = await Deno.open(part, { write: true, createNew: true });
  try {
    try {
      await copy(reader, (bytes) => writeAll(file, bytes), signal);
      await file.syncData();
    } finally {
      file.close();
    }
    await assertFree(path, force);
    await Deno.rename(part, resolve(path));
  } catch (error) {
    await Deno.remove(part).catch(() => {});
    throw error;
  }
}

async function toStdout(reader: BlobReader, signal: AbortSignal): Promise<void> {
  await copy(reader, (bytes) => writeAll(Deno.stdout, bytes), signal);
}

async function copy(
  reader: BlobReader,
  write: (bytes: Uint8Array) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  for (let at = 0; at < reader.size; at += PIECE) {
    signal.throwIfAborted();
    await write(await reader.read(at, PIECE));
  }
}

async function writeAll(to: { write(bytes: Uint8Array): Promise<number> }, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.byteLength > 0;) rest = rest.subarray(await to.write(rest));
}
