/**
 * Sending: what is written is kept, sealed, given to the mailbox and kept as stored, each step once (msg.md §3.1, "send").
 *
 * @module
 */
import { equalBytes } from "@alknet/core/crypto";
import { AlknetError } from "@alknet/core/handler";
import { begin } from "../agreement/agreement.ts";
import { type Bundle, queueKeys, readBundleAnswer } from "../agreement/bundle.ts";
import { ekHash } from "../agreement/envelope.ts";
import { dayOf } from "../agreement/labels.ts";
import { roomOf, seal, sizeFor } from "../agreement/ratchet.ts";
import type { Session } from "../agreement/state.ts";
import type { Address, Stop } from "../carrier.ts";
import { b64, bytesOf } from "../content/bytes.ts";
import {
  type Content,
  type Destination,
  type FileContent,
  formatContent,
  readContent,
  type TextContent,
} from "../content/content.ts";
import { cut } from "../content/part.ts";
import type { ContactRow } from "../store/contacts.ts";
import type { OutboxRow, Sealed } from "../store/messages.ts";
import type { OwnQueue } from "../store/queues.ts";
import type { SessionRow } from "../store/sessions.ts";
import type { Parts } from "./parts.ts";
import { copied, wasTold } from "./devices.ts";
import { settleGroups } from "./groups.ts";
import { keptQueue, madeQueue } from "./own_queues.ts";

/** Between tries, in milliseconds: the first, doubled each time to the last. */
const RETRY_FIRST = 1000;
const RETRY_LAST = 600_000;
/** What could not be sent for so long has failed. */
const GIVEN_UP = 30 * 86_400_000;
/** For making the own queue, in which the contact is to answer: without it the message goes all the same. */
const OWN_QUEUE_TIME = 5000;

/** What was written, on its way. */
export interface Written {
  /** To the contact, by which its state goes. */
  readonly row: OutboxRow;
  /** To the contact's other devices, and one's own. */
  readonly copies: readonly OutboxRow[];
}

/** Keeps what was written, and puts it on its way. */
export function written(parts: Parts, contact: ContactRow, content: Content & (TextContent | FileContent)): Written {
  const { store, messages, now } = parts;
  return store.transaction(() => {
    const { id, at } = content;
    const body = formatContent(content);
    messages.add({ contact: contact.id, mine: true, id, at, got: at, state: "waiting", content: body });
    return { row: messages.queue(contact.id, id, now()), copies: copied(parts, contact, content) };
  });
}

/**
 * Sends one that is on its way. Resolves when the mailbox has it.
 *
 * @throws {AlknetError} Why it could not be sent; it stays on its way. `TOO_LONG`, `BAD_BUNDLE`, `NOT_SENT`, and what the
 * carrier throws.
 */
export async function sendOne(parts: Parts, row: OutboxRow, stop: Stop): Promise<void> {
  const { store, messages, carrier } = parts;
  let left: Sealed | undefined = row.sealed ?? await sealedNow(parts, row, stop);
  while (left) {
    const envelope: Uint8Array = left.envelopes[0];
    await carrier.send(left.to, envelope, stop);
    left = store.transaction(() => {
      const rest = messages.wasStored(row, envelope);
      if (!rest) wasTold(parts, row);
      return rest;
    });
  }
}

/** What became of all on their way. */
export interface Flushed {
  /** How many the mailboxes have now. */
  readonly sent: number;
  /** Why others could not be sent. */
  readonly faults: readonly AlknetError[];
}

/**
 * Sends all on their way that are due, a contact's in order.
 *
 * @param isDue Which are tried. Default: those whose time has come.
 */
export async function flush(
  parts: Parts,
  stop: Stop,
  isDue: (row: OutboxRow) => boolean = ({ due }) => due <= parts.now(),
): Promise<Flushed> {
  const { store, messages, now } = parts;
  const faults: AlknetError[] = [];
  const held = new Set<number>();
  let sent = 0;
  // What is sent may put more on its way: who was told of other devices is told of to these.
  for (let more = true; more;) {
    more = false;
    for (const { id } of messages.outbox()) {
      const [row] = messages.outbox(id);
      if (!row || held.has(row.contact)) continue;
      if (row.made < now() - GIVEN_UP) {
        store.transaction(() => messages.unqueue(row, "failed"));
        continue;
      }
      if (!isDue(row)) {
        held.add(row.contact);
        continue;
      }
      try {
        await sendOne(parts, row, stop);
        more = true;
        if (row.message !== undefined) sent++;
      } catch (error) {
        if (!isFault(error)) throw error;
        // What comes later to the same contact waits, so that it comes in order.
        held.add(row.contact);
        faults.push(asFault(error));
        const wait = Math.min(RETRY_LAST, RETRY_FIRST * 2 ** Math.min(row.tries, 20));
        store.transaction(() => messages.postpone(row, now() + wait));
      }
    }
  }
  store.transaction(() => settleGroups(parts));
  return { sent, faults };
}

/** Whether what failed was sending or receiving, and not the program. */
export function isFault(error: unknown): boolean {
  return error instanceof AlknetError || (error as Error).name === "TimeoutError";
}

/** A time that ran out, as an error that says so. */
export function asFault(error: unknown): AlknetError {
  if (error instanceof AlknetError) return error;
  return new AlknetError("TIMEOUT", "the mailbox did not answer in time", { cause: error });
}

/** Seals a message that is on its way. Two who do so at once come to one envelope. */
async function sealedNow(parts: Parts, row: OutboxRow, stop: Stop): Promise<Sealed> {
  const { contacts, sessions } = parts;
  const contact = contacts.find("id", row.contact);
  if (!contact?.to) throw notYet(contact?.name ?? "the contact");
  // Each seal moves the ratchet on, and a contact bridges a gap of some length only.
  await parts.carrier.prepare?.(contact.to.mailbox, stop);
  const own = await answerQueue(parts, contact, stop);
  const bundle = sessions.sending(contact.id) ? undefined : await taken(parts, contact, contact.to, stop);
  const { store, messages } = parts;
  return store.transaction(() => {
    const [current] = messages.outbox(row.id);
    if (!current) throw new AlknetError("NOT_SENT", "the message was taken back meanwhile");
    return current.sealed ?? sealRow(parts, current, { bundle, own });
  });
}

/** In one transaction: the session after it, and the envelopes. */
function sealRow(
  parts: Parts,
  row: OutboxRow,
  { bundle, own }: { readonly bundle?: Bundle; readonly own?: OwnQueue },
): Sealed {
  const { keys, contacts, sessions, messages, random, now } = parts;
  const contact = contacts.find("id", row.contact)!;
  const there = sessions.sending(contact.id);
  let session: Omit<SessionRow, "isStale"> | undefined = there;
  if (!session) {
    if (!bundle || !contact.to) throw notYet(contact.name);
    if (!own) throw new AlknetError("NOT_SENT", NO_OWN_QUEUE);
    session = { contact: contact.id, rid: own.rid, sends: true, session: begin(keys, bundle, random) };
  }
  // Until something came by it, the contact may not know where to answer.
  const also = own?.state === "made" && !own.used ? { mailbox: own.mailbox, sid: own.sid, t: own.t } : undefined;
  const body = bodyOf(row, also);
  const { session: next, envelopes } = sealAll(parts, session.session, body, row.message);
  sessions.put({ ...session, session: next });
  if (!there && bundle) {
    sessions.sendBy(contact.id, next.id);
    sessions.limit(contact.id, next.id);
    const { ik, suite } = bundle;
    const verified = contact.verified && contact.ik !== undefined && equalBytes(contact.ik, ik);
    contacts.change(contact, { ik, suite, verified, ek: ekHash(envelopes[0]) });
  }
  next[Symbol.dispose]();
  const sealed = { to: senderOf(contact.to!), envelopes };
  messages.putEnvelopes(row, sealed);
  return sealed;

  function bodyOf({ message, content }: OutboxRow, also: Destination | undefined): Uint8Array {
    const kept = message === undefined ? content : messages.own(contact.id, message)!.content;
    return formatContent(
      kept ? { ...readContent(kept), also } : { type: "reset", id: b64(random(16)), at: now(), also },
    );
  }
}

/** Seals a content, in parts where no envelope has room for it. Each session but the last is wiped. */
function sealAll(
  { random }: Parts,
  session: Session,
  body: Uint8Array,
  id: string | undefined,
): { readonly session: Session; readonly envelopes: readonly Uint8Array[] } {
  const room = roomOf(session);
  const pieces = body.byteLength <= room ? [body] : cut(bytesOf(id) ?? random(16), body, room);
  const envelopes: Uint8Array[] = [];
  for (const piece of pieces) {
    const sealed = seal(session, piece, { size: sizeFor(session, piece.byteLength), random });
    session[Symbol.dispose]();
    session = sealed.session;
    envelopes.push(sealed.envelope);
  }
  return { session, envelopes };
}

const NO_OWN_QUEUE = "there is no mailbox in which an answer could lie; name one: handlers.messenger.mailbox in the " +
  "configuration, as ID@HOST:PORT";

/** The queue in which a contact answers: made where it can be, else pending. */
async function answerQueue(parts: Parts, contact: ContactRow, { signal }: Stop): Promise<OwnQueue | undefined> {
  const { queues, mailbox } = parts;
  const there = queues.ofContact(contact.id);
  if (!there && mailbox === undefined) return undefined;
  const queue = there ?? keptQueue(parts, mailbox!, { contact: contact.id });
  try {
    return await madeQueue(parts, queue, { signal: AbortSignal.any([signal, AbortSignal.timeout(OWN_QUEUE_TIME)]) });
  } catch {
    signal.throwIfAborted();
    // It is made at another time; until then the contact is told of none.
    return queue;
  }
}

async function taken({ carrier, now }: Parts, contact: ContactRow, to: Destination, stop: Stop): Promise<Bundle> {
  const body = await carrier.takeBundle(senderOf(to), stop);
  const { ed, suite: least } = contact;
  return readBundleAnswer(body, { t: to.t, sid: to.sid, ed, least }, dayOf(now()));
}

function senderOf({ mailbox, sid, t }: Destination): Address {
  return { mailbox, id: sid, cap: queueKeys(t).scap };
}

function notYet(name: string): AlknetError {
  return new AlknetError("NOT_SENT", `${name} has not said where to answer; ask for a token: alknet msg contact add`);
}
