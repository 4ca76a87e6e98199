/**
 * `alknet vault seal`, `open`, `list`, `remove`, `rotate` and `import-credentials`.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, flag, option } from "@optique/core/primitives";
import { choice, integer } from "@optique/core/valueparser";
import { path } from "@optique/run/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { homeOption, jsonFlag } from "../../grammar/arguments.ts";
import { ExitCode, note, print, printJson, writeText } from "../../terminal/output.ts";
import { homeOf, nameArgument, type VaultCommandOptions, vaultOptions } from "./options.ts";

/** The version whose index is the last below 2³¹ (BIP-32): `m/74'/2'/0'/{v-2}'`. */
const LAST_KEY_VERSION = 2 ** 31 + 1;

interface NamedOptions extends VaultCommandOptions {
  readonly name: string;
}

const replaceFlag = () =>
  withDefault(flag("--replace", { description: message`Replace credentials that have the name already.` }), false);

/** `alknet vault seal NAME`. */
export const sealCommand: Command = command(
  "seal",
  map(
    object({ name: nameArgument(), replace: replaceFlag(), ...vaultOptions() }),
    (options): Action => () => seal(options),
  ),
  {
    brief: message`Seal a credential.`,
    description:
      message`Seal a credential: standard input, without the line end after it, or what is typed unseen at a terminal.`,
  },
);

/** `alknet vault open NAME`. */
export const openCommand: Command = command(
  "open",
  map(
    object({
      name: nameArgument(),
      exact: withDefault(flag("-n", "--no-newline", { description: message`No line end after it.` }), false),
      ...vaultOptions(),
    }),
    (options): Action => () => open(options),
  ),
  { brief: message`Print a credential.` },
);

/** `alknet vault list`. */
export const listCommand: Command = command(
  "list",
  map(object({ home: homeOption(), json: jsonFlag() }), (options): Action => () => list(options)),
  {
    brief: message`List the credentials by name.`,
    description: message`List the credentials; the vault stays closed.`,
  },
);

/** `alknet vault remove NAME`. */
export const removeCommand: Command = command(
  "remove",
  map(
    object({ name: nameArgument(), home: homeOption(), json: jsonFlag() }),
    (options): Action => () => remove(options),
  ),
  { brief: message`Remove a credential.` },
);

/** `alknet vault rotate`. */
export const rotateCommand: Command = command(
  "rotate",
  map(
    object({
      to: optional(option("--to", integer({ metavar: "VERSION", min: 2, max: LAST_KEY_VERSION }), {
        description: message`Version of the sealing key, from 2. Default: the one after the newest in use.`,
      })),
      ...vaultOptions(),
    }),
    (options): Action => () => rotate(options),
  ),
  { brief: message`Seal every credential by another key version: all, or none.` },
);

/** `alknet vault import-credentials FILE`. */
export const importCredentialsCommand: Command = command(
  "import-credentials",
  map(
    object({
      file: argument(path({ metavar: "FILE", type: "file", mustExist: true }), {
        description: message`JSON: names to sealed data, as credentials.json is.`,
      }),
      scheme: option("--scheme", choice(["rust"], { metavar: "SCHEME" }), {
        description: message`rust: sealed by the earlier Rust vault under the same phrase.`,
      }),
      replace: replaceFlag(),
      ...vaultOptions(),
    }),
    (options): Action => () => importCredentials(options),
  ),
  { brief: message`Take over credentials that an earlier vault sealed: all, or none.` },
);

async function seal(options: NamedOptions & { readonly replace: boolean }): Promise<number> {
  const { name, replace, json } = options;
  const { readValue } = await import("../../vault/value.ts");
  const { newestVersion } = await import("../../vault/credentials.ts");
  const { changeCredentials, openVault, settledCredentials } = await import("../../vault/vault_folder.ts");
  const { refuseTaken } = await import("../../vault/credentials.ts");
  const { Terminal } = await import("../../terminal/terminal.ts");
  const home = homeOf(options);
  // Before anyone types a secret that is then refused.
  if (!replace) refuseTaken(await settledCredentials(home), [name]);
  using terminal = Terminal.open();
  const value = await readValue(name, { terminal });
  using opened = await openVault(home, { ...options, terminal });
  const version = await changeCredentials(home, opened.document, (credentials) => {
    if (!replace) refuseTaken(credentials, [name]);
    const version = newestVersion(credentials);
    return { credentials: new Map(credentials).set(name, opened.vault.seal(value, version)), result: version };
  });
  if (json) printJson({ name, keyVersion: version });
  else print(`sealed ${name}`);
  return ExitCode.DONE;
}

async function open(options: NamedOptions & { readonly exact: boolean }): Promise<number> {
  const { name } = options;
  const { credentialOf, opening } = await import("../../vault/credentials.ts");
  const { openVault, settledCredentials } = await import("../../vault/vault_folder.ts");
  const home = homeOf(options);
  const sealed = credentialOf(await settledCredentials(home), name);
  using opened = await openVault(home, options);
  const value = opening(name, () => opened.vault.open(sealed));
  if (options.json) printJson({ name, value });
  else if (options.exact) writeText(value);
  else print(value);
  return ExitCode.DONE;
}

async function list(options: { readonly home?: string; readonly json: boolean }): Promise<number> {
  const { settledCredentials } = await import("../../vault/vault_folder.ts");
  const credentials = [...await settledCredentials(homeOf(options))].sort(([a], [b]) => a < b ? -1 : 1);
  for (const [name, { key_version }] of credentials) {
    if (options.json) printJson({ name, keyVersion: key_version });
    else print(`${name}  key version ${key_version}`);
  }
  if (credentials.length === 0 && !options.json) note("no credentials; seal one with: alknet vault seal NAME");
  return ExitCode.DONE;
}

async function remove(
  options: { readonly name: string; readonly home?: string; readonly json: boolean },
): Promise<number> {
  const { name } = options;
  const { credentialOf } = await import("../../vault/credentials.ts");
  const { changeCredentials } = await import("../../vault/vault_folder.ts");
  const { requireVaultFile } = await import("../../vault/reading.ts");
  const home = homeOf(options);
  await requireVaultFile(home);
  await changeCredentials(home, undefined, (credentials) => {
    credentialOf(credentials, name);
    const rest = new Map(credentials);
    rest.delete(name);
    return { credentials: rest, result: undefined };
  });
  if (options.json) printJson({ name, removed: true });
  else print(`removed ${name}`);
  return ExitCode.DONE;
}

async function rotate(options: VaultCommandOptions & { readonly to?: number }): Promise<number> {
  const { newestVersion, rotated } = await import("../../vault/credentials.ts");
  const { changeCredentials, openVault } = await import("../../vault/vault_folder.ts");
  const home = homeOf(options);
  using opened = await openVault(home, options);
  const { count, version } = await changeCredentials(home, opened.document, (credentials) => {
    const version = options.to ?? newestVersion(credentials) + 1;
    return { credentials: rotated(credentials, opened.vault, version), result: { count: credentials.size, version } };
  });
  if (options.json) printJson({ credentials: count, keyVersion: version });
  else print(`rotated ${count} credentials to key version ${version}`);
  return ExitCode.DONE;
}

async function importCredentials(
  options: VaultCommandOptions & { readonly file: string; readonly replace: boolean },
): Promise<number> {
  const { newestVersion, opening, readForeignCredentials, refuseTaken } = await import("../../vault/credentials.ts");
  const { changeCredentials, openVault } = await import("../../vault/vault_folder.ts");
  const home = homeOf(options);
  const foreign = await readForeignCredentials(options.file);
  using opened = await openVault(home, options);
  await changeCredentials(home, opened.document, (credentials) => {
    if (!options.replace) refuseTaken(credentials, [...foreign.keys()]);
    const version = newestVersion(credentials);
    const all = new Map(credentials);
    for (const [name, sealed] of foreign) {
      all.set(name, opening(name, () => opened.vault.seal(opened.vault.openRust(sealed), version)));
    }
    return { credentials: all, result: undefined };
  });
  if (options.json) printJson({ imported: [...foreign.keys()] });
  else print(`imported ${foreign.size} credentials`);
  return ExitCode.DONE;
}
