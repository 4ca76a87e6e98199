/**
 * `alknet blob share` and `ticket`: tickets are made and read.
 *
 * @module
 */
import { parseNodeId } from "@alknet/core/identity";
import { ed25519Fingerprint, NODE_ID_LENGTH, nodeIdOf, parseFingerprint } from "@alknet/core/identity";
import { AlknetError } from "@alknet/core/handler";
import type { Grants, Subject } from "@alknet/handlers/fs";
import { formatTicket, parseHash, parseTicket, type Ticket } from "@alknet/handlers/fs/bao";
import { publicIdentity } from "../node/node_key.ts";
import { ExitCode, note, print, printJson, UsageError } from "../terminal/output.ts";
import { formatOf } from "./keeping.ts";
import { type BlobHomeChoice, openBlobHome } from "./store.ts";

/** What the command line says. */
export interface ShareCommandOptions extends BlobHomeChoice {
  /** The blob. */
  readonly hash: string;
  /** For how long, in milliseconds. */
  readonly for?: number;
  /** To whom. */
  readonly to: string;
  /** As a ticket of iroh's. */
  readonly iroh: boolean;
  /** Print JSON. */
  readonly json: boolean;
}

/** Grants the right to read a blob, and prints the ticket. */
export async function shareBlob(options: ShareCommandOptions): Promise<number> {
  const hash = parseHash(options.hash);
  const subject = subjectOf(options.to);
  if (options.iroh && subject !== "anyone") {
    throw new UsageError("a ticket of iroh's is for anyone: its requesters prove no key; leave out --to or --iroh");
  }
  await using home = await openBlobHome(options);
  if ((await home.fs.blobs.status(hash)).state !== "complete") {
    const what = `blob ${hash.slice(0, 10)} is not in the store of this home`;
    throw new AlknetError("BLOB_NOT_FOUND", `${what}; add it first: alknet blob add FILE`);
  }
  const format = await formatOf(home.fs.blobs, hash);
  const { nodeId } = await publicIdentity(home.home);
  const expires = options.for === undefined ? undefined : Math.floor((Date.now() + options.for) / 1000);
  const { id, secret } = await granted(home.fs.grants, { hash, subject, expires });
  const ticket: Ticket = {
    kind: options.iroh ? "iroh" : "alknet",
    nodeKey: parseNodeId(nodeId),
    addresses: await home.addresses(),
    format,
    hash,
    // A ticket of iroh's has no end; the grant has.
    ...!options.iroh && expires !== undefined && { expires },
    ...secret && { secret },
  };
  const text = formatTicket(ticket);
  if (options.json) printJson({ ticket: text, hash, format, id, ...expires !== undefined && { expires } });
  else print(text);
  if (!home.served) note("alknet: note: the configuration names handlers without fs, so the node does not serve it");
  return ExitCode.DONE;
}

/** Prints what a ticket says, a line each. */
export function showTicket({ ticket: text, json }: { readonly ticket: string; readonly json: boolean }): number {
  const ticket = parseTicket(text);
  const { addresses, format, hash, relay, expires, secret } = ticket;
  const node = nodeIdOf(ticket.nodeKey);
  if (json) {
    printJson({
      kind: ticket.kind,
      node,
      addresses,
      ...relay !== undefined && { relay },
      format,
      hash,
      secret: secret !== undefined,
      ...expires !== undefined && { expires },
    });
    return ExitCode.DONE;
  }
  print(`node     ${node}`);
  for (const address of addresses) print(`address  ${address}`);
  if (relay !== undefined) print(`relay    ${relay}`);
  print(`format   ${format}`);
  print(`hash     ${hash}`);
  if (secret) print("secret   there is one");
  print(`ends     ${expires === undefined ? "never" : dateOf(expires)}`);
  return ExitCode.DONE;
}

async function granted(
  grants: Grants,
  { subject, ...what }: { readonly hash: string; readonly subject: Subject | "secret"; readonly expires?: number },
): Promise<{ readonly id: string; readonly secret?: Uint8Array }> {
  if (subject === "secret") return await grants.grantSecret({ ...what, owner: "local" });
  return await grants.grant({ ...what, subject, owner: "local" });
}

/** A key by a fingerprint or a node id, `anyone`, `secret`, else an identity of the configuration. */
function subjectOf(to: string): Subject | "secret" {
  if (to === "anyone" || to === "secret") return to;
  if (/^(?:ed25519|sha256):/i.test(to)) return `key:${parseFingerprint(to)}`;
  if (to.length === NODE_ID_LENGTH) return `key:${ed25519Fingerprint(parseNodeId(to))}`;
  return `id:${to}`;
}

function dateOf(seconds: number): string {
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? `${seconds} s after 1970` : date.toISOString();
}
