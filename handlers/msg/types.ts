/**
 * What a messenger is, for whoever uses it (msg.md §1).
 *
 * @module
 */
import type { AlknetError, Random } from "@alknet/core/crypto";
import type { MessageKeys } from "./agreement/identity.ts";
import type { Blobs, Carrier, Mailboxes, Stop } from "./carrier.ts";
import type { ContactState } from "./store/contacts.ts";
import type { MessageState } from "./store/messages.ts";

/** A contact, for people. */
export interface Contact {
  /** Of this database. */
  readonly id: number;
  /** Unique; of a request the node id. */
  readonly name: string;
  /** z-base-32 of its key. */
  readonly nodeId: string;
  /** Whether it may write. */
  readonly state: ContactState;
  /** Whether safety numbers were compared. */
  readonly verified: boolean;
  /** Where it is written to, `ID@HOST:PORT`; absent while it has not said. */
  readonly mailbox?: string;
  /** Whether it asks to be a device of the one who writes here. */
  readonly asks?: boolean;
}

/** A token, and what became of its queue. */
export interface MadeToken {
  /** The token. */
  readonly token: string;
  /** Where its queue is. */
  readonly mailbox: string;
  /** `pending`: the mailbox could not be reached yet. */
  readonly queue: "made" | "pending";
  /** Why it is pending. */
  readonly fault?: AlknetError;
}

/** A message, for people. */
export interface StoredMessage {
  /** 16 bytes, b64. */
  readonly id: string;
  /** The name of whose it is, or to whom it went; of a group its name. */
  readonly contact: string;
  /** Of a group the name, or node id, of whose it is. */
  readonly from?: string;
  /** Of a group, whether its writer has another list of members. */
  readonly differs?: boolean;
  /** Whether the contact waits to be accepted. */
  readonly request: boolean;
  /** Whether it was written here. */
  readonly mine: boolean;
  /** When it was written, as its writer says: milliseconds since 1970. */
  readonly at: number;
  /** When it came here. */
  readonly got: number;
  /** Of another's: `delivered` until it was shown, then `read`. */
  readonly state: MessageState;
  /** The text; empty for a file. */
  readonly text: string;
  /** Of a file what it is called, and how many bytes it has. */
  readonly file?: { readonly name: string; readonly mime: string; readonly size: number };
}

/** A file that is sent as it is read. */
export interface OutgoingFile {
  /** No path. */
  readonly name: string;
  /** What kind it is. */
  readonly mime: string;
  /** Bytes. */
  readonly size: number;
  /** What is in it. */
  readonly file: AsyncIterable<Uint8Array>;
}

/** What is sent: a text; a small file, 72,000 bytes at most; a file of any length, which {@linkcode MessengerOptions.blobs} keeps. */
export type Outgoing =
  | string
  | { readonly name: string; readonly mime: string; readonly data: Uint8Array }
  | OutgoingFile;

/** A file that came, or went. */
export interface ReceivedFile {
  /** As its sender calls it: no path to save it by. */
  readonly name: string;
  /** What kind it is, as its sender says. */
  readonly mime: string;
  /** Bytes. */
  readonly size: number;
  /** What is in it, each chunk proven. Errors with `BAD_ATTACHMENT` before anything that is not. */
  readonly bytes: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** What one look at the mailboxes has done. */
export interface Synced {
  /** Messages that came. */
  readonly received: number;
  /** Messages that went. */
  readonly sent: number;
  /** Messages that still wait. */
  readonly waiting: number;
  /** Envelopes that did not open. */
  readonly unreadable: number;
  /** Tokens whose keys for one use had run out; there are new ones. */
  readonly drained: number;
  /** Contacts with whom a new session begins, because the one before has come to an end. */
  readonly resets: number;
  /** What could not be done, each mailbox once. */
  readonly faults: readonly AlknetError[];
}

/** A message that waits to be sent. */
export interface WaitingMessage {
  /** 16 bytes, b64. */
  readonly id: string;
  /** To whom. */
  readonly contact: string;
  /** How often it was tried. */
  readonly tries: number;
  /** When it is tried next, where something runs that does: milliseconds since 1970. */
  readonly due: number;
}

/** What happens while a messenger watches. */
export type MessageEvent =
  /** Another's message has come. */
  | { readonly event: "message"; readonly message: StoredMessage }
  /** One's own message, that waited, has gone or was given up; or came to its reader, who may have said that it was shown. */
  | { readonly event: "state"; readonly id: string; readonly state: MessageState }
  /** Somebody new has written; something came that does not open, of a contact where that is known; a new session begins. */
  | { readonly event: "request" | "unreadable" | "reset"; readonly contact?: string };

/** Which messages are meant. */
export interface MessageQuery {
  /** A contact's alone, by name. */
  readonly contact?: string;
  /** Behind the message with this id. */
  readonly after?: string;
  /** At most so many, to 500. Default 100. */
  readonly limit?: number;
  /** Those that were not shown alone. Default `false`. */
  readonly unread?: boolean;
}

/** Options of {@linkcode openMessenger}. */
export interface MessengerOptions {
  /** Who writes. The caller disposes of them, after the messenger. */
  readonly keys: MessageKeys;
  /** The database; made where it is not there. */
  readonly file: string;
  /** What carries. The caller disposes of it. */
  readonly direct: Carrier & Mailboxes;
  /** What keeps files that are too large for messages. Default: nothing, and such files are refused. */
  readonly blobs?: Blobs;
  /** How its owner is called in tokens. Default: not at all. */
  readonly name?: string;
  /** Where new queues are made, `ID@HOST:PORT`. Default: nowhere. */
  readonly mailbox?: string;
  /** Whether contacts are told that their messages were shown. Default `false`: they are told that they came, no more. */
  readonly readReceipts?: boolean;
  /** Milliseconds since 1970. Default: the machine's. */
  readonly now?: () => number;
  /** Default: the system's. */
  readonly random?: Random;
}

/** What became of what was sent. */
export interface SentMessage {
  /** 16 bytes, b64. */
  readonly id: string;
  /** Where it is. */
  readonly state: MessageState;
  /** Why it is not where it should be. */
  readonly fault?: AlknetError;
  /** Of a group, names or node ids of members who are no contacts here, and get nothing. */
  readonly unreached?: readonly string[];
}

/** A group, for people. */
export interface Group {
  /** As it is called here. */
  readonly name: string;
  /** Whether who writes here says who is in it. */
  readonly isAdmin: boolean;
  /** Whether who writes here is in it: neither left nor taken out. */
  readonly isMember: boolean;
  /** Names of the others, of those who are no contacts node ids. */
  readonly members: readonly string[];
  /** Those of them who are no contacts here, and get nothing from here. */
  readonly unreached: readonly string[];
}

/** Groups: what goes to one goes to each member, sealed for each. */
export interface Groups {
  /** All. */
  list(): Group[];
  /**
   * Makes one, and tells its members.
   *
   * @param members Names of accepted contacts; with who writes here 32 at most.
   * @returns Also why some do not know it yet; they are told later.
   * @throws {AlknetError} `NO_CONTACT`, `TOO_MANY_MEMBERS`, `NAME_TAKEN`, `BAD_NAME`, `NOT_FIRST`.
   */
  create(name: string, members: readonly string[], options: Stop): Promise<Group & { readonly fault?: AlknetError }>;
  /**
   * Takes contacts in or out, and tells all.
   *
   * @throws {AlknetError} `NO_GROUP`, `NOT_ADMIN`, `NO_MEMBER`, and as {@linkcode create}.
   */
  change(
    name: string,
    changes: { readonly add?: readonly string[]; readonly remove?: readonly string[] },
    options: Stop,
  ): Promise<Group & { readonly fault?: AlknetError }>;
  /**
   * Shows nothing of it any more, and sends nothing. The others are not told.
   *
   * @throws {AlknetError} `NO_GROUP`.
   */
  leave(name: string): Group;
}

/** Another device of the one who writes here. */
export interface OwnDevice {
  /** As it is called here. */
  readonly name: string;
  /** z-base-32 of its key. */
  readonly nodeId: string;
  /** Whether it is the one that says which others there are. */
  readonly isFirst: boolean;
}

/** Other devices of the one who writes here: what goes out is on all, and what contacts write comes to all. */
export interface OwnDevices {
  /** All but this one. */
  list(): OwnDevice[];
  /**
   * Asks to be a device of whoever made a token, who has to take it.
   *
   * @returns Also why the mailbox there does not know it yet; it is asked again.
   * @throws {AlknetError} `BAD_TOKEN`, `BAD_NAME`, `NAME_TAKEN`, `CONTACT_KNOWN`, `DEVICE_KNOWN`.
   */
  join(name: string, token: string, options: Stop): Promise<OwnDevice & { readonly fault?: AlknetError }>;
  /**
   * Takes one that asks. It learns all contacts, and they of it.
   *
   * @param nodeId Its key.
   * @returns Also why somebody does not know it yet; they are told later.
   * @throws {AlknetError} `NO_DEVICE`, `NOT_FIRST`, `TOO_MANY_DEVICES`, `BAD_NAME`, `NAME_TAKEN`.
   */
  add(name: string, nodeId: string, options: Stop): Promise<OwnDevice & { readonly fault?: AlknetError }>;
  /**
   * Takes one away; contacts write to it no more. Of the first: this one is a device of nobody any more.
   *
   * @throws {AlknetError} `NO_DEVICE`.
   */
  remove(name: string, options: Stop): Promise<{ readonly fault?: AlknetError }>;
}

/** A messenger. */
export interface Messenger extends Disposable {
  /** Several people in one conversation. */
  readonly groups: Groups;
  /** Several devices of one person. */
  readonly devices: OwnDevices;
  /** `STALE_STATE`: the database was found to be put back from a copy. Everything can be done with it. */
  readonly fault?: AlknetError;
  /**
   * The token of a name, made where there is none. Its queue is tried to be made.
   *
   * @throws {AlknetError} `NO_MAILBOX`, `TOKEN_ELSEWHERE`, `BAD_NAME`.
   */
  token(name: string, options: Stop & { readonly mailbox?: string }): Promise<MadeToken>;
  /**
   * Adds a contact by a token; a request of the same key is accepted by it.
   *
   * @throws {AlknetError} `BAD_TOKEN`, `NAME_TAKEN`, `BAD_NAME`, `CONTACT_KNOWN`.
   */
  addContact(name: string, token: string): Contact;
  /** All contacts, by name. */
  contacts(): Contact[];
  /**
   * Accepts or blocks one.
   *
   * @throws {AlknetError} `NO_CONTACT`.
   */
  decide(name: string, decision: "accepted" | "blocked"): Contact;
  /**
   * Forgets a contact with everything of it; a request is refused by that. The queue in which it answered is dropped.
   *
   * @returns Why the mailbox has it still; the next look takes it away.
   * @throws {AlknetError} `NO_CONTACT`.
   */
  remove(name: string, options: Stop): Promise<{ readonly fault?: AlknetError }>;
  /**
   * Takes a token back: its queue is dropped, and what lies in it lost. Contacts that were made by it stay.
   *
   * @returns As {@linkcode remove}.
   * @throws {AlknetError} `NO_TOKEN`.
   */
  revoke(name: string, options: Stop): Promise<{ readonly fault?: AlknetError }>;
  /**
   * Twelve groups of five digits, the same for both, to be compared by another way.
   *
   * @throws {AlknetError} `NO_CONTACT`; `NO_KEY`: nothing went to the contact yet, and nothing came.
   */
  safetyNumber(name: string): string;
  /**
   * The number of a contact was compared, and is the same there.
   *
   * @throws {AlknetError} `NO_CONTACT`, `NO_KEY`; `IDENTITY_CHANGED`: the number is another one by now.
   */
  verify(name: string, number: string): Contact;
  /**
   * Sends a text or a file to a contact or a group. Of a group it is stored once the mailboxes of all members have it
   * who are contacts here; what some lack waits, and is sent later. Resolves once the mailbox has it; with `queue`, or else fails, when the signal says that it took too long.
   *
   * @throws {AlknetError} `NO_CONTACT`, `BLOCKED`, `NO_BLOBS`, `BAD_NAME`, of a group `NOT_MEMBER`; why it was not sent: nothing of it is kept, but that it failed.
   */
  send(
    to: string,
    what: Outgoing,
    options: Stop & { readonly queue?: boolean },
  ): Promise<SentMessage>;
  /** Looks into all mailboxes once: receives, sends what waits, makes queues that are pending. */
  sync(options: Stop): Promise<Synced>;
  /**
   * Messages, the oldest first.
   *
   * @throws {AlknetError} `NO_CONTACT`, `NO_MESSAGE`.
   */
  messages(query?: MessageQuery): StoredMessage[];
  /**
   * What happens from now on, as it happens: messages come while it is told of, and what waits is sent. What another program
   * receives into the same database is told of too. Ends at the signal; lost connections are made anew.
   *
   * @param options Also told of what cannot be done for now, each once, until it can: it is tried again. With
   * `looksOnly` nothing is received or sent by it: another one does that.
   * @throws {AlknetError} `MESSAGE_STORE`, `DISK_FULL`: what comes cannot be kept.
   */
  watch(
    options: Stop & { readonly onFault?: (fault: AlknetError) => void; readonly looksOnly?: boolean },
  ): AsyncIterable<MessageEvent>;
  /** Messages that wait to be sent, the oldest first. */
  waiting(): WaitingMessage[];
  /**
   * A file that came, or went. One that no message had room for is got as it is read, from where its sender said, who may so
   * learn from where.
   *
   * @throws {AlknetError} `NO_CONTACT`, `NO_FILE`, `NO_BLOBS`.
   */
  file(contact: string, id: string, options: Stop): ReceivedFile;
  /** Others' messages were shown. */
  markRead(messages: readonly StoredMessage[]): void;
}
