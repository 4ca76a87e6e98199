/**
 * `alknet vault new`, `import`, `show-phrase` and `change-passphrase`: the phrase and what seals it.
 *
 * @module
 */
import type { WordCount } from "@alknet/vault";
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, withDefault } from "@optique/core/modifiers";
import { command, flag } from "@optique/core/primitives";
import type { Action, Command } from "../../grammar/action.ts";
import { secretFileOption } from "../../grammar/arguments.ts";
import { ExitCode, note, print, printJson, UsageError } from "../../terminal/output.ts";
import {
  homeOf,
  type MakingCommandOptions,
  makingOptions,
  noPassphraseFlag,
  reportVault,
  type VaultCommandOptions,
  vaultOptions,
  wordsOption,
} from "./options.ts";

/** `alknet vault new`. */
export const newCommand: Command = command(
  "new",
  map(object({ words: wordsOption(), ...makingOptions() }), (options): Action => () => makeNew(options)),
  {
    brief: message`Make a vault with a new phrase.`,
    description: message`Make a vault with a new phrase, and no configuration; alknet init makes both.`,
  },
);

/** `alknet vault import`. */
export const importCommand: Command = command(
  "import",
  map(
    object({
      mnemonicFile: secretFileOption(
        "--mnemonic-file",
        message`File with the words, for its owner alone. Default: asks for them.`,
      ),
      ...makingOptions(),
    }),
    (options): Action => () => importPhrase(options),
  ),
  { brief: message`Make a vault of a phrase that you have.` },
);

/** `alknet vault show-phrase`. */
export const showPhraseCommand: Command = command(
  "show-phrase",
  map(
    object({
      yes: withDefault(flag("--yes", { description: message`Print it even where no terminal reads it.` }), false),
      ...vaultOptions(),
    }),
    (options): Action => () => showPhrase(options),
  ),
  {
    brief: message`Print the phrase.`,
    description: message`Print the phrase, after the passphrase was given again. Who has these words has every key.`,
  },
);

/** `alknet vault change-passphrase`. */
export const changePassphraseCommand: Command = command(
  "change-passphrase",
  map(
    object({
      newPassphraseFile: secretFileOption(
        "--new-passphrase-file",
        message`File with the new passphrase. Default: asks for it.`,
      ),
      noPassphrase: noPassphraseFlag(),
      ...vaultOptions(),
    }),
    (options): Action => () => changePassphrase(options),
  ),
  {
    brief: message`Seal the phrase by another passphrase, or by a key.`,
    description:
      message`Seal the phrase by another passphrase, or with --no-passphrase by a new vault.key. Keys and credentials stay as they are.`,
  },
);

async function makeNew(options: MakingCommandOptions & { readonly words: WordCount }): Promise<number> {
  const { makeNewVault, mayMake } = await import("../../vault/making.ts");
  const { newSecret } = await import("../../vault/secrets.ts");
  const home = homeOf(options);
  const aside = await mayMake(home, options);
  await makeNewVault(home, await newSecret(options), { words: options.words, force: options.force, aside });
  await reportVault(
    home,
    options,
    `made ${home.vaultFile}; write its ${options.words} words down: alknet vault show-phrase`,
  );
  return ExitCode.DONE;
}

async function importPhrase(options: MakingCommandOptions & { readonly mnemonicFile?: string }): Promise<number> {
  const { mayMake } = await import("../../vault/making.ts");
  const { newSecret, phraseFrom } = await import("../../vault/secrets.ts");
  const { makeVault } = await import("../../vault/vault_folder.ts");
  const { Terminal } = await import("../../terminal/terminal.ts");
  const home = homeOf(options);
  const aside = await mayMake(home, options);
  // One terminal for every question, so that answers typed ahead are not lost.
  using terminal = Terminal.open();
  const phrase = await phraseFrom(options.mnemonicFile, { terminal });
  await makeVault(home, phrase, await newSecret({ ...options, terminal }), { force: options.force, aside });
  await reportVault(home, options, `made ${home.vaultFile} of the phrase`);
  return ExitCode.DONE;
}

async function showPhrase(options: VaultCommandOptions & { readonly yes: boolean }): Promise<number> {
  const { openVault } = await import("../../vault/vault_folder.ts");
  const { requireVaultFile } = await import("../../vault/reading.ts");
  const home = homeOf(options);
  const { sealed_by } = await requireVaultFile(home);
  // A passphrase that was given is a will that was shown; a key that lies beside the vault is not.
  if (sealed_by.kind === "key" && !options.yes && !Deno.stdout.isTerminal()) {
    throw new UsageError("the phrase is shown on a terminal alone; where a pipe or a file is meant, give --yes");
  }
  const { phraseOf } = await import("@alknet/vault");
  using open = await openVault(home, options);
  const phrase = phraseOf(open.entropy);
  if (options.json) printJson({ phrase });
  else print(phrase);
  return ExitCode.DONE;
}

async function changePassphrase(
  options: VaultCommandOptions & { readonly newPassphraseFile?: string; readonly noPassphrase: boolean },
): Promise<number> {
  const { newSecret } = await import("../../vault/secrets.ts");
  const { openVault, resealVault } = await import("../../vault/vault_folder.ts");
  const { Terminal } = await import("../../terminal/terminal.ts");
  const { newPassphraseFile: passphraseFile, noPassphrase } = options;
  const home = homeOf(options);
  using terminal = Terminal.open();
  using open = await openVault(home, { ...options, terminal });
  const secret = await newSecret({ passphraseFile, noPassphrase, terminal }, "--new-passphrase-file");
  await resealVault(home, open, secret);
  if (options.json) printJson({ vaultFile: home.vaultFile, sealedBy: secret.kind });
  note(secret.kind === "key" ? `sealed by ${home.vaultKeyFile}` : "sealed by the new passphrase");
  return ExitCode.DONE;
}
