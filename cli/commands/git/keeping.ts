/**
 * `alknet git remove`, `settings`, `maintain` and `fsck`: what the owner of repositories does with them.
 *
 * @module
 */
import { object } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, multiple, withDefault } from "@optique/core/modifiers";
import { argument, command, flag } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { configOption, homeOption, jsonFlag } from "../../grammar/arguments.ts";

const SHARED = {
  name: argument(string({ metavar: "NAME" }), { description: message`The repository.` }),
  home: homeOption(),
  config: configOption(),
  json: jsonFlag(),
};

/** `alknet git remove NAME`. */
export const removeCommand: Command = command(
  "remove",
  map(
    object(SHARED),
    (options): Action => async () => (await import("../../git/keeping.ts")).removeRepository(options),
  ),
  { brief: message`Remove a repository; it is kept for two weeks in .removed.` },
);

/** `alknet git settings NAME [K=V…]`. */
export const settingsCommand: Command = command(
  "settings",
  map(
    object({
      ...SHARED,
      changes: multiple(argument(string({ metavar: "K=V" }), {
        description:
          message`description, public, owner, quota, requireSigned or protected, and its value; K= takes it back.`,
      })),
    }),
    (options): Action => async () => (await import("../../git/keeping.ts")).keepSettings(options),
  ),
  { brief: message`Show the settings of a repository, or change them.` },
);

/** `alknet git maintain NAME`. */
export const maintainCommand: Command = command(
  "maintain",
  map(
    object({
      ...SHARED,
      full: withDefault(flag("--full", { description: message`Pack all of it anew.` }), false),
    }),
    (options): Action => async () => (await import("../../git/keeping.ts")).maintainRepository(options),
  ),
  { brief: message`Make many packs few, and record what spares walks.` },
);

/** `alknet git fsck NAME`. */
export const fsckCommand: Command = command(
  "fsck",
  map(object(SHARED), (options): Action => async () => (await import("../../git/keeping.ts")).checkRepository(options)),
  { brief: message`Check every object of a repository, and that nothing is missing.` },
);
