/**
 * Receiving: what lies in a queue is opened, kept with the session after it, and only then taken away (msg.md §3.1,
 * "receive").
 *
 * @module
 */
import { AlknetError, equalBytes, sha256, wipe } from "@alknet/core/crypto";
import { nodeIdOf } from "@alknet/core/identity";
import { answer } from "../agreement/agreement.ts";
import { signedSecrets } from "../agreement/bundle.ts";
import { ekHash, type FirstMessage, readFirst } from "../agreement/envelope.ts";
import { assertSameIdentity, type PeerIdentity } from "../agreement/identity.ts";
import { dayOf } from "../agreement/labels.ts";
import { open, type SkippedChange } from "../agreement/ratchet.ts";
import type { Session } from "../agreement/state.ts";
import type { Arrival, Stop } from "../carrier.ts";
import type { Content, Destination } from "../content/content.ts";
import type { ContactRow } from "../store/contacts.ts";
import type { OwnQueue } from "../store/queues.ts";
import type { SessionRow } from "../store/sessions.ts";
import { contentIn, contentOf, keepContent } from "./contents.ts";
import { asDevice, mayUse, shareAddress, tellList } from "./devices.ts";
import { readerOf } from "./own_queues.ts";
import type { Parts } from "./parts.ts";

/** Those who wrote and were not accepted yet; more are not let in. */
export const MOST_REQUESTS = 100;

/** So many that do not open, one after the other, end a session; once in so many milliseconds. */
const MOST_UNREADABLE = 3;
const RESET_EVERY = 3_600_000;

/** What has come of one queue. */
export interface Received {
  /** Messages that were not there before. */
  readonly messages: number;
  /** Envelopes that did not open. */
  readonly unreadable: number;
}

interface Opened {
  readonly row: SessionRow;
  readonly content: Uint8Array;
  readonly skipped: SkippedChange;
  /** What began the session, where that is what was opened. */
  readonly first?: FirstMessage;
}

/** Errors that an envelope causes. Every other one is ours, and the envelope stays where it is. */
const OF_ENVELOPES = new Set([
  "UNREADABLE",
  "REPLAYED",
  "GAP",
  "PREKEY_GONE",
  "BAD_CONTENT",
  "REQUESTS",
  "IDENTITY_CHANGED",
]);

/**
 * Receives what lies in a queue.
 *
 * @throws {AlknetError} As the carrier throws, and what the store throws; what was received is kept.
 */
export async function receive(parts: Parts, queue: OwnQueue, stop: Stop): Promise<Received> {
  let [messages, unreadable] = [0, 0];
  for await (const arrival of parts.carrier.receive([readerOf(queue)], stop)) {
    const outcome = takeIn(parts, queue, arrival);
    if (outcome === "message") messages++;
    if (outcome === "unreadable") unreadable++;
    await arrival.ack();
  }
  return { messages, unreadable };
}

/** What has come of something that came: a message, nothing to be shown, or nothing that opens. */
export type Taken = "message" | "other" | "unreadable";

/**
 * Opens and keeps what came. It may be taken from the mailbox then.
 *
 * @throws {AlknetError} What the store throws: it has to come again.
 */
export function takeIn(parts: Parts, queue: OwnQueue, { kind, bytes }: Pick<Arrival, "kind" | "bytes">): Taken {
  return kind === 0 ? take(parts, queue, bytes) : "unreadable";
}

/** Opens and keeps an envelope, in one transaction; what came before is not opened again. */
function take(parts: Parts, queue: OwnQueue, envelope: Uint8Array): Taken {
  const { store, sessions, now } = parts;
  const digest = sha256(envelope).subarray(0, 16);
  const today = dayOf(now());
  try {
    return store.transaction(() => {
      // What came to a queue that was taken back meanwhile is for nobody.
      if (sessions.hasSeen(digest) || !parts.queues.isWanted(queue)) return "other";
      const opened = openAny(parts, queue, envelope);
      const isNew = keep(parts, queue, opened, today);
      opened.row.session[Symbol.dispose]();
      sessions.saw(digest, today);
      return isNew ? "message" : "other";
    });
  } catch (error) {
    if (!(error instanceof AlknetError) || !OF_ENVELOPES.has(error.code)) throw error;
    store.transaction(() => {
      sessions.saw(digest, today);
      if (error.code !== "REPLAYED") giveUp(parts, queue);
      // These opened, and are wanted by nobody: their key for one use had its use.
      if (error.code === "REQUESTS" || error.code === "IDENTITY_CHANGED") {
        parts.queues.forgetOpks(queue, readFirst(envelope)!.opkId);
      }
    });
    return error.code === "REPLAYED" ? "other" : "unreadable";
  }
}

/** After some that did not open one after the other the session with a contact has come to an end. */
function giveUp({ queues, contacts, sessions, now }: Parts, { rid, contact: id }: OwnQueue): void {
  if (id === undefined) return;
  const queue = queues.find(rid);
  const unreadable = queue.unreadable + 1;
  queues.change(queue, { unreadable });
  const contact = contacts.find("id", id)!;
  // Whoever keeps the mailbox can make it so; once an hour does no harm.
  if (unreadable < MOST_UNREADABLE || now() - (contact.reset ?? -Infinity) < RESET_EVERY) return;
  sessions.end(id);
  contacts.change(contact, { reset: now() });
  queues.change(queue, { unreadable: 0 });
}

function openAny(parts: Parts, queue: OwnQueue, envelope: Uint8Array): Opened {
  const { sessions } = parts;
  const first = readFirst(envelope);
  if (!first) {
    // Another device of a contact goes on in the queue in which it began, until it is told of its own.
    const rows = queue.contact === undefined
      ? sessions.byQueue(queue.rid)
      : sessions.ofContact(queue.contact, queue.rid);
    return openWith(parts, rows, envelope);
  }
  // A session outlives the keys that it began with: whoever had no answer for long begins like that still.
  const row = sessions.find(first.sessionId);
  if (row) return openWith(parts, [row], envelope);
  if (sessions.hasBegun(first.hash)) throw new AlknetError("REPLAYED", "the session that it began is gone");
  return openNew(parts, queue, first, envelope);
}

/** Opens what begins a session. Its key for one use is gone with it. */
function openNew(parts: Parts, queue: OwnQueue, first: FirstMessage, envelope: Uint8Array): Opened {
  const { queues, sessions } = parts;
  const spk = queues.prekey(queue, "spk", first.spkId);
  const opk = first.opkId === 0 ? undefined : queues.prekey(queue, "opk", first.opkId);
  try {
    if (!spk || (first.opkId !== 0 && !opk)) {
      throw new AlknetError("PREKEY_GONE", "the keys that it was sealed for are gone");
    }
    const { session, from } = answer(parts.keys, { ...signedSecrets(spk.secret), opk: opk?.secret }, first);
    const opened = openOne(parts, session, envelope);
    const contact = writerOf(parts, queue, from, contentIn(opened.content));
    const row = { contact: contact.id, rid: queue.rid, sends: false, isStale: false, session: opened.session };
    sessions.put(row);
    sessions.limit(contact.id, session.id);
    sessions.began(first.hash, session, queue.rid, first.spkId);
    if (opk) queues.forgetOpks(queue, opk.id);
    session[Symbol.dispose]();
    return { ...opened, row, first };
  } finally {
    wipe(spk?.secret, opk?.secret);
  }
}

/** The first of these sessions that opens it. What says more than that none fits is said. */
function openWith(parts: Parts, rows: readonly SessionRow[], envelope: Uint8Array): Opened {
  let fault: unknown = new AlknetError("UNREADABLE", "no session fits");
  for (const row of rows) {
    try {
      const opened = openOne(parts, row.session, envelope);
      return { ...opened, row: { ...row, session: opened.session } };
    } catch (error) {
      if (!(error instanceof AlknetError) || !OF_ENVELOPES.has(error.code)) throw error;
      if (error.code !== "UNREADABLE") fault = error;
    } finally {
      row.session[Symbol.dispose]();
    }
  }
  throw fault;
}

function openOne({ sessions, random }: Parts, session: Session, envelope: Uint8Array): ReturnType<typeof open> {
  return open(session, envelope, { skipped: sessions.skipped(session), random });
}

/** Keeps what was opened. Whether it is a message that was not there. */
function keep(parts: Parts, queue: OwnQueue, { row, content, skipped, first }: Opened, today: number): boolean {
  const { sessions, contacts, queues } = parts;
  sessions.put(row);
  sessions.changeSkipped(row.session, skipped, today);
  // One's other devices begin in the queue of the first, who may not know it yet.
  if (queue.contact === row.contact && (!queue.used || queue.unreadable > 0)) {
    queues.change(queue, { used: true, unreadable: 0 });
  }
  const contact = contacts.find("id", row.contact)!;
  if (contacts.whose(contact).state === "blocked") return false;
  const read = contentOf(parts, contact, content, today);
  if (row.session.canSend && !row.isStale) answerBy(parts, queue, contact, { row, first, also: read?.also });
  const isNew = read !== undefined && keepContent(parts, contacts.find("id", contact.id)!, read);
  if (first || read?.also) tellList(parts);
  return isNew;
}

/** Where and by which session a contact is answered from now on. */
function answerBy(
  parts: Parts,
  queue: OwnQueue,
  contact: ContactRow,
  { row, first, also }: Pick<Opened, "row" | "first"> & { readonly also?: Destination },
): void {
  const { sessions, contacts } = parts;
  const sending = sessions.sending(contact.id);
  try {
    // Both began at once, where nothing came by ours, or what came names the queue that this names: both know which one goes on.
    const crosses = sending !== undefined && first !== undefined && contact.ek !== undefined &&
      (sending.session.isUnanswered || (queue.token !== undefined && isSame(contact.to, also)));
    const keepsOwn = crosses && comesFirst(contact.ek!, ekHash(first.prefix));
    const takesOver = first ? !keepsOwn : !sending;
    // What begins as the first did is for the keys of the queue that it went to.
    const staysThere = !takesOver && sending?.session.isUnanswered;
    const to = staysThere ? contact.to : also ?? contact.to;
    if (!to) return;
    if (takesOver) sessions.sendBy(contact.id, row.session.id);
    if (!takesOver && !also) return;
    const changed = contacts.change(contact, { to, ek: takesOver ? undefined : contact.ek });
    if (!isSame(contact.to, to)) shareAddress(parts, changed);
  } finally {
    sending?.session[Symbol.dispose]();
  }
}

function isSame(one: Destination | undefined, other: Destination | undefined): boolean {
  return one !== undefined && other !== undefined && one.mailbox === other.mailbox && equalBytes(one.sid, other.sid);
}

function comesFirst(one: Uint8Array, other: Uint8Array): boolean {
  const at = one.findIndex((byte, i) => byte !== other[i]);
  return at >= 0 && one[at] < other[at];
}

/** A contact of another X25519 key is another one to whoever compared safety numbers. */
function withKey(contacts: Parts["contacts"], contact: ContactRow, ik: Uint8Array): ContactRow {
  const isSame = contact.ik !== undefined && equalBytes(contact.ik, ik);
  return contacts.change(contact, { ik, verified: contact.verified && isSame });
}

/** The contact that begins to write; one that is not known is a request. */
function writerOf(
  parts: Parts,
  queue: OwnQueue,
  { ed, ik }: PeerIdentity,
  content: Content | undefined,
): ContactRow {
  const { contacts } = parts;
  const there = contacts.find("ed", ed) ?? asDevice(parts, { ed, ik }, content);
  // A contact's own queue is told to its other devices alone.
  if (queue.contact !== undefined && !(there && mayUse(parts, queue, there))) {
    assertSameIdentity(contacts.find("id", queue.contact)!.ed, ed);
  }
  if (there) return withKey(contacts, there, ik);
  if (contacts.requests() >= MOST_REQUESTS) {
    throw new AlknetError("REQUESTS", `${MOST_REQUESTS} who wrote wait to be accepted; no more are let in`);
  }
  return contacts.add({ name: nodeIdOf(ed), ed, ik, state: "request", verified: false });
}
