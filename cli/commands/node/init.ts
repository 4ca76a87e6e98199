/**
 * `alknet init`: makes the home folder of a node.
 *
 * @module
 */
import type { WordCount } from "@alknet/vault";
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import { command } from "@optique/core/primitives";
import type { Action, Command } from "../../grammar/action.ts";
import { ExitCode } from "../../terminal/output.ts";
import { homeOf, type MakingCommandOptions, makingOptions, reportVault, wordsOption } from "../vault/options.ts";

interface InitOptions extends MakingCommandOptions {
  readonly words: WordCount;
}

/** `alknet init`. */
export const initCommand: Command = command(
  "init",
  map(object({ words: wordsOption(), ...makingOptions() }), (options): Action => () => init(options)),
  {
    brief: message`Make a node: its vault and its configuration.`,
    description:
      message`Make the home folder of a node: a vault with a new phrase, from which every key of the node comes, and its configuration. Refuses to touch a vault that is there.`,
  },
);

async function init(options: InitOptions): Promise<number> {
  const { mayMake } = await import("../../vault/making.ts");
  const { newSecret } = await import("../../vault/secrets.ts");
  const { makeNode } = await import("../../node/node.ts");
  const home = homeOf(options);
  const aside = await mayMake(home, options);
  await makeNode(home, await newSecret(options), { words: options.words, force: options.force, aside });
  await reportVault(
    home,
    options,
    `made a node in ${home.folder}; write its ${options.words} words down, they alone bring its keys back: ` +
      "alknet vault show-phrase. Start it with: alknet serve",
  );
  return ExitCode.DONE;
}
