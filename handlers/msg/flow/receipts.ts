/**
 * Receipts: an accepted contact is told that its messages are kept here, and where that is wanted, that they were shown
 * (msg.md §3.2).
 *
 * @module
 */
import { b64 } from "../content/bytes.ts";
import { formatContent, MOST_RECEIPTS, readContent, type ReceiptContent } from "../content/content.ts";
import type { Parts } from "./parts.ts";

/** Puts on its way that messages of a contact have come, or were shown; what is not sealed yet takes more of them. */
export function acknowledge(
  parts: Parts,
  contact: number,
  state: ReceiptContent["state"],
  ids: readonly string[],
): void {
  const { contacts, messages, random, now } = parts;
  const row = contacts.find("id", contact);
  // Who has not said where to answer, or may not write, learns nothing.
  if (!row?.to || contacts.whose(row).state !== "accepted") return;
  const left = [...ids];
  for (const waiting of messages.besides(contact)) {
    if (waiting.sealed || !waiting.content) continue;
    const content = readContent(waiting.content);
    if (content.type !== "receipt" || content.state !== state) continue;
    const more = left.splice(0, MOST_RECEIPTS - content.of.length);
    if (more.length > 0) messages.putContent(waiting, formatContent({ ...content, of: [...content.of, ...more] }));
  }
  while (left.length > 0) {
    const of = left.splice(0, MOST_RECEIPTS);
    const content = formatContent({ type: "receipt", id: b64(random(16)), at: now(), of, state });
    messages.queue(contact, undefined, now(), content);
  }
}
