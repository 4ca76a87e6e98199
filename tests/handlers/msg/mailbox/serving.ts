/**
 * A mailbox over a pair in memory, and queues in it.
 *
 * @module
 */
import { sha256, systemBytes } from "@alknet/core/crypto";
import { type Connection, type Identity, memoryPair } from "@alknet/core/handler";
import {
  type Carrier,
  mailbox,
  mailboxClient,
  type Mailboxes,
  type MailboxOptions,
  type NewQueue,
} from "@alknet/handlers/msg";
import { contextOf } from "../../context.ts";

/** Who comes, and how. */
export interface Coming {
  readonly fingerprint?: string;
  readonly identity?: Identity;
  readonly singleStream?: boolean;
}

/** A mailbox that is served. */
export interface ServedMailbox extends AsyncDisposable {
  /** A connection to it. */
  connect(coming?: Coming): Connection;
  /** A carrier to it. */
  client(coming?: Coming): Carrier & Mailboxes & AsyncDisposable;
  /** Failed authentications so far. */
  readonly failures: number;
}

/** Serves one. */
export function served(options: MailboxOptions): ServedMailbox {
  const handler = mailbox(options);
  const stop = new AbortController();
  const running: Promise<void>[] = [];
  const self = {
    failures: 0,
    connect({ fingerprint, identity, singleStream }: Coming = {}): Connection {
      const [near, far] = memoryPair("alknet/msg", { singleStream, client: { fingerprint } });
      if (identity) far.identity = identity;
      const context = { ...contextOf(stop.signal), authenticationFailed: () => Boolean(self.failures++ < 0) };
      running.push(Promise.resolve(handler.handle(far, context)));
      return near;
    },
    client: (coming?: Coming) => mailboxClient({ dial: () => Promise.resolve(self.connect(coming)) }),
    async [Symbol.asyncDispose]() {
      stop.abort("shutdown");
      await Promise.allSettled(running);
    },
  };
  return self;
}

/** A queue with all that its reader knows of it. */
export interface OwnQueue extends NewQueue {
  /** To read. */
  readonly read: { readonly mailbox: string; readonly id: Uint8Array; readonly cap: Uint8Array };
  /** To send. */
  readonly write: { readonly mailbox: string; readonly id: Uint8Array; readonly cap: Uint8Array };
}

/** A new one. */
export function newQueue(kind: 0 | 1 = 0): OwnQueue {
  const [rid, sid, rcap, scap] = [24, 24, 32, 32].map(systemBytes);
  const mailbox = "a mailbox";
  return {
    rid,
    sid,
    rcap: sha256(rcap),
    scap: sha256(scap),
    kind,
    read: { mailbox, id: rid, cap: rcap },
    write: { mailbox, id: sid, cap: scap },
  };
}

/** An envelope of a class whose bytes are all one. */
export const envelope = (byte: number, size = 1024): Uint8Array => new Uint8Array(size).fill(byte);
