/**
 * What sending and receiving share.
 *
 * @module
 */
import type { Random } from "@alknet/core/crypto";
import type { MessageKeys } from "../agreement/identity.ts";
import type { Blobs, Carrier, Mailboxes } from "../carrier.ts";
import type { Contacts } from "../store/contacts.ts";
import type { MessageStore } from "../store/message_store.ts";
import type { Messages } from "../store/messages.ts";
import type { Partials } from "../store/partials.ts";
import type { OwnQueues } from "../store/queues.ts";
import type { Sessions } from "../store/sessions.ts";

/** What a messenger is made of. */
export interface Parts {
  /** Who writes here. */
  readonly keys: MessageKeys;
  /** The database. */
  readonly store: MessageStore;
  /** Its tables. */
  readonly contacts: Contacts;
  readonly queues: OwnQueues;
  readonly sessions: Sessions;
  readonly messages: Messages;
  readonly partials: Partials;
  /** What carries. */
  readonly carrier: Carrier & Mailboxes;
  /** What keeps files that are too large for messages. */
  readonly blobs?: Blobs;
  /** Where new queues are made; absent: nowhere. */
  readonly mailbox?: string;
  /** How who writes here is called; may be empty. */
  readonly name: string;
  /** Whether contacts are told that their messages were shown. */
  readonly readReceipts: boolean;
  /** Bytes that nobody foresees. */
  readonly random: Random;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}
