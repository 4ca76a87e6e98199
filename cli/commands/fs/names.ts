/**
 * `alknet fs ls`, `cat`, `add`, `get`, `cp`, `mv`, `rm`, `mkdir`, `stat`, `restore`, `share`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { type Message, message } from "@optique/core/message";
import { map, optional, withDefault } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { argument, command, flag, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { duration } from "../../grammar/arguments.ts";
import { placeArgument, SHARED } from "./shared.ts";

const ONE = { place: placeArgument(), ...SHARED };

function recursive(description: Message): Parser<"sync", boolean, unknown> {
  return withDefault(flag("-r", "--recursive", { description }), false);
}

const force = withDefault(flag("--force", { description: message`Replace what is there.` }), false);

/** Lists a folder. */
export const lsCommand: Command = command(
  "ls",
  map(
    object({
      long: withDefault(flag("-l", "--long", { description: message`Permissions, size and time too.` }), false),
      recursive: withDefault(flag("-R", "--recursive", { description: message`With what folders hold.` }), false),
      ...ONE,
    }),
    (options): Action => async () => (await import("../../files/names.ts")).listNames(options),
  ),
  { brief: message`List the names of a folder.` },
);

/** Shows what is at a place. */
export const statCommand: Command = command(
  "stat",
  map(object(ONE), (options): Action => async () => (await import("../../files/names.ts")).statName(options)),
  { brief: message`Show what is at a place: kind, size, hash, time.` },
);

/** Writes a file to stdout. */
export const catCommand: Command = command(
  "cat",
  map(
    object({
      range: optional(option("--range", string({ metavar: "A-B" }), {
        description: message`The bytes from A to B, both included; A- to the end, -N the last N.`,
      })),
      ...ONE,
    }),
    (options): Action => async () => (await import("../../files/reading.ts")).showFile(options),
  ),
  { brief: message`Write a file to stdout.` },
);

/** Shares a file. */
export const shareCommand: Command = command(
  "share",
  map(
    object({
      for: optional(option("--for", duration(), { description: message`For how long. Default: for ever.` })),
      to: withDefault(
        option("--to", string({ metavar: "WHOM" }), {
          description:
            message`anyone, a node id or fingerprint, secret, or the name of an authorised peer. Default: anyone.`,
        }),
        "anyone",
      ),
      iroh: withDefault(flag("--iroh", { description: message`Print a ticket in the form of iroh.` }), false),
      ...ONE,
    }),
    (options): Action => async () => (await import("../../files/reading.ts")).shareFile(options),
  ),
  { brief: message`Let others read a file as it is now, and print the ticket for it.` },
);

/** Adds files to a branch, gets them from one, copies between two. */
export const addCommand: Command = copyCommand("add", {
  from: message`File or folder to add.`,
  to: message`Where it comes to: BRANCH:/PATH.`,
  brief: message`Add a file, or with -r a folder, to a branch.`,
});
/** Gets files. */
export const getCommand: Command = copyCommand("get", {
  from: message`What to get: BRANCH:/PATH, or ADDRESS/BRANCH:/PATH from another node.`,
  to: message`File or folder that it comes to.`,
  brief: message`Get a file, or with -r a folder, out of a branch.`,
});
/** Copies. */
export const cpCommand: Command = copyCommand("cp", {
  from: message`A place of a branch, or a local path.`,
  to: message`A place of a branch, or a local path.`,
  brief: message`Copy within a branch, between two, into one or out of one.`,
});

function copyCommand(
  name: string,
  words: { readonly from: Message; readonly to: Message; readonly brief: Message },
): Command {
  return command(
    name,
    map(
      object({
        recursive: recursive(message`Copy a folder with what it holds.`),
        force,
        from: argument(string({ metavar: "FROM" }), { description: words.from }),
        to: argument(string({ metavar: "TO" }), { description: words.to }),
        ...SHARED,
      }),
      (options): Action => async () => (await import("../../files/copying.ts")).copyFiles(options),
    ),
    { brief: words.brief },
  );
}

/** Moves within a branch. */
export const mvCommand: Command = command(
  "mv",
  map(
    object({
      force,
      from: argument(string({ metavar: "FROM" }), { description: message`What to move: BRANCH:/PATH.` }),
      to: argument(string({ metavar: "TO" }), { description: message`Where to: BRANCH:/PATH.` }),
      ...SHARED,
    }),
    (options): Action => async () => (await import("../../files/names.ts")).moveName(options),
  ),
  { brief: message`Move or rename within a branch.` },
);

/** Removes. */
export const rmCommand: Command = command(
  "rm",
  map(
    object({ recursive: recursive(message`A folder with what it holds.`), ...ONE }),
    (options): Action => async () => (await import("../../files/names.ts")).removeName(options),
  ),
  { brief: message`Remove a file, or with -r a folder; older versions keep it.` },
);

/** Makes a folder. */
export const mkdirCommand: Command = command(
  "mkdir",
  map(
    object({
      parents: withDefault(
        flag("-p", "--parents", { description: message`Make the folders that it lies in; one that is there is fine.` }),
        false,
      ),
      ...ONE,
    }),
    (options): Action => async () => (await import("../../files/names.ts")).makeFolder(options),
  ),
  { brief: message`Make a folder.` },
);

/** Takes back what a version had. */
export const restoreCommand: Command = command(
  "restore",
  map(object(ONE), (options): Action => async () => (await import("../../files/names.ts")).restoreName(options)),
  { brief: message`Take back what a version had: main@12:/path.` },
);
