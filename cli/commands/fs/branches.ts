/**
 * `alknet fs branch`, `snapshot`, `diff`, `merge`, `log`, `watch`, `usage`.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, flag, option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import { parseTarget } from "@alknet/core/address";
import type { Action, Command } from "../../grammar/action.ts";
import { checked } from "../../grammar/arguments.ts";
import { branchArgument, SHARED } from "./shared.ts";

const load = () => import("../../files/branches.ts");
const ONE = { branch: branchArgument(), ...SHARED };
const NODE = optional(argument(checked("ADDRESS", "localhost:4433", parseTarget), {
  description: message`Another node. Default: the store of this home.`,
}));

/** Branches. */
export const branchCommand: Command = command(
  "branch",
  or(
    command(
      "create",
      map(
        object({
          name: argument(string({ metavar: "NAME" }), { description: message`The new branch.` }),
          from: branchArgument("FROM"),
          ...SHARED,
        }),
        (options): Action => async () => (await load()).createBranch(options),
      ),
      { brief: message`Make a branch that begins as another is, or was: main@12.` },
    ),
    command("drop", map(object(ONE), (options): Action => async () => (await load()).dropBranch(options)), {
      brief: message`Take a branch away; what was forked from it stays.`,
    }),
    command(
      "publish",
      map(
        object({
          off: withDefault(flag("--off", { description: message`Close it again.` }), false),
          ...ONE,
        }),
        (options): Action => async () => (await load()).publishBranch(options),
      ),
      { brief: message`Let anyone read a branch.` },
    ),
    map(object({ address: NODE, ...SHARED }), (options): Action => async () => (await load()).listBranches(options)),
  ),
  { brief: message`List, make, publish and drop branches.` },
);

/** Snapshots. */
export const snapshotCommand: Command = command(
  "snapshot",
  or(
    command(
      "create",
      map(
        object({
          note: optional(option("--note", string({ metavar: "TEXT" }), { description: message`What it is for.` })),
          branch: branchArgument(),
          name: argument(string({ metavar: "NAME" }), { description: message`The name; not digits alone.` }),
          ...SHARED,
        }),
        (options): Action => async () => (await load()).createSnapshot(options),
      ),
      { brief: message`Name a branch as it is now, and keep it for ever.` },
    ),
    command(
      "drop",
      map(
        object({
          branch: branchArgument(),
          name: argument(string({ metavar: "NAME" }), { description: message`The name.` }),
          ...SHARED,
        }),
        (options): Action => async () => (await load()).dropSnapshot(options),
      ),
      { brief: message`Take the name of a version away.` },
    ),
    map(object(ONE), (options): Action => async () => (await load()).listSnapshots(options)),
  ),
  { brief: message`List, make and drop snapshots of a branch.` },
);

/** Differences. */
export const diffCommand: Command = command(
  "diff",
  map(
    object({ from: branchArgument("A"), to: branchArgument("B"), ...SHARED }),
    (options): Action => async () => (await load()).diffBranches(options),
  ),
  { brief: message`Show how two branches or versions differ: A added, M changed, D removed, R moved.` },
);

/** Merges. */
export const mergeCommand: Command = command(
  "merge",
  map(
    object({
      policy: withDefault(
        option("--policy", choice(["fail", "ours", "theirs", "both"]), {
          description:
            message`Where both changed the same: fail and change nothing (default), keep ours (INTO's), take theirs (FROM's), or both.`,
        }),
        "fail" as const,
      ),
      dryRun: withDefault(flag("--dry-run", { description: message`Say what would be, and change nothing.` }), false),
      from: branchArgument("FROM"),
      into: branchArgument("INTO"),
      ...SHARED,
    }),
    (options): Action => async () => (await load()).mergeBranches(options),
  ),
  { brief: message`Bring into a branch what another changed.` },
);

const COUNT = optional(option("-c", "--count", integer({ metavar: "COUNT", min: 1 }), {
  description: message`Changes to show. Default: all.`,
}));

/** What was changed. */
export const logCommand: Command = command(
  "log",
  map(
    object({ count: COUNT, ...ONE }),
    (options): Action => async () => (await load()).showLog(options),
  ),
  { brief: message`Show what was changed in a branch, or at BRANCH:/PATH, the newest first.` },
);

/** What is changed. */
export const watchCommand: Command = command(
  "watch",
  map(
    object({
      since: optional(option("--since", integer({ metavar: "COMMIT", min: 0 }), {
        description: message`Begin after this commit. Default: with the next one.`,
      })),
      count: COUNT,
      ...ONE,
    }),
    (options): Action => async () => (await load()).watchBranch(options),
  ),
  { brief: message`Show changes of a branch as they are made, until ctrl-C.` },
);

/** Usage. */
export const usageCommand: Command = command(
  "usage",
  map(object({ address: NODE, ...SHARED }), (options): Action => async () => (await load()).showUsage(options)),
  { brief: message`Show how much is kept, and how much may be.` },
);
