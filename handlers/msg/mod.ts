/**
 * End-to-end messages with mailboxes for those who are away (`alknet/msg`).
 *
 * @module
 */
export { MailboxCode } from "./codes.ts";
export { MAILBOX_LIMITS, type MailboxLimits, mailboxLimitsWith } from "./limits.ts";
export type { Address, Arrival, Blobs, Carrier, Dial, Mailboxes, NewQueue, Stop } from "./carrier.ts";
export type { MessageKeys } from "./agreement/identity.ts";
export { messageKeys, type MessageSecrets } from "./agreement/keys.ts";
export type { Random } from "@alknet/core/crypto";
export { openMessenger } from "./messenger.ts";
export type {
  Contact,
  Group,
  Groups,
  MadeToken,
  MessageEvent,
  MessageQuery,
  Messenger,
  MessengerOptions,
  Outgoing,
  OutgoingFile,
  OwnDevice,
  OwnDevices,
  ReceivedFile,
  SentMessage,
  StoredMessage,
  Synced,
  WaitingMessage,
} from "./types.ts";
export type { ContactState } from "./store/contacts.ts";
export type { MessageState } from "./store/messages.ts";
export { mailboxClient, type MailboxClientOptions } from "./mailbox/direct.ts";
export {
  type Mailbox,
  mailbox,
  type MailboxClock,
  type MailboxOptions,
  type MailboxStatus,
  MSG_ALPN,
} from "./mailbox/mailbox.ts";
export type { Held, Item, MailboxStore, NewItem, Published, QueueRow } from "./mailbox/mailbox_store.ts";
export { memoryMailboxStore, openMailboxStore } from "./mailbox/sqlite_store.ts";
export { mailboxOperations } from "./operations.ts";
export { messengerOperations } from "./messenger_operations.ts";
