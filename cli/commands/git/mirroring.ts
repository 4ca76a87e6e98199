/**
 * `alknet git mirror`: a repository that follows another one.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, flag, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { configOption, duration, homeOption, jsonFlag, passphraseFileOption } from "../../grammar/arguments.ts";

/** `alknet git mirror NAME [URL]`. */
export const mirrorCommand: Command = command(
  "mirror",
  map(
    object({
      name: argument(string({ metavar: "NAME" }), {
        description: message`The repository here; it is made where there is none.`,
      }),
      url: optional(argument(string({ metavar: "URL" }), {
        description: message`What it follows: https://HOST/PATH or alknet://[NODEID@]HOST[:PORT]/NAME.`,
      })),
      every: optional(option("--every", duration(), {
        description: message`How often a running node fetches, 1m at least. Default: 5m.`,
      })),
      refs: multiple(option("--refs", string({ metavar: "PREFIX" }), {
        description: message`Beginning of refs that are followed; several times. Default: refs/heads/ and refs/tags/.`,
      })),
      off: withDefault(flag("--off", { description: message`Follow nobody any more.` }), false),
      passphraseFile: passphraseFileOption(),
      home: homeOption(),
      config: configOption(),
      json: jsonFlag(),
    }),
    (options): Action => async () => (await import("../../git/mirroring.ts")).mirrorRepository(options),
  ),
  { brief: message`Let a repository follow another one, or show what it follows.` },
);
