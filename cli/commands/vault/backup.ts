/**
 * `alknet vault backup` and `restore`: one sealed file.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import { argument, command } from "@optique/core/primitives";
import { path } from "@optique/run/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { ExitCode, print, printJson } from "../../terminal/output.ts";
import {
  homeOf,
  type MakingCommandOptions,
  makingOptions,
  reportVault,
  type VaultCommandOptions,
  vaultOptions,
} from "./options.ts";

/** `alknet vault backup FILE`. */
export const backupCommand: Command = command(
  "backup",
  map(
    object({
      file: argument(path({ metavar: "FILE", type: "file" }), { description: message`File to make.` }),
      ...vaultOptions(),
    }),
    (options): Action => () => backup(options),
  ),
  {
    brief: message`Write phrase and credentials to one sealed file.`,
    description:
      message`Write phrase and credentials to one file, sealed by the vault's passphrase. A vault that has none asks for one, or takes it from --passphrase-file.`,
  },
);

/** `alknet vault restore FILE`. */
export const restoreCommand: Command = command(
  "restore",
  map(
    object({
      file: argument(path({ metavar: "FILE", type: "file", mustExist: true }), {
        description: message`File that backup made.`,
      }),
      ...makingOptions(),
    }),
    (options): Action => () => restore(options),
  ),
  {
    brief: message`Bring a vault back from its backup.`,
    description:
      message`Bring a vault back from its backup, sealed by the backup's passphrase; with --no-passphrase by a new vault.key instead.`,
  },
);

async function backup(options: VaultCommandOptions & { readonly file: string }): Promise<number> {
  const { backUp } = await import("../../vault/keeping.ts");
  await backUp(homeOf(options), options.file, options);
  if (options.json) printJson({ backup: options.file });
  else print(options.file);
  return ExitCode.DONE;
}

async function restore(options: MakingCommandOptions & { readonly file: string }): Promise<number> {
  const { bringBack } = await import("../../vault/keeping.ts");
  const home = homeOf(options);
  await bringBack(home, options.file, options);
  await reportVault(home, options, `restored ${home.vaultFile} from ${options.file}`);
  return ExitCode.DONE;
}
