/**
 * People with messengers, and the mailbox that they share.
 *
 * @module
 */
import assert from "node:assert/strict";
import { systemBytes } from "@alknet/core/crypto";
import { AlknetError } from "@alknet/core/handler";
import { NodeKey } from "@alknet/core/identity";
import {
  type Blobs,
  type Carrier,
  type Dial,
  mailboxClient,
  type Mailboxes,
  mailboxLimitsWith,
  type MailboxOptions,
  type MessageKeys,
  messageKeys,
  type MessageSecrets,
  type Messenger,
  openMailboxStore,
  openMessenger,
} from "@alknet/handlers/msg";
import { type TemporaryFolder, temporaryFolder } from "../../support/temp.ts";
import { served } from "./mailbox/serving.ts";

export const stop = { signal: new AbortController().signal };
/** Where it is, as tokens say. */
export const MAILBOX = `${NodeKey.generate().id}@127.0.0.1:4433`;

/** A place with a mailbox in it, which can be away. */
export interface Place extends AsyncDisposable {
  readonly folder: TemporaryFolder;
  /** Whether the mailbox can be reached. */
  isAway: boolean;
  /** Failed authentications at the mailbox since it began. */
  readonly failures: number;
  /** Days that have gone by for everybody. */
  days: number;
  /** Ends the mailbox and begins it anew from its file. */
  restart(): Promise<void>;
  /** Somebody with a database of this name; the same name is the same person. */
  person(
    name: string,
    around?: (carrier: Carrier & Mailboxes) => Carrier & Mailboxes,
    options?: PersonOptions,
  ): Person;
  /** The keys of one who was here. The caller disposes of them. */
  keysOf(name: string): MessageKeys;
}

/** How somebody is. */
export interface PersonOptions {
  /** Whether others are told of what was shown. */
  readonly readReceipts?: boolean;
  /** What keeps large files. */
  readonly blobs?: Blobs;
  /** Whether it is another database and another X25519 key under the same Ed25519 key. */
  readonly ik?: boolean;
}

/** Somebody. */
export interface Person extends Disposable {
  readonly messenger: Messenger;
  /** The database. */
  readonly file: string;
  /** What the keys are made of. */
  readonly secrets: MessageSecrets;
  /** Reaches the mailbox. */
  readonly dial: Dial;
}

/** Makes one. */
export async function place(options: Partial<MailboxOptions> = {}): Promise<Place> {
  const folder = await temporaryFolder();
  const file = folder.join("mailbox.sqlite");
  let clients: AsyncDisposable[] = [];
  const now = (): number => Date.now() + self.days * 86_400_000;
  const clock = { now, wall: now };
  const start = () => {
    const store = openMailboxStore(file, mailboxLimitsWith(options.limits));
    return {
      store,
      box: served({ store, open: true, limits: { contactRate: 1000, frames: 100_000 }, clock, ...options }),
    };
  };
  let up = start();
  const secrets = new Map<string, { ed: Uint8Array; ik: Uint8Array; store: Uint8Array }>();
  const end = async () => {
    for (const client of clients) await client[Symbol.asyncDispose]();
    clients = [];
    await up.box[Symbol.asyncDispose]();
    await up.store[Symbol.asyncDispose]();
  };
  const self: Place = {
    folder,
    isAway: false,
    get failures() {
      return up.box.failures;
    },
    days: 0,
    async restart() {
      await end();
      up = start();
    },
    person(name, around = (carrier) => carrier, { readReceipts, blobs, ik = false } = {}) {
      const kept = secrets.get(name) ?? { ed: systemBytes(32), ik: systemBytes(32), store: systemBytes(32) };
      secrets.set(name, kept);
      const known = ik ? { ...kept, ik: systemBytes(32) } : kept;
      const dial: Dial = (_, __, { signal }) => {
        signal.throwIfAborted();
        if (self.isAway) return Promise.reject(new AlknetError("UNREACHABLE", "nobody answers"));
        return Promise.resolve(up.box.connect());
      };
      const client = mailboxClient({ dial });
      clients.push(client);
      const keys = messageKeys(known);
      const path = folder.join(`${name}${ik ? " of another key" : ""}.sqlite`);
      const direct = around(client);
      const messenger = openMessenger({ keys, file: path, direct, name, mailbox: MAILBOX, blobs, readReceipts, now });
      return {
        messenger,
        file: path,
        secrets: known,
        dial,
        [Symbol.dispose]() {
          messenger[Symbol.dispose]();
          keys[Symbol.dispose]();
        },
      };
    },
    keysOf: (name) => messageKeys(secrets.get(name)!),
    async [Symbol.asyncDispose]() {
      await end();
      await folder[Symbol.asyncDispose]();
    },
  };
  return self;
}

/** What somebody has of others, as `name: text`. */
export function seen({ messenger }: Person): string[] {
  return messenger.messages().filter(({ mine }) => !mine).map(({ contact, text }) => `${contact}: ${text}`);
}

/** Everybody looks, until nobody has anything new. */
export async function settled(...people: readonly Person[]): Promise<void> {
  for (let rounds = 0, busy = true; busy; rounds++) {
    assert.ok(rounds < 12, "they do not come to an end");
    busy = false;
    for (const { messenger } of people) {
      const { received, sent, faults, unreadable } = await messenger.sync(stop);
      assert.deepEqual([faults, unreadable], [[], 0]);
      busy ||= received > 0 || sent > 0;
    }
    busy ||= rounds < 5;
  }
}

/** A carrier that does as another, but for some of it. */
export function around(
  carrier: Carrier & Mailboxes,
  instead: Partial<Carrier & Mailboxes>,
): Carrier & Mailboxes {
  return {
    send: (to, envelope, options) => carrier.send(to, envelope, options),
    takeBundle: (to, options) => carrier.takeBundle(to, options),
    receive: (from, options) => carrier.receive(from, options),
    listen: (from, options) => carrier.listen!(from, options),
    create: (mailbox, queue, options) => carrier.create(mailbox, queue, options),
    drop: (from, options) => carrier.drop(from, options),
    publish: (from, published, options) => carrier.publish(from, published, options),
    ...instead,
  };
}

/** What others wrote, without who did. */
export function texts({ messenger }: Person): string[] {
  return messenger.messages().filter(({ mine }) => !mine).map(({ text }) => text);
}
