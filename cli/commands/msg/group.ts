/**
 * `alknet msg group`: several people in one conversation.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { type Message, message } from "@optique/core/message";
import { map, multiple } from "@optique/core/modifiers";
import { argument, command } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { SENT } from "./options.ts";

const groups = () => import("../../msg/groups.ts");
const groupArgument = () => argument(string({ metavar: "GROUP" }), { description: message`The group.` });
const membersArgument = () =>
  multiple(argument(string({ metavar: "NAME" }), { description: message`Contacts, each a name.` }), { min: 1 });

const listCommand: Command = command(
  "list",
  map(object(SENT), (options): Action => async () => (await groups()).listGroups(options)),
  { brief: message`List groups, and who is in them.` },
);

const leaveCommand: Command = command(
  "leave",
  map(
    object({ group: groupArgument(), ...SENT }),
    (options): Action => async () => (await groups()).leaveGroup(options),
  ),
  { brief: message`Show nothing of a group any more; the others are not told.` },
);

/** `alknet msg group create|add|remove|list|leave`. */
export const groupCommand: Command = command(
  "group",
  or(
    changing("create", message`Make a group of contacts, 32 at most with you, and tell them.`),
    changing("add", message`Take contacts into a group of yours.`),
    changing("remove", message`Take contacts out of a group of yours.`),
    listCommand,
    leaveCommand,
  ),
  { brief: message`Several people in one conversation.` },
);

function changing(what: "create" | "add" | "remove", brief: Message): Command {
  return command(
    what,
    map(
      object({ group: groupArgument(), members: membersArgument(), ...SENT }),
      (options): Action => async () => (await groups()).changeGroup({ ...options, what }),
    ),
    { brief },
  );
}
