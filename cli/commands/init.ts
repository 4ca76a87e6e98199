/**
 * `alknet init`: makes the home folder of a node.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional, withDefault } from "@optique/core/modifiers";
import { command, flag, option } from "@optique/core/primitives";
import { path } from "@optique/run/valueparser";
import type { Action, Command } from "../action.ts";
import { homeOption, jsonFlag } from "../arguments.ts";
import { locateHome } from "../home.ts";
import { ExitCode, note, print, printJson, UsageError } from "../output.ts";

interface InitOptions {
  readonly home?: string;
  readonly passphraseFile?: string;
  readonly noPassphrase: boolean;
  readonly json: boolean;
}

/** `alknet init`. */
export const initCommand: Command = command(
  "init",
  map(
    object({
      home: homeOption(),
      passphraseFile: optional(option("--passphrase-file", path({ metavar: "FILE", type: "file" }), {
        description: message`File with the passphrase that seals the keys. Needs the vault, which this version lacks.`,
      })),
      noPassphrase: withDefault(
        flag("--no-passphrase", { description: message`Keep the key unsealed, in a file for its owner alone.` }),
        false,
      ),
      json: jsonFlag(),
    }),
    (options): Action => () => init(options),
  ),
  {
    brief: message`Make a node: its key and its configuration.`,
    description:
      message`Make the home folder of a node: its key, in a file for its owner alone, and its configuration. Refuses to touch what is there.`,
  },
);

async function init(options: InitOptions): Promise<number> {
  if (options.passphraseFile !== undefined) {
    throw new UsageError(
      "--passphrase-file needs the vault, which this version does not have; use --no-passphrase, which keeps the key " +
        "unsealed in a file that only you can read",
    );
  }
  const { makeNode } = await import("../node.ts");
  const home = locateHome(options.home);
  const key = await makeNode(home);
  if (options.json) {
    const { keyFile, configFile } = home;
    printJson({ nodeId: key.id, fingerprint: key.fingerprint, home: home.folder, keyFile, configFile });
    return ExitCode.DONE;
  }
  print(key.id);
  note(`made ${home.folder}: the node's key and ${home.configFile}; start the node with: alknet serve`);
  if (!options.noPassphrase) {
    note("the key is not sealed: only the rights of its file protect it (--no-passphrase says so)");
  }
  return ExitCode.DONE;
}
