/**
 * Contacts: added by a token, accepted, blocked, compared, and removed again (msg.md §2, §6).
 *
 * @module
 */
import { equalBytes } from "@alknet/core/crypto";
import { AlknetError } from "@alknet/core/handler";
import { nodeIdOf, parseNodeId } from "@alknet/core/identity";
import { safetyNumber } from "../agreement/identity.ts";
import { parseToken } from "../agreement/token.ts";
import type { Stop } from "../carrier.ts";
import type { Destination } from "../content/content.ts";
import { type ContactRow, OWN } from "../store/contacts.ts";
import { forget, tellList } from "./devices.ts";
import { checkMailbox, checkName } from "./names.ts";
import { readerOf } from "./own_queues.ts";
import type { Parts } from "./parts.ts";
import { acknowledge } from "./receipts.ts";
import { asFault, isFault } from "./sending.ts";

/**
 * Adds a contact by a token; a request of the same key is accepted by it.
 *
 * @throws {AlknetError} `BAD_TOKEN`, `NAME_TAKEN`, `BAD_NAME`, `CONTACT_KNOWN`.
 */
export function addContact(parts: Parts, name: string, text: string): ContactRow {
  checkName(name);
  const { ed, to } = tokenTarget(text);
  // Those who were not named yet are called by their ids.
  if (isNodeId(name) && name !== nodeIdOf(ed)) {
    throw new AlknetError("BAD_NAME", "the name is the id of another key; choose another name");
  }
  const { store, contacts, sessions, keys } = parts;
  if (equalBytes(ed, keys.ed)) throw new AlknetError("BAD_TOKEN", "the token is your own; give it to others");
  return store.transaction(() => {
    const [named, known] = [contacts.find("name", name), contacts.find("ed", ed)];
    if (known?.deviceOf !== undefined) {
      const whose = known.deviceOf === OWN ? "your own" : contacts.whose(known).name;
      throw new AlknetError("CONTACT_KNOWN", `the token is that of a device of ${whose}`);
    }
    if (named && named.id !== known?.id) {
      throw new AlknetError("NAME_TAKEN", `there is a contact ${name} already, with another key; choose another name`);
    }
    if (!known) {
      const added = contacts.add({ name, ed, state: "accepted", to, verified: false });
      tellList(parts);
      return added;
    }
    if (known.state !== "request" && known.name !== name) {
      throw new AlknetError("CONTACT_KNOWN", `the token is that of ${known.name}, who is a contact already`);
    }
    // Where a session sends already, its own queue is better than one that many know.
    const keeps = sessions.sending(known.id) !== undefined;
    return decided(parts, contacts.change(known, { name, to: keeps ? known.to : to }), "accepted");
  });
}

/**
 * Who made a token, and where they are written to.
 *
 * @throws {AlknetError} `BAD_TOKEN`.
 */
export function tokenTarget(text: string): { readonly ed: Uint8Array; readonly to: Destination } {
  const { ed, mailboxKey, address, sid, t } = parseToken(text.trim());
  const mailbox = `${nodeIdOf(mailboxKey)}@${address}`;
  checkMailbox(mailbox);
  return { ed, to: { mailbox, sid, t } };
}

/** Accepts or blocks one. Who wrote before being accepted learns now that it came. Called in a transaction. */
export function decided(parts: Parts, contact: ContactRow, state: "accepted" | "blocked"): ContactRow {
  const { contacts, messages } = parts;
  const next = contacts.change(contact, { state });
  if (contact.state === "request" && state === "accepted") {
    acknowledge(parts, contact.id, "delivered", messages.idsOf(contact.id));
  }
  tellList(parts);
  return next;
}

/**
 * The number that both see, and that nobody between them can make the same.
 *
 * @throws {AlknetError} `NO_KEY`: nothing was sent to the contact yet, and nothing came.
 */
export function safetyNumberOf({ keys }: Parts, { name, ed, ik }: ContactRow): string {
  if (ik) return safetyNumber(keys, { ed, ik });
  throw new AlknetError("NO_KEY", `nothing was sent to ${name} yet, and nothing came: there is nothing to compare`);
}

/**
 * Forgets a contact: messages, sessions, keys, and the queue in which it answered. Whoever writes again is a stranger.
 *
 * @returns Why the mailbox may have the queue still; the next look there takes it away.
 */
export async function removeContact(parts: Parts, contact: ContactRow, stop: Stop): Promise<AlknetError | undefined> {
  parts.store.transaction(() => {
    for (const one of [...parts.contacts.devicesOf(contact.id), contact]) forget(parts, one);
  });
  return (await dropQueues(parts, stop))[0];
}

/** Takes away what is not wanted any more. Gives why some of it could not be, for each mailbox. */
export async function dropQueues({ store, queues, carrier }: Parts, stop: Stop): Promise<AlknetError[]> {
  const away = new Map<string, AlknetError>();
  for (const queue of queues.dropped()) {
    if (away.has(queue.mailbox)) continue;
    try {
      await carrier.drop(readerOf(queue), stop);
    } catch (error) {
      if (!isFault(error)) throw error;
      const fault = asFault(error);
      // One that is not there needs no dropping.
      if (fault.code !== "MAILBOX_NO_QUEUE") {
        away.set(queue.mailbox, fault);
        continue;
      }
    }
    store.transaction(() => queues.forget(queue));
  }
  return [...away.values()];
}

function isNodeId(name: string): boolean {
  try {
    parseNodeId(name);
    return true;
  } catch {
    return false;
  }
}
