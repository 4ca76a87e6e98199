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
import { installHelperCommand, remoteHelperCommand } from "./git/helper.ts";

/** `alknet git …`. */
export const gitCommand: Command = command(
  "git",
  or(
    group("Repositories of this node", or(initCommand, addCommand, listCommand)),
    group("git clone alknet://…", or(installHelperCommand, remoteHelperCommand)),
  ),
  {
    brief: message`Repositories of this node, and git's way to those of others.`,
  },
);
