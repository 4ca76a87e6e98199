/**
 * `alknet blob ls`, `stat`, `tag`, `untag`, `gc`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, flag, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { configOption, duration, homeOption, jsonFlag } from "../../grammar/arguments.ts";

const SHARED = { home: homeOption(), config: configOption(), json: jsonFlag() };

/** Lists the blobs of a home. */
export const lsCommand: Command = command(
  "ls",
  map(object(SHARED), (options): Action => async () => (await import("../../blobs/keeping.ts")).listBlobs(options)),
  { brief: message`List the blobs of this node: hash, size, whether they are complete, tags.` },
);

/** Shows one of them. */
export const statCommand: Command = command(
  "stat",
  map(
    object({ hash: argument(string({ metavar: "HASH" }), { description: message`The blob.` }), ...SHARED }),
    (options): Action => async () => (await import("../../blobs/keeping.ts")).statBlob(options),
  ),
  { brief: message`Show what is there of a blob.` },
);

/** Keeps a blob. */
export const tagCommand: Command = command(
  "tag",
  map(
    object({
      hash: argument(string({ metavar: "HASH" }), { description: message`The blob.` }),
      name: argument(string({ metavar: "NAME" }), {
        description: message`Name that keeps it; another may have had it.`,
      }),
      for: optional(option("--for", duration(), { description: message`For how long. Default: for ever.` })),
      ...SHARED,
    }),
    (options): Action => async () => (await import("../../blobs/keeping.ts")).tagBlob(options),
  ),
  { brief: message`Keep a blob of this node under a name.` },
);

/** Keeps it no more. */
export const untagCommand: Command = command(
  "untag",
  map(
    object({ name: argument(string({ metavar: "NAME" }), { description: message`The name.` }), ...SHARED }),
    (options): Action => async () => (await import("../../blobs/keeping.ts")).untagBlob(options),
  ),
  { brief: message`Take a name away; a blob that has no other goes some minutes later.` },
);

/** Looks at what is stored. */
export const verifyCommand: Command = command(
  "verify",
  map(
    object({
      hash: optional(argument(string({ metavar: "HASH" }), { description: message`The blob. Default: all of them.` })),
      ...SHARED,
    }),
    (options): Action => async () => (await import("../../blobs/keeping.ts")).verifyBlobs(options),
  ),
  { brief: message`Hash what this node has stored, and say what is wrong.` },
);

/** Takes away what nothing keeps. */
export const gcCommand: Command = command(
  "gc",
  map(
    object({
      full: withDefault(
        flag("--full", { description: message`Look at every blob, not only at those dropped five minutes ago.` }),
        false,
      ),
      dryRun: withDefault(
        flag("--dry-run", { description: message`Say what would go, and take nothing away.` }),
        false,
      ),
      ...SHARED,
    }),
    (options): Action => async () => (await import("../../blobs/keeping.ts")).collectBlobs(options),
  ),
  { brief: message`Take away the blobs that nothing keeps.` },
);
