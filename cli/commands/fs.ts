/**
 * `alknet fs`: branches, trees of names over blobs, with versions; here and at other nodes.
 *
 * @module
 */
import { or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { command } from "@optique/core/primitives";
import type { Command } from "../grammar/action.ts";
import {
  branchCommand,
  diffCommand,
  logCommand,
  mergeCommand,
  snapshotCommand,
  usageCommand,
  watchCommand,
} from "./fs/branches.ts";
import {
  addCommand,
  catCommand,
  cpCommand,
  getCommand,
  lsCommand,
  mkdirCommand,
  mvCommand,
  restoreCommand,
  rmCommand,
  shareCommand,
  statCommand,
} from "./fs/names.ts";

/** `alknet fs …`. */
export const fsCommand: Command = command(
  "fs",
  or(
    or(lsCommand, catCommand, addCommand, getCommand, cpCommand, mvCommand, rmCommand, mkdirCommand),
    or(statCommand, logCommand, restoreCommand, watchCommand, usageCommand),
    or(branchCommand, snapshotCommand, diffCommand, mergeCommand, shareCommand),
  ),
  { brief: message`Trees of files with branches and versions: add, get, list, compare, merge.` },
);
