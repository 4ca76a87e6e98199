/**
 * `msg/…`: a messenger for programs (msg.md §6).
 *
 * @module
 */
import { CallError, type HandlerRegistration, operation, provide } from "@alknet/core/operations";
import { AlknetError } from "@alknet/core/handler";
import Type from "typebox";
import type { Contact, MessageEvent, Messenger, StoredMessage } from "./types.ts";

/** Milliseconds to send, and to tell a mailbox something. */
const SENDING = 10_000;
/** Who watches at once. */
const MOST_WATCHING = 64;
/** Characters of all texts of one answer, after which the rest is for the next. */
const MOST_TEXT = 512 * 1024;

const closed = { additionalProperties: false };
const name = (description: string) => Type.String({ minLength: 1, maxLength: 64, description });
const id = Type.String({ pattern: "^[A-Za-z0-9_-]{22}$", description: "16 bytes, base64url" });
const nothing = Type.Union([Type.Null(), Type.Object({}, closed)], { description: "nothing: null or {}" });
const contactSchema = Type.Object({
  id: Type.Integer(),
  name: Type.String({ description: "of a request its node id" }),
  nodeId: Type.String(),
  state: Type.String({ description: "request, accepted or blocked" }),
  verified: Type.Boolean({ description: "whether safety numbers were compared" }),
  mailbox: Type.Optional(Type.String({ description: "ID@HOST:PORT" })),
}, closed);
const messageSchema = Type.Object({
  id,
  contact: Type.String({ description: "its name; of a group the group's" }),
  from: Type.Optional(Type.String({ description: "of a group whose it is" })),
  differs: Type.Optional(Type.Boolean({ description: "whether its writer has another list of members" })),
  request: Type.Boolean({ description: "whether the contact waits to be accepted" }),
  mine: Type.Boolean(),
  at: Type.Number({ description: "when it was written, as its writer says: milliseconds since 1970" }),
  got: Type.Number({ description: "when it came" }),
  state: Type.String({ description: "waiting, stored, delivered, read or failed" }),
  content: Type.Object({
    type: Type.String({ description: "text or file" }),
    text: Type.Optional(Type.String()),
    name: Type.Optional(Type.String()),
    mime: Type.Optional(Type.String()),
    size: Type.Optional(Type.Integer({ description: "bytes" })),
  }, closed),
}, closed);

const NO_CONTACT = { description: "there is no contact of that name", httpStatus: 404 };
const REFUSED = { description: "it cannot be done; the message says why", httpStatus: 409 };
const TOO_BUSY = { description: "as many watch as may", httpStatus: 503 };
const errors = { NO_CONTACT, REFUSED };
const mayRead = { anyScope: ["msg:read", "msg:admin", "admin"] };
const mayDecide = { anyScope: ["msg:admin", "admin"] };

const send = operation({
  name: "msg/send",
  type: "mutation",
  description: "Sends a text or a small file to a contact or a group: stored once all mailboxes have it, else failed.",
  input: Type.Object({
    to: name("the contact"),
    text: Type.Optional(Type.String({ minLength: 1, maxLength: 98_304 })),
    file: Type.Optional(Type.String({ maxLength: 96_000, description: "bytes, base64; 72,000 at most" })),
    name: Type.Optional(Type.String({ maxLength: 255, description: "of the file" })),
  }, closed),
  output: Type.Object({ id, state: Type.String() }, closed),
  errors,
  access: { anyScope: ["msg:send", "msg:admin", "admin"] },
});

const list = operation({
  name: "msg/list",
  type: "query",
  description:
    "Messages, oldest first: the last, or those behind one. `next` is there where there may be more behind it.",
  input: Type.Object({
    contact: Type.Optional(name("its messages alone")),
    after: Type.Optional(id),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  }, closed),
  output: Type.Object({ messages: Type.Array(messageSchema), next: Type.Optional(id) }, closed),
  errors: { ...errors, NO_MESSAGE: { description: "there is no message of that id", httpStatus: 404 } },
  access: mayRead,
});

const contacts = operation({
  name: "msg/contacts",
  type: "query",
  description: "All contacts, those included that wait to be accepted.",
  input: nothing,
  output: Type.Object({ contacts: Type.Array(contactSchema) }, closed),
  access: mayRead,
});

const watch = operation({
  name: "msg/watch",
  type: "subscription",
  description: "What happens from now on: messages, what becomes of one's own, requests.",
  input: nothing,
  output: Type.Object({
    event: Type.String({ description: "message, state, request, unreadable or reset" }),
    message: Type.Optional(messageSchema),
    id: Type.Optional(id),
    state: Type.Optional(Type.String()),
    contact: Type.Optional(Type.String()),
  }, closed),
  errors: { TOO_BUSY },
  access: mayRead,
});

const contact = operation({
  name: "msg/contact",
  type: "mutation",
  description: "Adds a contact by its token, or accepts, blocks or removes one. Gives it as it is now, or was.",
  input: Type.Object({
    name: name("the contact"),
    token: Type.Optional(Type.String({ maxLength: 1024, description: "as its owner gave it" })),
    action: Type.Optional(Type.Union(["accept", "block", "remove"].map((word) => Type.Literal(word)))),
  }, closed),
  output: contactSchema,
  errors,
  access: mayDecide,
});

const token = operation({
  name: "msg/token",
  type: "mutation",
  description: "The token of a name, made where there is none; or takes it back.",
  input: Type.Object({
    name: Type.Optional(name("which; default: the one without a name")),
    revoke: Type.Optional(Type.Boolean()),
  }, closed),
  output: Type.Object({ token: Type.Optional(Type.String()) }, closed),
  errors,
  access: mayDecide,
});

/**
 * The operations of a messenger. Something has to receive: `msg/watch` looks at what came, and listens to no mailbox.
 */
export function messengerOperations(messenger: Messenger): HandlerRegistration[] {
  let watching = 0;
  return [
    provide(send, ({ to, text, file, name = "file" }, { signal }) =>
      told(async () => {
        if ((text === undefined) === (file === undefined)) throw new AlknetError("REFUSED", "give a text or a file");
        const what = file === undefined ? text! : { name, mime: "application/octet-stream", data: bytesOf(file) };
        const sent = await messenger.send(to, what, { signal: within(signal) });
        return { id: sent.id, state: sent.state };
      })),
    provide(list, (query) => told(() => Promise.resolve(page(messenger, query)))),
    provide(contacts, () => ({ contacts: messenger.contacts().map(shownContact) })),
    provide(watch, async function* (_, { signal }) {
      if (watching >= MOST_WATCHING) throw new CallError("TOO_BUSY", `${watching} watch already`, { retryable: true });
      watching++;
      try {
        for await (const event of messenger.watch({ signal, looksOnly: true })) yield shownEvent(event);
      } finally {
        watching--;
      }
    }),
    provide(contact, ({ name, token, action }, { signal }) =>
      told(async () => {
        if ((token === undefined) === (action === undefined)) {
          throw new AlknetError("REFUSED", "give a token or an action");
        }
        if (token !== undefined) return shownContact(messenger.addContact(name, token));
        if (action !== "remove") {
          return shownContact(messenger.decide(name, action === "block" ? "blocked" : "accepted"));
        }
        const there = messenger.contacts().find((one) => one.name === name);
        await messenger.remove(name, { signal: within(signal) });
        return shownContact(there!);
      })),
    provide(token, ({ name = "", revoke = false }, { signal }) =>
      told(async () => {
        if (!revoke) return { token: (await messenger.token(name, { signal: within(signal) })).token };
        await messenger.revoke(name, { signal: within(signal) });
        return {};
      })),
  ];
}

function page(messenger: Messenger, query: Parameters<Messenger["messages"]>[0] = {}) {
  const rows = messenger.messages(query);
  let length = 0;
  const fitting = rows.filter(({ text }, i) => (length += text.length) <= MOST_TEXT || i === 0);
  const mayHaveMore = fitting.length < rows.length ||
    (query.after !== undefined && rows.length === (query.limit ?? 100));
  return { messages: fitting.map(shownMessage), ...mayHaveMore && { next: fitting.at(-1)!.id } };
}

function shownMessage({ text, file, ...message }: StoredMessage) {
  const { id, contact, from, differs, request, mine, at, got, state } = message;
  const content = file ? { type: "file", ...file } : { type: "text", text };
  const ofGroup = { ...from !== undefined && { from }, ...differs && { differs } };
  return { id, contact, ...ofGroup, request, mine, at, got, state, content };
}

function shownContact({ id, name, nodeId, state, verified, mailbox }: Contact) {
  return { id, name, nodeId, state, verified, ...mailbox !== undefined && { mailbox } };
}

function shownEvent(event: MessageEvent) {
  return event.event === "message" ? { event: "message", message: shownMessage(event.message) } : { ...event };
}

function within(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(SENDING)]);
}

function bytesOf(text: string): Uint8Array {
  try {
    return Uint8Array.fromBase64(text);
  } catch (cause) {
    throw new AlknetError("REFUSED", "the file is no base64", { cause });
  }
}

/** What a caller may know of what went wrong: its code where that is declared, and why. */
async function told<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AlknetError) || error instanceof CallError) throw error;
    const { code, message } = error;
    if (code === "MESSAGE_STORE" || code === "DISK_FULL") throw error;
    throw new CallError(code === "NO_CONTACT" || code === "NO_MESSAGE" ? code : "REFUSED", message, { cause: error });
  }
}
