/**
 * `alknet blob push`: a blob of the home's store to another node.
 *
 * @module
 */
import { parseTarget } from "@alknet/core/address";
import { AlknetError } from "@alknet/core/handler";
import { nodeIdOf } from "@alknet/core/identity";
import { BLOBS_ALPN, pushBlob } from "@alknet/handlers/fs";
import { isTicketText, parseHash, parseTicket } from "@alknet/handlers/fs/bao";
import { prepareDials, type ReachOptions } from "../reaching/reach.ts";
import { openRemote } from "../reaching/remote.ts";
import { ExitCode, note, print, printJson, UsageError } from "../terminal/output.ts";
import { formatSize } from "../terminal/size.ts";
import { formatOf } from "./keeping.ts";
import { redeem } from "./redeem.ts";
import { untilStopped } from "./stopping.ts";
import { openBlobHome } from "./store.ts";
import { TransferLine } from "./transfer_line.ts";

/** What the command line says. */
export interface PushCommandOptions extends Omit<ReachOptions, "address"> {
  /** The blob. */
  readonly hash: string;
  /** An address, or a ticket of the node that lets it be pushed. */
  readonly to: string;
  /** Name that keeps it there. */
  readonly tag?: string;
  /** Configuration file. */
  readonly config?: string;
  /** Print JSON. */
  readonly json: boolean;
}

/** Pushes a blob, with all that it lists if it is a collection. Resolves to the exit code. */
export async function pushToNode(options: PushCommandOptions): Promise<number> {
  const hash = parseHash(options.hash);
  const { addresses, secret } = nodeOf(options.to, hash);
  await using home = await openBlobHome(options);
  const { blobs } = home.fs;
  if ((await blobs.status(hash)).state !== "complete") {
    const what = `blob ${hash.slice(0, 10)} is not in the store of this home`;
    throw new AlknetError("BLOB_NOT_FOUND", `${what}; add it first: alknet blob add FILE`);
  }
  const format = await formatOf(blobs, hash);
  using line = new TransferLine(`pushing ${hash.slice(0, 10)}`);
  const size = await untilStopped(line, async (signal) => {
    await using held = await blobs.hold(hash, format);
    const { address, connection } = await dialled(addresses, options, signal);
    await using _connection = connection;
    if (secret) await redeem(address, secret, options, signal);
    await pushBlob(connection, hash, blobs, { format, progress: line.report, signal });
    // The node has said that it has all of it: nothing is on its way that a slower end would wait for.
    connection.close();
    if (options.tag !== undefined) {
      await using client = await openRemote({ ...options, address }, signal);
      await client.call("blobs/tag", { name: options.tag, hash, format }, { signal });
    }
    return held.size;
  }, "goes on");
  if (size === undefined) return ExitCode.INTERRUPTED;
  line[Symbol.dispose]();
  if (options.json) printJson({ hash, size, ...options.tag !== undefined && { tag: options.tag } });
  else print(`${hash}  ${formatSize(size)}`);
  if (options.tag === undefined) note("alknet: note: it goes from there some minutes later, unless something keeps it");
  return ExitCode.DONE;
}

/** Where the node is, and what is redeemed there. */
function nodeOf(to: string, hash: string): { readonly addresses: readonly string[]; readonly secret?: Uint8Array } {
  if (!isTicketText(to)) {
    parseTarget(to);
    return { addresses: [to] };
  }
  const ticket = parseTicket(to);
  if (ticket.hash !== hash) throw new UsageError(`the ticket is for blob ${ticket.hash.slice(0, 10)}, another one`);
  const id = nodeIdOf(ticket.nodeKey);
  return { addresses: ticket.addresses.map((address) => `${id}@${address}`), secret: ticket.secret };
}

async function dialled(addresses: readonly string[], options: PushCommandOptions, signal: AbortSignal) {
  const dial = await prepareDials(options);
  let fault: unknown;
  for (const address of addresses) {
    try {
      return { address, connection: await dial(address, BLOBS_ALPN, signal) };
    } catch (error) {
      signal.throwIfAborted();
      fault ??= error;
    }
  }
  throw fault ?? new AlknetError("INVALID_TICKET", "the ticket names no address");
}
