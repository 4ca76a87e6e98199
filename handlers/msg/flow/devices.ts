/**
 * Several devices of one person (msg.md §3.2): each has keys, queues and sessions of its own. The first signs a list of all,
 * which contacts get; what goes to a contact goes to all of its devices, and to one's own others.
 *
 * ```text
 * a device asks:        profile, to the first by its token
 * the first takes it:   profile with the list, to all contacts; once a mailbox has it: sync { to: contact, body: profile, also: where }
 * the device begins:    profile with the list, to each of these contacts
 * ```
 *
 * @module
 */
import { equalBytes } from "@alknet/core/crypto";
import { nodeIdOf } from "@alknet/core/identity";
import type { PeerIdentity } from "../agreement/identity.ts";
import { b64 } from "../content/bytes.ts";
import { type Content, formatContent, type ProfileContent, readContent, type SyncContent } from "../content/content.ts";
import { type DeviceList, isListed, signDevices } from "../content/devices.ts";
import { digestOf } from "../content/members.ts";
import { type ContactRow, OWN } from "../store/contacts.ts";
import type { OutboxRow } from "../store/messages.ts";
import type { OwnQueue } from "../store/queues.ts";
import type { Parts } from "./parts.ts";

/** Whoever writes sends it to the contact first, and then the copies; after so many milliseconds anybody does. */
export const COPIES_WAIT = 15_000;

/** Ed25519 of the person who writes here: of the first device. */
export function ownIdentity({ contacts, keys }: Parts): Uint8Array {
  return contacts.devicesOf(OWN).find(({ isMain }) => isMain)?.ed ?? keys.ed;
}

/** All own devices, as the first of them says; on the first itself made anew. */
export function ownList({ contacts, keys }: Parts): DeviceList | undefined {
  const others = contacts.devicesOf(OWN);
  const main = others.find(({ isMain }) => isMain);
  if (main) return main.devices;
  return signDevices(keys, [{ ed: keys.ed, ik: keys.ik }, ...others.map(({ ed, ik }) => ({ ed, ik: ik! }))]);
}

/** Of the first device: puts on its way to all who may know that the list is another than they have. In a transaction. */
export function tellList(parts: Parts): void {
  const { contacts } = parts;
  const rows = contacts.list();
  const isAlone = !rows.some(({ deviceOf }) => deviceOf === OWN);
  if (rows.some(({ isMain }) => isMain)) return;
  if (isAlone && !rows.some(({ toldList }) => toldList !== undefined)) return;
  const list = ownList(parts)!;
  const toldList = b64(list.signature);
  for (const row of rows) {
    if (!row.to || contacts.whose(row).state !== "accepted" || row.toldList === toldList) continue;
    if (isAlone && row.toldList === undefined) continue;
    sendProfile(parts, contacts.change(row, { toldList }), list);
  }
}

/** A mailbox has what was no message: once it has the list, own devices may write there. In a transaction. */
export function wasTold(parts: Parts, { contact: id, content: bytes }: OutboxRow): void {
  const { contacts } = parts;
  const content = bytes && readContent(bytes);
  const contact = contacts.find("id", id);
  if (content?.type !== "profile" || !content.devices || !contact) return;
  const hasList = b64(content.devices.signature);
  // Another process may have been quicker.
  if (contact.hasList === hasList) return;
  shareAddress(parts, contacts.change(contact, { hasList }));
  if (contact.deviceOf === OWN && !contact.isMain && contact.hasList === undefined) shareGroups(parts, contact);
}

/** Of the first device: tells the others who a contact is, and where, if it has been told of them. In a transaction. */
export function shareAddress(parts: Parts, row: ContactRow): void {
  const { ed, name, deviceOf, to, toldList, hasList } = row;
  const others = parts.contacts.devicesOf(OWN);
  if (!to || hasList === undefined || hasList !== toldList || others.some(({ isMain }) => isMain)) return;
  const body: Content = {
    ...head(parts),
    type: "profile",
    name: deviceOf === undefined ? name : "",
    devices: deviceOf === OWN ? ownList(parts) : parts.contacts.whose(row).devices,
    also: to,
  };
  for (const other of others) {
    if (!equalBytes(other.ed, ed)) put(parts, other, { ...head(parts), type: "sync", to: ed, body });
  }
}

/** Tells a new device which groups there are. */
function shareGroups(parts: Parts, device: ContactRow): void {
  for (const { ed, name, group: members } of parts.contacts.groups()) {
    if (!members) continue;
    const profile: Content = { ...head(parts), type: "profile", name };
    const body: Content = {
      type: "group",
      id: b64(ed),
      at: profile.at,
      members,
      digest: digestOf(members),
      body: profile,
    };
    put(parts, device, { ...head(parts), type: "sync", to: members.admin, body });
  }
}

/** What goes to a contact, for its other devices and one's own. In a transaction. Gives the rows on their way. */
export function copied({ contacts, messages, now }: Parts, contact: ContactRow, content: Content): OutboxRow[] {
  const put = ({ id }: ContactRow, copy: Content): OutboxRow =>
    messages.queue(id, undefined, now(), formatContent(copy), COPIES_WAIT);
  const theirs = contacts.devicesOf(contact.id).filter(({ to }) => to);
  const own = contacts.devicesOf(OWN).filter(({ to }) => to);
  const { id, at } = content;
  return [
    ...theirs.map((row) => put(row, content)),
    ...own.map((row) => put(row, { type: "sync", id, at, to: contact.ed, body: content })),
  ];
}

/** What a contact says of itself. In a transaction. */
export function takeProfile(
  { contacts, messages, queues }: Parts,
  from: ContactRow,
  { devices }: ProfileContent,
): void {
  if (!devices) {
    if (from.state === "request") contacts.change(from, { asks: true });
    return;
  }
  // Each device passes the list on; the first alone says what it is.
  if (!equalBytes(devices.list[0].ed, from.ed) || (from.deviceOf !== undefined && !from.isMain)) return;
  contacts.change(from, { devices });
  for (const row of contacts.devicesOf(from.isMain ? OWN : from.id)) {
    if (row.isMain || devices.list.some(({ ed }) => equalBytes(ed, row.ed))) continue;
    forget({ contacts, messages, queues }, row);
  }
}

/** What another own device says. In a transaction. Whether it is a message that was not there. */
export function takeSync(parts: Parts, from: ContactRow, { to, body }: SyncContent): boolean {
  const { contacts, messages, now } = parts;
  if (body.type === "text" || body.type === "file") {
    const contact = contacts.find("ed", to);
    if (!contact || contact.deviceOf !== undefined) return false;
    const { id, at } = body;
    const content = formatContent({ ...body, also: undefined });
    return messages.add({ contact: contact.id, mine: true, id, at, got: now(), state: "stored", content });
  }
  if (body.type === "profile" && from.isMain) takeAddress(parts, from, to, body);
  return false;
}

/**
 * Who begins to write and is on the list of a contact that it names itself: a device of that contact. In a transaction.
 *
 * @param content What it wrote first.
 */
export function asDevice(
  { contacts }: Parts,
  from: PeerIdentity,
  content: Content | undefined,
): ContactRow | undefined {
  if (content?.type !== "profile" || !content.devices) return undefined;
  // Both have to say so: a contact could list the key of somebody else, whose words would be taken for its own.
  const first = contacts.find("ed", content.devices.list[0].ed);
  if (!first?.devices || !isListed(first.devices, from) || !isListed(content.devices, from)) return undefined;
  if (first.deviceOf !== undefined && !first.isMain) return undefined;
  const deviceOf = first.isMain ? OWN : first.id;
  return contacts.add({ name: nodeIdOf(from.ed), ...from, state: "accepted", verified: false, deviceOf });
}

/** Whether a queue may be written to by this one: its contact, or another device of the same person. */
export function mayUse({ contacts }: Parts, { contact: id }: OwnQueue, writer: ContactRow): boolean {
  const owner = contacts.find("id", id!)!;
  return (owner.deviceOf ?? owner.id) === (writer.deviceOf ?? writer.id);
}

/** Forgets a contact or a device, and its queue. In a transaction. */
export function forget(
  { contacts, messages, queues }: Pick<Parts, "contacts" | "messages" | "queues">,
  row: ContactRow,
) {
  const queue = queues.ofContact(row.id);
  if (queue) queues.abandon(queue);
  messages.forget(row.id);
  contacts.remove(row);
}

/** Puts a profile on its way. In a transaction. */
export function sendProfile(parts: Parts, to: ContactRow, devices?: DeviceList): OutboxRow {
  return put(parts, to, { ...head(parts), type: "profile", name: parts.name, devices });
}

/** Of a device that is not the first: somebody whom the first knows. */
function takeAddress(
  parts: Parts,
  main: ContactRow,
  ed: Uint8Array,
  { name, devices, also }: ProfileContent & Content,
) {
  const { contacts, sessions, keys } = parts;
  const list = ownList(parts);
  if (!also || !list || equalBytes(ed, keys.ed) || equalBytes(ed, main.ed)) return;
  const first = devices && !equalBytes(devices.list[0].ed, ed) ? contacts.find("ed", devices.list[0].ed) : undefined;
  // Whose device it is has to be known.
  if (devices && !first && !equalBytes(devices.list[0].ed, ed)) return;
  const isOwn = list.list.some((one) => equalBytes(one.ed, ed));
  const deviceOf = isOwn ? OWN : first?.id;
  let row = contacts.find("ed", ed);
  if (!row) {
    const free = deviceOf === undefined && name !== "" && !contacts.find("name", name) ? name : nodeIdOf(ed);
    row = contacts.add({ name: free, ed, state: "accepted", verified: false, to: also, deviceOf });
  } else if (row.state === "request") row = contacts.change(row, { state: "accepted" });
  if (devices && equalBytes(devices.list[0].ed, ed) && row.deviceOf === undefined) {
    row = contacts.change(row, { devices });
  }
  const session = sessions.sending(row.id);
  session?.session[Symbol.dispose]();
  // Where a session goes on already, both have queues of their own.
  if (session) return;
  const isNew = !row.toldList;
  row = contacts.change(row, { to: also, toldList: b64(list.signature) });
  if (isNew) sendProfile(parts, row, list);
}

function put({ messages, now }: Parts, { id }: ContactRow, content: Content): OutboxRow {
  return messages.queue(id, undefined, now(), formatContent(content));
}

function head({ random, now }: Parts): { readonly id: string; readonly at: number } {
  return { id: b64(random(16)), at: now() };
}
