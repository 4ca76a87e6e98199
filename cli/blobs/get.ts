/**
 * `alknet blob get`: a blob from whoever has it, into the home's store and from there to its place.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { nodeIdOf } from "@alknet/core/identity";
import { BLOBS_ALPN, type BlobStore, download, getBlob, type Held, linksOf, type Provider } from "@alknet/handlers/fs";
import { type Format, isTicketText, parseHash, parseTicket } from "@alknet/handlers/fs/bao";
import { formatSize } from "../terminal/size.ts";
import { type DialAddress, prepareDials, type ReachOptions } from "../reaching/reach.ts";
import { ExitCode, note, print, printJson, UsageError } from "../terminal/output.ts";
import { collectionOf, placeCollection } from "./collection.ts";
import { formatOf } from "./keeping.ts";
import { assertFree, toFile, toStdout } from "./placing.ts";
import { redeem } from "./redeem.ts";
import { untilStopped } from "./stopping.ts";
import { openBlobHome } from "./store.ts";
import { TransferLine } from "./transfer_line.ts";

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

/** Lines that say what went wrong at others. */
const MOST_NOTES = 20;

interface Wanted {
  readonly hash: string;
  /** Absent: as it is tagged here, else a file. */
  readonly format?: Format;
  readonly providers: readonly string[];
  /** What is redeemed for the right to it, and at which of the providers. */
  readonly secret?: Uint8Array;
  readonly redeemedAt?: readonly string[];
}

/** Gets a blob. Resolves to the exit code. */
export async function getToFile(options: GetCommandOptions): Promise<number> {
  const wanted = wantedOf(options);
  const { hash } = wanted;
  await using home = await openBlobHome(options);
  const { blobs } = home.fs;
  const format = wanted.format ?? await formatOf(blobs, hash);
  const isCollection = format === "hashSeq";
  const path = options.output ?? (isCollection ? "." : `./${hash}`);
  if (isCollection && path === "-") throw new UsageError("a collection is several files; name a folder with -o");
  if (path !== "-" && !isCollection) await assertFree(path, options.force);
  using line = new TransferLine(`getting ${hash.slice(0, 10)}`);
  const size = await untilStopped(line, async (signal) => {
    await using held = await provided({ ...wanted, format }, blobs, options, { line, signal });
    if (options.tag !== undefined) await blobs.setTag(options.tag, held, { owner: "local" });
    line[Symbol.dispose]();
    if (isCollection) {
      return await placeCollection(await collectionOf(blobs, hash), blobs, path, { ...options, signal });
    }
    await using reader = await blobs.open(held.hash);
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
  if (expires * 1000 <= Date.now()) {
    throw new AlknetError("GRANT_EXPIRED", `the ticket ended at ${new Date(expires * 1000).toISOString()}`);
  }
  const id = nodeIdOf(nodeKey);
  const redeemedAt = addresses.map((address) => `${id}@${address}`);
  return { hash, format, providers: [...from, ...redeemedAt], secret, redeemedAt };
}

/** The blob in the store, from the first who has it. */
async function provided(
  { hash, format, providers, secret, redeemedAt = [] }: Wanted,
  blobs: BlobStore,
  options: GetCommandOptions,
  { line, signal }: { readonly line: TransferLine; readonly signal: AbortSignal },
): Promise<Held> {
  const here = await heldHere(blobs, hash, format);
  if (here) return here;
  if (providers.length === 0) {
    const what = `blob ${hash.slice(0, 10)} is not in the store of this home`;
    throw new AlknetError("BLOB_NOT_FOUND", `${what}; say who has it: --from NODEID@HOST:PORT, or give a ticket`);
  }
  const dial = await prepareDials(options);
  if (new Set(providers).size > redeemedAt.length && providers.length > 1) {
    return await fromSeveral({ hash, format, providers, secret, redeemedAt }, blobs, { dial, options, line, signal });
  }
  const faults: unknown[] = [];
  for (const address of providers) {
    try {
      // Only the node that made the ticket learns its secret.
      if (secret && redeemedAt.includes(address)) await redeem(address, secret, options, signal);
      return await getFrom(address, { hash, format }, blobs, dial, { line, signal });
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

/** From all who may have it at once; the addresses of a ticket are one node. */
async function fromSeveral(
  { hash, format = "raw", providers, secret, redeemedAt = [] }: Wanted,
  blobs: BlobStore,
  { dial, options, line, signal }: {
    readonly dial: DialAddress;
    readonly options: GetCommandOptions;
    readonly line: TransferLine;
    readonly signal: AbortSignal;
  },
): Promise<Held> {
  const named = [...new Set(providers)].filter((address) => !redeemedAt.includes(address));
  const nodes = [...named.map((address) => [address]), ...redeemedAt.length > 0 ? [redeemedAt] : []];
  let redeemed = secret === undefined;
  const from = nodes.map((addresses): Provider => ({
    address: addresses[0],
    async dial(signal) {
      let fault: unknown;
      for (const address of addresses) {
        try {
          // Only the node that made the ticket learns its secret.
          if (!redeemed && redeemedAt.includes(address)) await redeem(address, secret!, options, signal);
          redeemed ||= redeemedAt.includes(address);
          return await dial(address, BLOBS_ALPN, signal);
        } catch (error) {
          signal.throwIfAborted();
          fault ??= error;
        }
      }
      throw fault;
    },
  }));
  const noted = new Set<string>();
  const faulty = (address: string, error: unknown): void => {
    const text = `alknet: ${address}: ${(error as Error).message}`;
    // Whoever fails again in the same way is told of once.
    if (noted.size < MOST_NOTES && !noted.has(text)) note(text);
    noted.add(text);
  };
  const what = { hash, format };
  for await (const { bytes, size, providers } of download(what, from, blobs, { signal, faulty })) {
    line.report(bytes, size, `${providers} ${providers === 1 ? "provider" : "providers"}`);
  }
  return await blobs.hold(hash, format);
}

/** What is in the store already, with all that it lists. */
async function heldHere(blobs: BlobStore, hash: string, format: Format = "raw"): Promise<Held | undefined> {
  if ((await blobs.status(hash)).state !== "complete") return undefined;
  const held = await blobs.hold(hash, format);
  if (format === "raw") return held;
  for (const link of await linksOf(blobs, hash)) {
    if ((await blobs.status(link.toHex())).state === "complete") continue;
    await held[Symbol.asyncDispose]();
    return undefined;
  }
  return held;
}

async function getFrom(
  address: string,
  { hash, format }: Pick<Wanted, "hash" | "format">,
  blobs: BlobStore,
  dial: DialAddress,
  { line, signal }: { readonly line: TransferLine; readonly signal: AbortSignal },
): Promise<Held> {
  await using connection = await dial(address, BLOBS_ALPN, signal);
  return await getBlob(connection, hash, blobs, { format, progress: line.report, signal });
}
