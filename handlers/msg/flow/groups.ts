/**
 * Groups: what goes to one goes to each member, sealed for each (msg.md §3.2). A group is kept as a contact is, its id in the
 * place of the key.
 *
 * @module
 */
import { equalBytes, joined, sha256 } from "@alknet/core/crypto";
import { nodeIdOf } from "@alknet/core/identity";
import { b64, bytesOf } from "../content/bytes.ts";
import {
  type Content,
  type FileContent,
  formatContent,
  type GroupContent,
  readContent,
  type TextContent,
} from "../content/content.ts";
import { formatMarked, readMarks } from "../content/marks.ts";
import { digestOf, isMember, type Members } from "../content/members.ts";
import { type ContactRow, OWN } from "../store/contacts.ts";
import type { OutboxRow } from "../store/messages.ts";
import { isName } from "./names.ts";
import { COPIES_WAIT, ownIdentity } from "./devices.ts";
import type { Parts } from "./parts.ts";

/** Groups that others make. */
const MOST_GROUPS = 100;

/** A group's row. */
export type GroupRow = ContactRow & { readonly group: Members };

/** What is on its way to a group. */
export interface GroupWritten {
  /** Each to a member, or to another device of one, or one's own. */
  readonly rows: readonly OutboxRow[];
  /** Node ids of members who are no contacts here, and get nothing. */
  readonly unreached: readonly string[];
}

/** Puts a content on its way to members, those of another list of the group too where that is given. In a transaction. */
export function putToGroup(
  parts: Parts,
  row: GroupRow,
  body: Content,
  others: readonly Uint8Array[] = [],
): GroupWritten {
  const { contacts, messages, now } = parts;
  const me = ownIdentity(parts);
  const { group: members } = row;
  const content = groupContent(row, body);
  const bytes = formatContent(content);
  const put = (id: number, copy: Uint8Array): OutboxRow => messages.queue(id, undefined, now(), copy, COPIES_WAIT);
  const rows: OutboxRow[] = [];
  const unreached: string[] = [];
  const former = others.filter((ed) => !isMember(members, ed));
  for (const ed of [...members.list, ...former]) {
    if (equalBytes(ed, me)) continue;
    const member = contacts.find("ed", ed);
    if (!member?.to || member.state !== "accepted") {
      unreached.push(nodeIdOf(ed));
      continue;
    }
    for (const one of [member, ...contacts.devicesOf(member.id)]) if (one.to) rows.push(put(one.id, bytes));
  }
  const { id, at } = body;
  const sync = formatContent({ type: "sync", id, at, to: members.admin, body: content });
  for (const own of contacts.devicesOf(OWN)) if (own.to) rows.push(put(own.id, sync));
  return { rows, unreached };
}

/** Keeps what was written to a group, and puts it on its way. */
export function writtenToGroup(
  parts: Parts,
  row: GroupRow,
  content: Content & (TextContent | FileContent),
): GroupWritten {
  const { store, messages } = parts;
  return store.transaction(() => {
    const { id, at } = content;
    const body = formatContent(content);
    messages.add({ contact: row.id, mine: true, id, at, got: at, state: "waiting", content: body });
    return putToGroup(parts, row, content);
  });
}

/** The id of the message that is on its way, itself or for another reader; nothing where it is what programs tell each other. */
export function messageIn({ message, content: bytes }: OutboxRow): string | undefined {
  if (message !== undefined || !bytes) return message;
  const content = readContent(bytes);
  const body = content.type === "group" ? content.body : content;
  return body.type === "text" || body.type === "file" ? body.id : undefined;
}

/** What was written to groups, and is on its way to nobody any more, is stored. In a transaction. */
export function settleGroups({ contacts, messages }: Parts): void {
  const waiting = contacts.groups().flatMap(({ id: contact }) =>
    messages.waitingOf(contact).map((id) => ({ contact, id }))
  );
  if (waiting.length === 0) return;
  const left = new Set(messages.outbox().map(messageIn));
  for (const { contact, id } of waiting) if (!left.has(id)) messages.setState(contact, id, "stored");
}

/**
 * Keeps what came for a group. In a transaction. Whether it is a message that was not there.
 *
 * @param from Who sent it; of an own device, what it wrote.
 */
export function keepForGroup(parts: Parts, from: ContactRow, content: Content & GroupContent): boolean {
  const { contacts, messages, now } = parts;
  const mine = from.deviceOf === OWN;
  const whose = contacts.whose(from);
  if (whose.state !== "accepted") return false;
  const me = ownIdentity(parts);
  const writer = mine ? me : whose.ed;
  const group = currentGroup(parts, content, writer, me);
  if (!group) return false;
  const { body, digest } = content;
  if (body.type !== "text" && body.type !== "file") return false;
  const differs = !equalBytes(digest, digestOf(group.group));
  const { at } = body;
  const id = idFor(parts, group, { id: body.id, writer, mine });
  const marked = formatMarked({ ...body, id, also: undefined }, { from: writer, differs });
  const state = mine ? "stored" : "delivered";
  return messages.add({ contact: group.id, mine, id, at, got: now(), state, content: marked });
}

/** A content for a group. */
export function groupContent({ ed, group: members }: GroupRow, body: Content): Content & GroupContent {
  return { type: "group", id: b64(ed), at: body.at, members, digest: digestOf(members), body };
}

/** Whether a row is a group's. */
export function isGroup(row: ContactRow | undefined): row is GroupRow {
  return row?.group !== undefined;
}

/** The group with the newest list; nothing where the writer may not write, or nothing is to be shown. */
function currentGroup(
  { contacts }: Parts,
  { id, members, body }: Content & GroupContent,
  writer: Uint8Array,
  me: Uint8Array,
): GroupRow | undefined {
  const ed = bytesOf(id, 16)!;
  const there = contacts.find("ed", ed);
  if (!there) {
    if (!isMember(members, writer) || !isMember(members, me) || contacts.groups().length >= MOST_GROUPS) {
      return undefined;
    }
    const called = body.type === "profile" && equalBytes(members.admin, writer) ? body.name : "";
    const name = freeName(contacts, called, ed);
    return contacts.add({ name, ed, state: "accepted", verified: false, group: members }) as GroupRow;
  }
  if (!isGroup(there) || there.state === "blocked" || !equalBytes(there.group.admin, members.admin)) return undefined;
  const isNewer = members.version > there.group.version;
  const row = isNewer ? contacts.change(there, { group: members }) as GroupRow : there;
  return isMember(row.group, writer) && isMember(row.group, me) ? row : undefined;
}

/** A name that nobody has here, as near to what the admin calls it as may be. */
function freeName(contacts: Parts["contacts"], called: string, id: Uint8Array): string {
  const end = id.toHex().slice(0, 8);
  const names = [called, `${called}-${end}`, `group-${end}`, `group-${id.toHex()}`];
  return names.find((name) => name.length < 52 && isName(name) && !contacts.find("name", name))!;
}

/** The id of a message, another one where a member took that of somebody else. */
function idFor(
  { messages }: Parts,
  { id: contact }: GroupRow,
  { id, writer, mine }: { readonly id: string; readonly writer: Uint8Array; readonly mine: boolean },
): string {
  const there = mine ? messages.own(contact, id) : messages.other(contact, id);
  if (!there) return id;
  const { from } = readMarks(there.content);
  return from && !equalBytes(from, writer) ? b64(sha256(joined(writer, bytesOf(id)!)).slice(0, 16)) : id;
}
