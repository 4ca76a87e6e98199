/**
 * `alknet msg device`: several devices of one person.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import { argument, command } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { Action, Command } from "../../grammar/action.ts";
import { SENT } from "./options.ts";

const devices = () => import("../../msg/devices.ts");

const joinCommand: Command = command(
  "join",
  map(
    object({
      name: argument(string({ metavar: "NAME" }), { description: message`How the first device is called here.` }),
      token: argument(string({ metavar: "TOKEN" }), {
        description: message`As alknet msg id prints it there; - is stdin, for the command line is visible to others.`,
      }),
      ...SENT,
    }),
    (options): Action => async () => (await devices()).joinDevice(options),
  ),
  { brief: message`Ask to be a device of whoever made a token.` },
);

const addCommand: Command = command(
  "add",
  map(
    object({
      name: argument(string({ metavar: "NAME" }), { description: message`How it is called here.` }),
      key: argument(string({ metavar: "KEY" }), {
        description: message`Its node id, or the short form of it, as alknet msg contact list says it.`,
      }),
      ...SENT,
    }),
    (options): Action => async () => (await devices()).addDevice(options),
  ),
  { brief: message`Take a device that asks: it learns all contacts, and they of it.` },
);

const listCommand: Command = command(
  "list",
  map(object(SENT), (options): Action => async () => (await devices()).listDevices(options)),
  { brief: message`List your other devices.` },
);

const removeCommand: Command = command(
  "remove",
  map(
    object({
      name: argument(string({ metavar: "NAME" }), { description: message`The device.` }),
      ...SENT,
    }),
    (options): Action => async () => (await devices()).removeDevice(options),
  ),
  { brief: message`Take a device away: contacts write to it no more.` },
);

/** `alknet msg device join|add|list|remove`. */
export const deviceCommand: Command = command(
  "device",
  or(joinCommand, addCommand, listCommand, removeCommand),
  { brief: message`Your other devices, on which everything is that is on this one.` },
);
