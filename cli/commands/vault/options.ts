/**
 * Options that several of the vault's commands share, and how they report.
 *
 * @module
 */
import type { WordCount } from "@alknet/vault";
import { message } from "@optique/core/message";
import { map, optional, withDefault } from "@optique/core/modifiers";
import type { Parser } from "@optique/core/parser";
import { argument, flag, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import { checked, homeOption, jsonFlag, passphraseFileOption, secretFileOption } from "../../grammar/arguments.ts";
import { type Home, locateHome } from "../../home/home.ts";
import { note, print, printJson } from "../../terminal/output.ts";
import type { ExistingKey } from "../../vault/making.ts";
import { checkName } from "../../vault/names.ts";

/** What every command that opens the vault is told. */
export interface VaultCommandOptions {
  /** Home folder. */
  readonly home?: string;
  /** File with the passphrase. */
  readonly passphraseFile?: string;
  /** Print JSON. */
  readonly json: boolean;
}

/** What every command that makes a vault is told. */
export interface MakingCommandOptions extends VaultCommandOptions {
  /** Seal by a key in a file. */
  readonly noPassphrase: boolean;
  /** Move an old vault aside. */
  readonly force: boolean;
  /** What becomes of a key file. */
  readonly existingKey?: ExistingKey;
}

/** Parsers of options, by their names. */
export type Parsers<Options> = { readonly [Name in keyof Options]-?: Parser<"sync", Options[Name], unknown> };

/** The parsers behind {@linkcode VaultCommandOptions}. */
export function vaultOptions(): Parsers<VaultCommandOptions> {
  return { home: homeOption(), passphraseFile: passphraseFileOption(), json: jsonFlag() };
}

/** The parsers behind {@linkcode MakingCommandOptions}. */
export function makingOptions(): Parsers<MakingCommandOptions> {
  return {
    home: homeOption(),
    passphraseFile: secretFileOption(
      "--passphrase-file",
      message`File with the passphrase that seals the phrase, for its owner alone. Default: asks for one.`,
    ),
    noPassphrase: noPassphraseFlag(),
    force: withDefault(
      flag("--force", {
        description: message`Move a vault that is there aside, with its credentials, and begin anew.`,
      }),
      false,
    ),
    existingKey: optional(option("--existing-key", choice(["keep", "replace"], { metavar: "WHAT" }), {
      description:
        message`Where a node.key is: keep it, and the node's id, or replace it by that of the vault and move the file aside.`,
    })),
    json: jsonFlag(),
  };
}

/** `--no-passphrase`. */
export function noPassphraseFlag(): Parser<"sync", boolean, unknown> {
  return withDefault(
    flag("--no-passphrase", {
      description: message`Seal the phrase by a random key in vault.key, beside it: the node starts unattended.`,
    }),
    false,
  );
}

/** `--words COUNT`. */
export function wordsOption(): Parser<"sync", WordCount, unknown> {
  return map(
    withDefault(
      option("--words", choice(["12", "15", "18", "21", "24"], { metavar: "COUNT" }), {
        description: message`How many words the phrase has. Default: 24.`,
      }),
      "24",
    ),
    (count) => Number(count) as WordCount,
  );
}

/** `NAME` of a credential. */
export function nameArgument(): Parser<"sync", string, unknown> {
  return argument(checked("NAME", "github-token", checkName), { description: message`What the credential is called.` });
}

/** Reports a vault that was made. */
export async function reportVault(home: Home, options: VaultCommandOptions, what: string): Promise<void> {
  const { publicIdentity } = await import("../../node/node_key.ts");
  const { nodeId, fingerprint, sshHostKey } = await publicIdentity(home);
  const { folder, vaultFile, configFile } = home;
  if (options.json) printJson({ nodeId, fingerprint, sshHostKey, home: folder, vaultFile, configFile });
  else print(nodeId);
  note(what);
}

/** The home folder that is meant. */
export function homeOf({ home }: { readonly home?: string }): Home {
  return locateHome(home);
}
