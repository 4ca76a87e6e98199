/**
 * `alknet git`: the repositories of the node, and the way to those of others.
 *
 * @module
 */
import { group, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { command } from "@optique/core/primitives";
import type { Command } from "../grammar/action.ts";
import { addCommand, initCommand, listCommand } from "./git/repositories.ts";
import { fsckCommand, maintainCommand, removeCommand, settingsCommand } from "./git/keeping.ts";
import { mirrorCommand } from "./git/mirroring.ts";
import { filesCommand, logCommand, showCommand } from "./git/reading.ts";
import { installHelperCommand, remoteHelperCommand } from "./git/helper.ts";

/** `alknet git …`. */
export const gitCommand: Command = command(
  "git",
  or(
    group("Repositories of this node", or(initCommand, addCommand, listCommand, settingsCommand, removeCommand)),
    group("Looking after them", or(maintainCommand, fsckCommand, mirrorCommand)),
    group("Reading", or(logCommand, showCommand, filesCommand)),
    group("git clone alknet://…", or(installHelperCommand, remoteHelperCommand)),
  ),
  {
    brief: message`Repositories of this node, and git's way to those of others.`,
  },
);
