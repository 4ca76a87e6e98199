/**
 * What becomes of a content that was opened (msg.md §3.2).
 *
 * @module
 */
import { type Content, formatContent, readContent } from "../content/content.ts";
import { PART, readPart } from "../content/part.ts";
import { type ContactRow, OWN } from "../store/contacts.ts";
import type { Parts } from "./parts.ts";
import { takeProfile, takeSync } from "./devices.ts";
import { keepForGroup } from "./groups.ts";
import { acknowledge } from "./receipts.ts";

/** Messages of one who is not accepted, and their bytes; more are not kept. */
export const MOST_OF_REQUEST = 32;
const REQUEST_BYTES = 256 * 1024;

/** The content that came, whole, once all of its parts have come; nothing where it cannot be read. */
export function contentOf(parts: Parts, contact: ContactRow, bytes: Uint8Array, today: number): Content | undefined {
  const whole = bytes[0] === PART ? wholeOf(parts, contact, bytes, today) : bytes;
  return whole && contentIn(whole);
}

/** A content; nothing where it cannot be read. */
export function contentIn(bytes: Uint8Array): Content | undefined {
  try {
    return readContent(bytes);
  } catch {
    // It was sealed by the contact all the same: the session goes on.
    return undefined;
  }
}

/** Keeps what a contact sent who is not blocked. Whether it is a message that was not there. */
export function keepContent(parts: Parts, contact: ContactRow, content: Content): boolean {
  const { messages, contacts, now } = parts;
  const whose = contacts.whose(contact);
  switch (content.type) {
    case "text":
    case "file": {
      if (!hasRoom(parts, contact)) return false;
      const { id, at } = content;
      const shown = formatContent({ ...content, also: undefined });
      const message = {
        contact: whose.id,
        mine: false,
        id,
        at,
        got: now(),
        state: "delivered",
        content: shown,
      } as const;
      if (!messages.add(message)) return false;
      acknowledge(parts, contact.id, "delivered", [id]);
      return true;
    }
    case "receipt":
      // Of what was not sent to this contact nothing is there to change.
      for (const id of content.of) messages.setState(whose.id, id, content.state);
      return false;
    case "profile":
      takeProfile(parts, contact, content);
      return false;
    case "sync":
      // Own devices alone say what one has written oneself.
      if (contact.deviceOf !== OWN) return false;
      return content.body.type === "group"
        ? keepForGroup(parts, contact, content.body)
        : takeSync(parts, contact, content);
    case "group":
      return contact.deviceOf === OWN ? false : keepForGroup(parts, contact, content);
    default:
      return false;
  }
}

function wholeOf(parts: Parts, contact: ContactRow, bytes: Uint8Array, today: number): Uint8Array | undefined {
  const part = readPart(bytes);
  return part && hasRoom(parts, contact) ? parts.partials.add(contact.id, part, today) : undefined;
}

/** Whether one who is not accepted may leave more here. */
function hasRoom({ messages, contacts }: Parts, contact: ContactRow): boolean {
  const { id, state } = contacts.whose(contact);
  if (state !== "request") return true;
  const { count, bytes } = messages.sizeOf(id);
  return count < MOST_OF_REQUEST && bytes < REQUEST_BYTES;
}
