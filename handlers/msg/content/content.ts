/**
 * What is in an envelope: JSON that is checked, its unknown members passed over (msg.md §3.2).
 *
 * ```text
 * { "v": 1, "id": 16 bytes b64, "at": ms, "type": "text", "text": …, "reply"?: id, "also"?: queue }
 * { "v": 1, "id", "at", "type": "queue", "mailbox": "ID@HOST:PORT", "sid", "t" }
 * { "v": 1, "id", "at", "type": "reset", "also"?: queue }
 * ```
 *
 * @module
 */
import { AlknetError } from "@alknet/core/crypto";
import { parseAddress } from "@alknet/core/address";

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

/** What is in an envelope. */
export type Content =
  & {
    /** 16 bytes, b64. */
    readonly id: string;
    /** When it was written, as its writer says: milliseconds since 1970. */
    readonly at: number;
    /** Where its writer is answered from now on. */
    readonly also?: Destination;
  }
  & (TextContent | { readonly type: "queue" } | { readonly type: "reset" } | { readonly type: "unknown" });

const LATEST = 8.64e15;

/** Bytes in JSON. */
export function b64(bytes: Uint8Array): string {
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}

/** Bytes of JSON; nothing where the text is none, or of another length. */
export function bytesOf(text: unknown, length?: number): Uint8Array | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    return length === undefined || bytes.byteLength === length ? bytes : undefined;
  } catch {
    return undefined;
  }
}

/** A text as it goes into an envelope. */
export function formatText(content: Extract<Content, { readonly type: "text" }>): Uint8Array {
  const { id, at, text, reply, also } = content;
  const whole = { v: 1, id, at, type: "text", text, reply, also: also && destinationJson(also) };
  return new TextEncoder().encode(JSON.stringify(whole));
}

/** What begins a session anew, and shows nothing, as it goes into an envelope. */
export function formatReset({ id, at, also }: Omit<Content, "type">): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ v: 1, id, at, type: "reset", also: also && destinationJson(also) }));
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
  const whole = objectOf(bytes);
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
  if (type !== "text") return { ...shared, type: "unknown" };
  const { text, reply } = whole;
  if (typeof text !== "string") throw bad("its text is none");
  const answered = bytesOf(reply, 16);
  return { ...shared, type, text, ...answered && { reply: b64(answered) } };
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
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    // No prototype, so that no name is anything but a member.
    return Object.assign(Object.create(null), value);
  } catch (cause) {
    throw bad("it is no JSON", cause);
  }
}

function bad(why: string, cause?: unknown): AlknetError {
  return new AlknetError("BAD_CONTENT", `a message cannot be shown: ${why}`, { cause });
}
