/**
 * `alknet vault`: the phrase of the node, the keys that come from it, and the credentials that it seals.
 *
 * @module
 */
import { group, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { command } from "@optique/core/primitives";
import type { Command } from "../grammar/action.ts";
import { backupCommand, restoreCommand } from "./vault/backup.ts";
import {
  importCredentialsCommand,
  listCommand,
  openCommand,
  removeCommand,
  rotateCommand,
  sealCommand,
} from "./vault/credentials.ts";
import { deriveCommand } from "./vault/derive.ts";
import { changePassphraseCommand, importCommand, newCommand, showPhraseCommand } from "./vault/phrase.ts";

/** `alknet vault …`. */
export const vaultCommand: Command = command(
  "vault",
  or(
    group("The phrase", or(newCommand, importCommand, showPhraseCommand, changePassphraseCommand)),
    group("Keys", deriveCommand),
    group(
      "Credentials",
      or(sealCommand, openCommand, listCommand, removeCommand, rotateCommand, importCredentialsCommand),
    ),
    group("Safe keeping", or(backupCommand, restoreCommand)),
  ),
  {
    brief: message`Keys from one phrase, and credentials sealed by them.`,
  },
);
