/**
 * `alknet blob`: files under their hash, added here and got from other nodes.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, flag, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import { parseTarget } from "@alknet/core/address";
import type { Action, Command } from "../grammar/action.ts";
import { checked, configOption, duration, homeOption, jsonFlag } from "../grammar/arguments.ts";
import { reachOptions } from "../reaching/reach.ts";
import { gcCommand, lsCommand, statCommand, tagCommand, untagCommand, verifyCommand } from "./blob/keeping.ts";
import { pushCommand } from "./blob/pushing.ts";

const SHARED = { home: homeOption(), config: configOption(), json: jsonFlag() };

const addCommand: Command = command(
  "add",
  map(
    object({
      files: multiple(
        argument(path({ metavar: "FILE" }), { description: message`File to add; a folder becomes a collection.` }),
        {
          min: 1,
        },
      ),
      tag: optional(option("--tag", string({ metavar: "NAME" }), {
        description: message`Name that keeps it. Default: the file's, and ten digits of the hash.`,
      })),
      reference: withDefault(
        flag("--reference", {
          description: message`Leave the files where they are: each is served from there while it is unchanged.`,
        }),
        false,
      ),
      ...SHARED,
    }),
    (options): Action => async () => (await import("../blobs/add.ts")).addBlobs(options),
  ),
  { brief: message`Copy files into the store of this node and print their hashes.` },
);

const getCommand: Command = command(
  "get",
  map(getOptions(), (options): Action => async () => (await import("../blobs/get.ts")).getToFile(options)),
  { brief: message`Get a file by its hash or a ticket, verified as it comes.` },
);

const shareCommand: Command = command(
  "share",
  map(
    object({
      hash: argument(string({ metavar: "HASH" }), { description: message`The blob.` }),
      for: optional(option("--for", duration(), { description: message`For how long. Default: for ever.` })),
      to: withDefault(
        option("--to", string({ metavar: "WHOM" }), {
          description:
            message`anyone, a node id or fingerprint, secret, or the name of an authorised peer. Default: anyone.`,
        }),
        "anyone",
      ),
      iroh: withDefault(flag("--iroh", { description: message`Print a ticket in the form of iroh.` }), false),
      ...SHARED,
    }),
    (options): Action => async () => (await import("../blobs/share.ts")).shareBlob(options),
  ),
  { brief: message`Let others read a blob of this node, and print the ticket for it.` },
);

const ticketCommand: Command = command(
  "ticket",
  map(
    object({
      ticket: argument(string({ metavar: "TICKET" }), { description: message`Ours, or one of iroh's.` }),
      json: jsonFlag(),
    }),
    (options): Action => async () => (await import("../blobs/share.ts")).showTicket(options),
  ),
  { brief: message`Show what a ticket says.` },
);

/** `alknet blob …`. */
export const blobCommand: Command = command(
  "blob",
  or(
    or(addCommand, getCommand, pushCommand, shareCommand, ticketCommand),
    or(lsCommand, statCommand, tagCommand, untagCommand, verifyCommand, gcCommand),
  ),
  {
    brief: message`Files under their hash: add, get, push, share, keep.`,
  },
);

function getOptions() {
  const { transport, insecure, ca, timeout, passphraseFile } = reachOptions();
  return object({
    what: argument(string({ metavar: "HASH|TICKET" }), { description: message`What to get.` }),
    from: multiple(option("--from", checked("ADDRESS", "localhost:4433", parseTarget), {
      description:
        message`Node to ask: NODEID@HOST:PORT, or NODEID. May be given several times: all are asked at once, with that of the ticket.`,
    })),
    output: optional(option("-o", "--output", string({ metavar: "PATH" }), {
      description: message`Where it goes; - is stdout. Default: the hash, in this folder; of a collection this folder.`,
    })),
    force: withDefault(flag("--force", { description: message`Replace a file that is there.` }), false),
    tag: optional(option("--tag", string({ metavar: "NAME" }), {
      description:
        message`Name that keeps it in the store of this node too. Default: it goes from there some minutes later.`,
    })),
    transport,
    insecure,
    ca,
    timeout,
    passphraseFile,
    ...SHARED,
  });
}
