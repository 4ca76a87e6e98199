/**
 * A messenger that is killed at a step: `send` or `receive`, over a mailbox of its own in the same folder.
 *
 * Arguments: folder, person, what to do, the step before or after which it is killed: `draw N` at the Nth random bytes.
 *
 * @module
 */
import { systemBytes } from "@alknet/core/crypto";
import { memoryPair } from "@alknet/core/handler";
import {
  type Carrier,
  mailbox,
  mailboxClient,
  type Mailboxes,
  messageKeys,
  openMailboxStore,
  openMessenger,
} from "@alknet/handlers/msg";
import { contextOf } from "../../context.ts";

const MAILBOX = "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyo@127.0.0.1:4433";
const [folder, person, action, step, ...rest] = Deno.args;
const seed = person.charCodeAt(0);
const bytes = (offset: number): Uint8Array => new Uint8Array(32).fill(seed + offset);
const stop = { signal: new AbortController().signal };

const store = openMailboxStore(`${folder}/mailbox.sqlite`);
const handler = mailbox({ store, open: true, limits: { contactRate: 1000 } });
const direct = mailboxClient({
  dial: () => {
    const [near, far] = memoryPair("alknet/msg");
    Promise.resolve(handler.handle(far, contextOf(stop.signal))).catch(() => {});
    return Promise.resolve(near);
  },
});

/** Dies here, as by kill -9, where this is the step. */
function at(name: string): void {
  if (name === step) Deno.kill(Deno.pid, "SIGKILL");
}

// Opening the database writes a file beside it: a step before it is written, before it takes the place of the old one, and after.
const { openSync, renameSync } = Deno;
Deno.openSync = (path, options) => {
  if (`${path}`.endsWith(".generation.new")) at("before mark");
  return openSync(path, options);
};
Deno.renameSync = (from, to) => {
  at("in mark");
  renameSync(from, to);
  at("after mark");
};

const carrier: Carrier & Mailboxes = {
  async send(to, envelope, options) {
    at("before SEND");
    await direct.send(to, envelope, options);
    at("after SEND");
  },
  async takeBundle(to, options) {
    at("before TAKE");
    const body = await direct.takeBundle(to, options);
    at("after TAKE");
    return body;
  },
  async *receive(from, options) {
    for await (const arrival of direct.receive(from, options)) {
      at("after ITEM");
      yield {
        ...arrival,
        async ack() {
          at("before ACK");
          await arrival.ack();
          at("after ACK");
        },
      };
    }
  },
  async create(where, queue, options) {
    at("before NEW");
    await direct.create(where, queue, options);
    at("after NEW");
  },
  async drop(from, options) {
    at("before DROP");
    await direct.drop(from, options);
    at("after DROP");
  },
  async publish(from, published, options) {
    at("before PUT");
    const held = await direct.publish(from, published, options);
    at(published.keys.length > 0 ? "after PUT of keys" : "after PUT");
    return held;
  },
};

const keys = messageKeys({ ed: bytes(0), ik: bytes(1), store: bytes(2) });
let drawn = 0;
/** Each write draws a nonce, so that a step is between any two of them. */
const random = (length: number): Uint8Array => {
  at(`draw ${++drawn}`);
  return systemBytes(length);
};
const messenger = openMessenger({
  random,
  keys,
  file: `${folder}/${person}.sqlite`,
  direct: carrier,
  mailbox: MAILBOX,
});
if (action === "token") console.log((await messenger.token("", stop)).token);
if (action === "add") messenger.addContact(rest[0], rest[1]);
if (action === "send") {
  for (const text of rest.slice(1)) {
    await messenger.send(rest[0], text, { ...stop, queue: true });
  }
}
if (action === "fault") console.log(messenger.fault?.code ?? "none");
if (action === "own") {
  console.log(JSON.stringify(messenger.messages().filter(({ mine }) => mine).map(({ text }) => text)));
}
if (action === "sync" || action === "show") {
  if (action === "sync") await messenger.sync(stop);
  const texts = messenger.messages().filter(({ mine }) => !mine).map(({ contact, text }) => [contact, text]);
  console.log(JSON.stringify(texts));
}
messenger[Symbol.dispose]();
await direct[Symbol.asyncDispose]();
await store[Symbol.asyncDispose]();
Deno.exit(0);
