/**
 * What is in an envelope: JSON that is checked, its unknown members passed over (msg.md §3.2).
 *
 * ```text
 * { "v": 1, "id": 16 bytes b64, "at": ms, "type": "text", "text": …, "reply"?: id, "also"?: queue }
 * { "v": 1, "id", "at", "type": "file", "name": …, "size": bytes, "mime": …, "data": b64 }
 * { "v": 1, "id", "at", "type": "file", "name", "size", "mime", "hash": hex of the sealed bytes, "key": b64, "ticket"?: who has them }
 * { "v": 1, "id", "at", "type": "receipt", "of": [id, to 64], "state": "delivered" or "read" }
 * { "v": 1, "id", "at", "type": "queue", "mailbox": "ID@HOST:PORT", "sid", "t" }
 * { "v": 1, "id", "at", "type": "reset", "also"?: queue }
 * { "v": 1, "id", "at", "type": "profile", "name": to 64 characters, "devices"?: list }
 * { "v": 1, "id", "at", "type": "sync", "to": ed b64, "body": a text, a file, a profile or a group }
 * { "v": 1, "id": of the group, "at", "type": "group", "members": list, "digest": H b64, "body": a text, a file or a profile }
 * ```
 *
 * @module
 */
import { AlknetError, redact, REDACTED } from "@alknet/core/crypto";
import { parseAddress } from "@alknet/core/address";
import { NAME_CHARACTERS } from "../agreement/token.ts";
import { b64, bytesOf } from "./bytes.ts";
import { type Members, membersJson, readMembers } from "./members.ts";
import { type DeviceList, devicesJson, readDevices } from "./devices.ts";

/** A queue to which a contact may be written. */
export interface Destination {
  /** `ID@HOST:PORT`. */
  readonly mailbox: string;
  /** 24 bytes. */
  readonly sid: Uint8Array;
  /** 32 bytes. Secret. */
  readonly t: Uint8Array;
}

/** What somebody wrote. */
export interface TextContent {
  readonly type: "text";
  /** The text. */
  readonly text: string;
  /** Id of the message that it answers. */
  readonly reply?: string;
}

/** Where a file is that is too large for a message, and what opens it. Its key prints as `[redacted]`. */
export class Attached {
  /** Of its sealed bytes: 64 hex digits. */
  readonly hash: string;
  /** 32 bytes, for this file alone. Secret. */
  readonly key: Uint8Array;
  /** Who has the sealed bytes, in words of whoever keeps them, to 4096 characters. */
  readonly ticket?: string;

  static {
    redact(this.prototype, () => `Attached ${REDACTED}`);
  }

  /** Of what was read, or sealed; the key is not copied. */
  constructor({ hash, key, ticket }: Pick<Attached, "hash" | "key" | "ticket">) {
    this.hash = hash;
    this.key = key;
    this.ticket = ticket;
  }
}

/** A file. */
export interface FileContent {
  readonly type: "file";
  /** What its sender calls it, to 255 characters. No path: whoever keeps it chooses where. */
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** What kind it is, as its sender says. */
  readonly mime: string;
  /** What is in it, where it is small: it travels as messages do. */
  readonly data?: Uint8Array;
  /** Where it is, else. */
  readonly blob?: Attached;
}

/** What has become of messages of the one that it is sent to. */
export interface ReceiptContent {
  readonly type: "receipt";
  /** Their ids, to {@linkcode MOST_RECEIPTS}. */
  readonly of: readonly string[];
  /** `delivered`: kept there; `read`: shown. */
  readonly state: "delivered" | "read";
}

/** How somebody is called, and which devices are theirs. */
export interface ProfileContent {
  readonly type: "profile";
  /** To 64 characters; may be empty. */
  readonly name: string;
  /** All of them. */
  readonly devices?: DeviceList;
}

/** To another device of the same person: what went to somebody, or who somebody is and, by `also`, where. */
export interface SyncContent {
  readonly type: "sync";
  /** Ed25519 of that somebody. */
  readonly to: Uint8Array;
  /** A text, a file, a profile, or any of them to a group. */
  readonly body: Content;
}

/** What goes to a group. The content's id is the group's, that of the message its body's. */
export interface GroupContent {
  readonly type: "group";
  /** Who is in it, as its admin says. */
  readonly members: Members;
  /** 32 bytes: of the list that its writer has. */
  readonly digest: Uint8Array;
  /** A text or a file; a profile: what the group is called. */
  readonly body: Content;
}

/** What all contents have. */
export interface ContentHead {
  /** 16 bytes, b64. */
  readonly id: string;
  /** When it was written, as its writer says: milliseconds since 1970. */
  readonly at: number;
  /** Where its writer is answered from now on. */
  readonly also?: Destination;
}

/** What is in an envelope. */
export type Content =
  & ContentHead
  & (
    | TextContent
    | FileContent
    | ReceiptContent
    | ProfileContent
    | SyncContent
    | GroupContent
    | { readonly type: "queue" | "reset" | "unknown" }
  );

const LATEST = 8.64e15;
/** Messages that a receipt names. */
export const MOST_RECEIPTS = 64;
/** Characters of a file's name, and of its kind. */
const FILE_NAME = 255;
const FILE_MIME = 127;
const TICKET = 4096;
/** A content in a content, and no deeper but for what a group has in a `sync`. */
const DEEPEST = 2;

/**
 * A content as it goes into an envelope.
 *
 * @throws {RangeError} It is of a type that this program does not know.
 */
export function formatContent(content: Content): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(contentJson(content)));
}

function contentJson(content: Content): Record<string, unknown> {
  const { id, at, type, also } = content;
  return { v: 1, id, at, type, ...membersOf(content), also: also && destinationJson(also) };
}

function membersOf(content: Content): Record<string, unknown> {
  switch (content.type) {
    case "text":
      return { text: content.text, reply: content.reply };
    case "file": {
      const { name, size, mime, data, blob } = content;
      const { hash, key, ticket } = blob ?? {};
      return { name, size, mime, data: data && b64(data), hash, key: key && b64(key), ticket };
    }
    case "receipt":
      return { of: content.of, state: content.state };
    case "profile":
      return { name: content.name, devices: content.devices && devicesJson(content.devices) };
    case "sync":
      return { to: b64(content.to), body: contentJson(content.body) };
    case "group": {
      const { members, digest, body } = content;
      return { members: membersJson(members), digest: b64(digest), body: contentJson(body) };
    }
    case "reset":
      return {};
    default:
      throw new RangeError(`a content of type ${content.type} is none to be sent`);
  }
}

/** A destination as JSON has it. */
export function destinationJson({ mailbox, sid, t }: Destination): Record<string, string> {
  return { mailbox, sid: b64(sid), t: b64(t) };
}

/**
 * What came out of an envelope. A type that is not known is none to show, but no error.
 *
 * @throws {AlknetError} `BAD_CONTENT`.
 */
export function readContent(bytes: Uint8Array): Content {
  return readWhole(objectOf(bytes), 0);
}

/** @param depth How many contents it is in. */
function readWhole(whole: Record<string, unknown>, depth: number): Content {
  const { v, at, type } = whole;
  const id = bytesOf(whole.id, 16);
  if (v !== 1) throw bad("its version is not known to this program");
  if (!id || typeof at !== "number" || !(at >= 0 && at <= LATEST) || typeof type !== "string") {
    throw bad("it lacks an id, a time or a type");
  }
  const named = type === "queue"
    ? readDestination(whole)
    : whole.also === undefined
    ? undefined
    : readDestination(whole.also);
  if (type === "queue" && !named) throw bad("the queue that it names is none");
  const shared = { id: b64(id), at, also: named };
  if (type === "queue" || type === "reset") return { ...shared, type };
  switch (type) {
    case "text":
      return { ...shared, ...readText(whole) };
    case "file":
      return { ...shared, ...readFile(whole) };
    case "receipt":
      return { ...shared, ...readReceipt(whole) };
    case "profile":
      return { ...shared, ...readProfile(whole) };
    case "sync":
      return { ...shared, ...readSync(whole, depth) };
    case "group":
      return { ...shared, ...readGroup(id, whole, depth) };
    default:
      return { ...shared, type: "unknown" };
  }
}

function readText({ text, reply }: Record<string, unknown>): TextContent {
  if (typeof text !== "string") throw bad("its text is none");
  const answered = bytesOf(reply, 16);
  return { type: "text", text, ...answered && { reply: b64(answered) } };
}

function readFile({ name, size, mime, data, hash, key, ticket }: Record<string, unknown>): FileContent {
  if (!isShort(name, FILE_NAME) || name === "") throw bad("its file has no name");
  if (!isShort(mime, FILE_MIME)) throw bad("it does not say what kind of file it is");
  if (data === undefined) {
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
      throw bad("it does not say how long its file is");
    }
    const secret = bytesOf(key, 32);
    if (!secret || typeof hash !== "string" || !/^[0-9a-f]{64}$/.test(hash)) throw bad("its file is nowhere");
    if (ticket !== undefined && !isShort(ticket, TICKET)) throw bad("it does not say where its file is");
    return { type: "file", name, size, mime, blob: new Attached({ hash, key: secret, ticket }) };
  }
  const bytes = bytesOf(data);
  if (!bytes || size !== bytes.byteLength) throw bad("its file is not there, or has another size");
  return { type: "file", name, size, mime, data: bytes };
}

function readReceipt({ of, state }: Record<string, unknown>): ReceiptContent {
  if (state !== "delivered" && state !== "read") throw bad("its receipt says nothing that is known");
  if (!Array.isArray(of) || of.length > MOST_RECEIPTS) throw bad("its receipt is of no messages, or of too many");
  const ids = of.map((id) => bytesOf(id, 16));
  if (ids.some((id) => id === undefined)) throw bad("its receipt names what is no message");
  return { type: "receipt", of: ids.map((id) => b64(id!)), state };
}

function readProfile({ name, devices }: Record<string, unknown>): ProfileContent {
  if (!isShort(name, NAME_CHARACTERS)) throw bad("its profile has no name, or a long one");
  const list = devices === undefined ? undefined : readDevices(devices);
  if (devices !== undefined && !list) throw bad("its list of devices is none, or not signed by the first of them");
  return { type: "profile", name, devices: list };
}

function readSync({ to, body }: Record<string, unknown>, depth: number): SyncContent {
  const ed = bytesOf(to, 32);
  if (!ed) throw bad("it does not say to whom it went");
  return { type: "sync", to: ed, body: readBody(body, depth, ["text", "file", "profile", "group"]) };
}

function readGroup(id: Uint8Array, { members, digest, body }: Record<string, unknown>, depth: number): GroupContent {
  const list = readMembers(id, members);
  if (!list) throw bad("its list of members is none, has more than 32, or is not signed by its admin");
  const other = bytesOf(digest, 32);
  if (!other) throw bad("it does not say which list its writer has");
  return { type: "group", members: list, digest: other, body: readBody(body, depth, ["text", "file", "profile"]) };
}

/** A content within another, of one of some types. */
function readBody(value: unknown, depth: number, types: readonly string[]): Content {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad("what is in it is none");
  if (depth >= DEEPEST) throw bad("too much is in it");
  const content = readWhole(bare(value), depth + 1);
  if (!types.includes(content.type)) throw bad("what is in it may not be there");
  return content;
}

function isShort(text: unknown, most: number): text is string {
  return typeof text === "string" && [...text].length <= most;
}

/** A destination of JSON; nothing where it is none. */
export function readDestination(value: unknown): Destination | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { mailbox, sid, t } = value as Record<string, unknown>;
  const [id, secret] = [bytesOf(sid, 24), bytesOf(t, 32)];
  if (!id || !secret || typeof mailbox !== "string" || mailbox.length > 320) return undefined;
  try {
    return parseAddress(mailbox).nodeId === undefined ? undefined : { mailbox, sid: id, t: secret };
  } catch {
    return undefined;
  }
}

function objectOf(bytes: Uint8Array): Record<string, unknown> {
  if (bytes[0] !== 0x7b) throw bad("it is of a kind that this program does not know");
  try {
    return bare(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
  } catch (cause) {
    throw bad("it is no JSON", cause);
  }
}

/** Without a prototype, so that no name is anything but a member. */
function bare(value: object): Record<string, unknown> {
  return Object.assign(Object.create(null), value);
}

function bad(why: string, cause?: unknown): AlknetError {
  return new AlknetError("BAD_CONTENT", `a message cannot be shown: ${why}`, { cause });
}
