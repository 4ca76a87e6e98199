/**
 * `alknet msg`: sealed messages, which a mailbox keeps for those who are away.
 *
 * @module
 */
import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { map, optional, withDefault } from "@optique/core/modifiers";
import { argument, command, flag, option } from "@optique/core/primitives";
import { choice, integer, string } from "@optique/core/valueparser";
import { parseAddress } from "@alknet/core/address";
import type { Action, Command } from "../grammar/action.ts";
import { checked, duration } from "../grammar/arguments.ts";
import { contactCommand } from "./msg/contact.ts";
import { deviceCommand } from "./msg/device.ts";
import { groupCommand } from "./msg/group.ts";
import { SENT } from "./msg/options.ts";

const running = () => import("../msg/running.ts");
const blobs = async () => (await import("../attachments/blobs.ts")).homeBlobs;

const idCommand: Command = command(
  "id",
  map(
    object({
      name: optional(
        argument(string({ metavar: "NAME" }), { description: message`Which token. Default: the one without a name.` }),
      ),
      mailbox: optional(option("--mailbox", checked("ID@HOST:PORT", "mail.example:4433", parseAddress), {
        description: message`Where its queue is made. Default: handlers.messenger.mailbox, else this node.`,
      })),
      revoke: withDefault(
        flag("--revoke", { description: message`Take the token back: nobody begins to write by it any more.` }),
        false,
      ),
      ...SENT,
    }),
    (options): Action => async () => {
      if (options.revoke) return await (await import("../msg/contacts.ts")).revokeToken(options);
      return await (await running()).showToken(options);
    },
  ),
  { brief: message`Print a token: whoever has it may write to you.` },
);

const sendCommand: Command = command(
  "send",
  map(
    object({
      name: argument(string({ metavar: "NAME" }), { description: message`The contact, or the group.` }),
      text: optional(argument(string({ metavar: "TEXT" }), { description: message`The message. Default: stdin.` })),
      file: optional(option("--file", string({ metavar: "FILE" }), {
        description: message`A file in place of a text; above 72,000 bytes your node has to be there while it is got.`,
      })),
      wait: optional(option("--wait", choice(["stored", "delivered"], { metavar: "STATE" }), {
        description: message`Until the mailbox has it, or until the contact has it and says so. Default: stored.`,
      })),
      queue: withDefault(
        flag("--queue", { description: message`Keep it, and send it at another time, where it cannot be sent now.` }),
        false,
      ),
      timeout: optional(option("--timeout", duration(), { description: message`Time to send it. Default: 10s.` })),
      ...SENT,
    }),
    (options): Action => async () => (await running()).sendMessage({ ...options, blobs: await blobs() }),
  ),
  { brief: message`Send a message, which the contact's mailbox keeps until it is read.` },
);

const readCommand: Command = command(
  "read",
  map(
    object({
      name: optional(
        argument(string({ metavar: "NAME" }), { description: message`The contact, or the group. Default: all.` }),
      ),
      unread: withDefault(flag("--unread", { description: message`Those that were not shown before alone.` }), false),
      last: optional(option("--last", integer({ metavar: "N", min: 1, max: 500 }), {
        description: message`So many at most. Default: 100.`,
      })),
      follow: withDefault(
        flag("--follow", { description: message`Go on, and show what comes as it comes, until ctrl-C.` }),
        false,
      ),
      ...SENT,
    }),
    (options): Action => async () => (await running()).readMessages(options),
  ),
  { brief: message`Look into the mailbox and show what came.` },
);

const saveCommand: Command = command(
  "save",
  map(
    object({
      name: argument(string({ metavar: "NAME" }), { description: message`The contact, or the group.` }),
      id: argument(string({ metavar: "ID" }), {
        description: message`The message, as alknet msg read --json says it.`,
      }),
      output: optional(option("-o", "--output", string({ metavar: "FILE" }), {
        description: message`Where to; - is stdout. Default: its name, here. What is there is not overwritten.`,
      })),
      ...SENT,
    }),
    (options): Action => async () => (await import("../msg/files.ts")).saveFile({ ...options, blobs: await blobs() }),
  ),
  { brief: message`Save a file that came.` },
);

const syncCommand: Command = command(
  "sync",
  map(object(SENT), (options): Action => async () => (await running()).syncMessages(options)),
  { brief: message`Look into the mailbox once, and send what waits.` },
);

const watchCommand: Command = command(
  "watch",
  map(object(SENT), (options): Action => async () => (await running()).watchMessages(options)),
  { brief: message`Print what happens as it happens, and send what waits, until ctrl-C.` },
);

const outboxCommand: Command = command(
  "outbox",
  map(object(SENT), (options): Action => async () => (await running()).listWaiting(options)),
  { brief: message`List what waits to be sent.` },
);

const chatCommand: Command = command(
  "chat",
  map(
    object({
      name: argument(string({ metavar: "NAME" }), { description: message`The contact.` }),
      ...SENT,
    }),
    (options): Action => async () => (await import("../msg/chat/chat.ts")).chat(options),
  ),
  { brief: message`Talk with a contact on the whole screen, until ctrl-D.` },
);

/** `alknet msg …`. */
export const msgCommand: Command = command(
  "msg",
  or(
    or(idCommand, contactCommand, groupCommand, deviceCommand),
    or(sendCommand, readCommand, saveCommand, chatCommand),
    or(watchCommand, syncCommand, outboxCommand),
  ),
  { brief: message`Sealed messages, kept for those who are away.` },
);
