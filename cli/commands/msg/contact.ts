/**
 * `alknet msg contact`: who is written to, and who may write.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { type Message, message } from "@optique/core/message";
import { map, withDefault } from "@optique/core/modifiers";
import { argument, command, flag } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { transportOption } from "../../grammar/arguments.ts";
import { KEPT } from "./options.ts";

const running = () => import("../../msg/running.ts");
const contacts = () => import("../../msg/contacts.ts");
const nameArgument = () => argument(string({ metavar: "NAME" }), { description: message`The contact.` });

const addCommand: Command = command(
  "add",
  map(
    object({
      name: nameArgument(),
      token: argument(string({ metavar: "TOKEN" }), {
        description: message`As alknet msg id prints it there; - is stdin, for the command line is visible to others.`,
      }),
      ...KEPT,
    }),
    (options): Action => async () => (await running()).addContact(options),
  ),
  { brief: message`Add somebody by a token.` },
);

const listCommand: Command = command(
  "list",
  map(object(KEPT), (options): Action => async () => (await running()).listContacts(options)),
  { brief: message`List contacts: name, key, state.` },
);

const removeCommand: Command = command(
  "remove",
  map(
    object({ name: nameArgument(), transport: transportOption(), ...KEPT }),
    (options): Action => async () => (await contacts()).removeContact(options),
  ),
  { brief: message`Forget somebody with all messages; refuses who asked to write.` },
);

const verifyCommand: Command = command(
  "verify",
  map(
    object({
      name: nameArgument(),
      yes: withDefault(flag("--yes", { description: message`They are the same: do not ask.` }), false),
      ...KEPT,
    }),
    (options): Action => async () => (await contacts()).verifyContact(options),
  ),
  { brief: message`Print the number that both see, to be compared by another way.` },
);

/** `alknet msg contact add|list|accept|block|remove|verify`. */
export const contactCommand: Command = command(
  "contact",
  or(
    addCommand,
    listCommand,
    deciding("accept", "accepted", message`Let somebody write who asked for it.`),
    deciding("block", "blocked", message`Hide whatever somebody writes from now on.`),
    removeCommand,
    verifyCommand,
  ),
  { brief: message`Who is written to, and who may write.` },
);

function deciding(name: string, decision: "accepted" | "blocked", brief: Message): Command {
  return command(
    name,
    map(
      object({ name: nameArgument(), ...KEPT }),
      (options): Action => async () => (await running()).decide({ ...options, decision }),
    ),
    { brief },
  );
}
