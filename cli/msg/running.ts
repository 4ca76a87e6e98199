/**
 * What the commands of messages do.
 *
 * @module
 */
import type { AlknetError } from "@alknet/core/handler";
import type { MessageState, Messenger, StoredMessage, Synced } from "@alknet/handlers/msg";
import { StopSignals } from "../terminal/signals.ts";
import { ExitCode, note, print, printJson, UsageError } from "../terminal/output.ts";
import { outgoingFile } from "./files.ts";
import { stdinText } from "./input.ts";
import { conversationOf, nameOf, type OpenMessenger, openMessengerHome, type Shared } from "./home.ts";
import {
  contactLine,
  eventJson,
  eventLine,
  messageJson,
  messageLine,
  shortId,
  shownName,
  waitingLine,
} from "./showing.ts";

/** Time to make the queue of a token. */
const TOKEN_TIME = 5000;
/** Bytes of a file that are surely sealed in a millisecond. */
const SEALED_EACH = 1000;
/** Time to look into the mailboxes, where the command line says none. */
const DEFAULT_TIME = 10_000;

/** `msg id`: the token of a name. */
export async function showToken(
  options: Shared & { readonly name?: string; readonly mailbox?: string },
): Promise<number> {
  const { name = "", mailbox, json } = options;
  await using open = await openMessengerHome(options);
  const made = await open.messenger.token(name, { mailbox, signal: AbortSignal.timeout(TOKEN_TIME) });
  if (json) {
    printJson({ token: made.token, name, mailbox: made.mailbox, once: false, queue: made.queue });
  } else print(made.token);
  if (made.fault) {
    note(
      `alknet: note: the mailbox has no queue for it yet, and is asked again by alknet msg sync: ${made.fault.message}`,
    );
    if (mailbox === undefined) noteHomeless(open);
  }
  return ExitCode.DONE;
}

/** `msg contact add`. */
export async function addContact(
  options: Shared & { readonly name: string; readonly token: string },
): Promise<number> {
  const token = options.token === "-" ? await stdinText("a token") : options.token;
  await using open = await openMessengerHome(options);
  const contact = open.messenger.addContact(options.name, token);
  if (options.json) printJson({ ...contact });
  else {
    const at = contact.mailbox?.split("@")[1] ?? "-";
    print(`added ${contact.name}, ${shortId(contact.nodeId)} at ${at}`);
  }
  return ExitCode.DONE;
}

/** `msg contact list`. */
export async function listContacts(options: Shared): Promise<number> {
  await using open = await openMessengerHome(options);
  for (const contact of open.messenger.contacts()) {
    if (options.json) printJson({ ...contact });
    else print(contactLine(contact));
  }
  return ExitCode.DONE;
}

/** `msg contact accept|block`. */
export async function decide(
  options: Shared & { readonly name: string; readonly decision: "accepted" | "blocked" },
): Promise<number> {
  await using open = await openMessengerHome(options);
  const contact = open.messenger.decide(nameOf(open.messenger, options.name), options.decision);
  if (options.json) printJson({ ...contact });
  else print(contactLine(contact));
  return ExitCode.DONE;
}

/** `msg send`. */
export async function sendMessage(
  options: Shared & {
    readonly name: string;
    readonly text?: string;
    readonly file?: string;
    readonly wait?: "stored" | "delivered";
    readonly queue: boolean;
    readonly timeout?: number;
  },
): Promise<number> {
  const { queue, json, file, wait } = options;
  if (file !== undefined && options.text !== undefined) throw new UsageError("a message is a text or a file, not both");
  if (queue && wait === "delivered") {
    throw new UsageError("what is queued is not waited for: leave out --queue or --wait");
  }
  await using read = file === undefined ? undefined : await outgoingFile(file);
  const what = read?.what ?? options.text ?? await stdinText("the text");
  // A long file has to be read and sealed first.
  const timeout = options.timeout ?? DEFAULT_TIME + (read?.size ?? 0) / SEALED_EACH;
  if (what === "") throw new UsageError("the message is empty; give a text, or write one to stdin");
  await using open = await openMessengerHome(options);
  const name = conversationOf(open.messenger, options.name);
  if (wait === "delivered" && open.messenger.groups.list().some((group) => group.name === name)) {
    throw new UsageError("members of a group do not say that a message has come: leave out --wait");
  }
  const signal = AbortSignal.timeout(timeout);
  const sent = await open.messenger.send(name, what, { queue, signal });
  const { id, fault } = sent;

  const isWanted = wait === "delivered" && sent.state === "stored";
  const state = isWanted ? await delivered(open.messenger, { name, id, signal }) : sent.state;
  if (json) printJson({ id, state });
  else print(`${id.slice(0, 4)}… ${state}`);
  if (fault) note(`alknet: not sent${state === "waiting" ? " yet" : ""}: ${fault.message}`);
  for (const member of sent.unreached ?? []) {
    note(`alknet: note: ${shownName(member)} is no contact of yours and gets nothing; add a token of theirs`);
  }
  if (fault && /handlers\.messenger\.mailbox/.test(fault.message)) noteHomeless(open);
  if (isWanted && state === "stored") note("alknet: the contact has not said yet that it has come");
  return state === "failed" || (isWanted && state === "stored") ? ExitCode.FAILED : ExitCode.DONE;
}

/** What has become of one that the mailbox has, once the contact says that it has come, or the time is over. */
async function delivered(
  messenger: Messenger,
  { name, id, signal }: { readonly name: string; readonly id: string; readonly signal: AbortSignal },
): Promise<MessageState> {
  const state = () => messenger.messages({ contact: name, limit: 500 }).find((one) => one.id === id)?.state ?? "stored";
  const events = messenger.watch({ signal });
  // What came before it watched is looked at once.
  if (state() !== "stored") return state();
  for await (const event of events) {
    if (event.event === "state" && event.id === id) return event.state;
  }
  return state();
}

/** `msg read`: what came, after a look into the mailboxes. */
export async function readMessages(
  options: Shared & {
    readonly name?: string;
    readonly unread: boolean;
    readonly last?: number;
    readonly follow: boolean;
  },
): Promise<number> {
  const { unread, last: limit, json, follow } = options;
  await using open = await openMessengerHome(options);
  const { messenger } = open;
  const show = (messages: readonly StoredMessage[]): void => {
    for (const message of messages) {
      if (json) printJson(messageJson(message));
      else print(messageLine(message));
    }
    // Only now: whoever is killed before sees them again.
    messenger.markRead(messages);
  };
  noteSynced(await messenger.sync({ signal: AbortSignal.timeout(DEFAULT_TIME) }));
  const contact = options.name === undefined ? undefined : conversationOf(messenger, options.name);
  if (!follow) {
    show(messenger.messages({ contact, unread, limit }));
    // Who wants to know that it was shown is told now, not with the next command.
    if (open.readReceipts) noteSynced(await messenger.sync({ signal: AbortSignal.timeout(DEFAULT_TIME) }));
    return ExitCode.DONE;
  }
  return await untilInterrupted(async (signal) => {
    const events = messenger.watch({ signal, onFault });
    const before = messenger.messages({ contact, unread, limit });
    show(before);
    for await (const event of events) {
      if (event.event !== "message") continue;
      const { message } = event;
      // What came between the two is in both.
      const isShown = before.some(({ id, contact }) => id === message.id && contact === message.contact);
      if (!isShown && (contact === undefined || contact === message.contact)) show([message]);
    }
  });
}

/** `msg outbox`: what waits to be sent. */
export async function listWaiting(options: Shared): Promise<number> {
  await using open = await openMessengerHome(options);
  for (const waiting of open.messenger.waiting()) {
    if (options.json) printJson({ ...waiting });
    else print(waitingLine(waiting, Date.now()));
  }
  return ExitCode.DONE;
}

/** `msg watch`: what happens, a line each, until ctrl-C. */
export async function watchMessages(options: Shared): Promise<number> {
  await using open = await openMessengerHome(options);
  return await untilInterrupted(async (signal) => {
    for await (const event of open.messenger.watch({ signal, onFault })) {
      if (options.json) printJson(eventJson(event));
      else print(eventLine(event, Date.now()));
    }
  });
}

/** Runs something that ends with a signal of the operator alone. */
async function untilInterrupted(run: (signal: AbortSignal) => Promise<void>): Promise<number> {
  using signals = new StopSignals();
  const interrupted = new AbortController();
  signals.first.then(() => interrupted.abort());
  await run(interrupted.signal);
  return ExitCode.INTERRUPTED;
}

/** What is tried again by itself. */
function onFault({ message }: AlknetError): void {
  note(`alknet: note: ${message}`);
}

/** `msg sync`: one look into the mailboxes. */
export async function syncMessages(options: Shared): Promise<number> {
  await using open = await openMessengerHome(options);
  const synced = await open.messenger.sync({ signal: AbortSignal.timeout(DEFAULT_TIME) });
  const { received, sent, waiting } = synced;
  if (options.json) printJson({ received, sent, waiting });
  else print(`${received} received, ${sent} sent, ${waiting} waiting`);
  noteSynced(synced);
  return synced.faults.length > 0 ? ExitCode.FAILED : ExitCode.DONE;
}

function noteSynced({ faults, unreadable, drained, resets }: Synced): void {
  for (const { message } of faults) note(`alknet: note: ${message}`);
  if (unreadable > 0) note(`alknet: note: ${unreadable} that came did not open, and cannot be shown`);
  if (resets > 0) note(`alknet: note: a new session begins with ${resets} whose messages may not have opened`);
  if (drained > 0) {
    note(
      "alknet: note: the keys for one use of a token had run out, so that first messages were sealed without; there are new " +
        "ones. Many wrote, or somebody who has the token takes them",
    );
  }
}

function noteHomeless({ isHomeless, configFile }: OpenMessenger): void {
  if (!isHomeless) return;
  note(
    `alknet: note: no handlers.mailbox in ${configFile}: this node keeps no messages; add "mailbox": {}, or name another ` +
      "with --mailbox",
  );
}
