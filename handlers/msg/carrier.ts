/**
 * How envelopes travel: what a messenger asks of whatever carries them (msg.md §1).
 *
 * @module
 */
import type { Connection } from "@alknet/core/handler";

/** Ends what waits. */
export interface Stop {
  /** With its reason. */
  readonly signal: AbortSignal;
}

/** A queue at a mailbox, and what proves a right to it. */
export interface Address {
  /** `ID@HOST:PORT`. */
  readonly mailbox: string;
  /** sid to send, rid to read. */
  readonly id: Uint8Array;
  /** scap to send, rcap to read. Secret. */
  readonly cap: Uint8Array;
}

/** An envelope that lies in a queue. */
export interface Arrival {
  /** Where it lay. */
  readonly from: Address;
  /** 0 envelope, 1 reply. */
  readonly kind: 0 | 1;
  /** The envelope. */
  readonly bytes: Uint8Array;
  /** Takes it away from the mailbox: to be called once it is kept here. */
  ack(): Promise<void>;
}

/** Carries envelopes. */
export interface Carrier {
  /**
   * Reaches what would carry to a mailbox, where that can be known before: what cannot be sent is not sealed in vain. Throws
   * as {@linkcode send} does.
   */
  prepare?(mailbox: string, options: Stop): Promise<void>;
  /**
   * Sends an envelope. Resolves once the mailbox has it on its disk.
   *
   * @throws {AlknetError} `MAILBOX_…`, and what dialling throws.
   */
  send(to: Address, envelope: Uint8Array, options: Stop): Promise<void>;
  /** The body of BUNDLE. Throws as {@linkcode send} does. */
  takeBundle(to: Address, options: Stop): Promise<Uint8Array>;
  /**
   * What lies in queues, oldest first, until they are empty. An item that is not acknowledged ends its queue. Throws as
   * {@linkcode send} does.
   */
  receive(from: readonly Address[], options: Stop): AsyncIterable<Arrival>;
  /**
   * What lies in a queue and what comes into it, oldest first, until another reader of the queue takes over. Absent: it cannot
   * be listened, only looked. Throws as {@linkcode send} does.
   */
  listen?(from: Address, options: Stop): AsyncIterable<Arrival>;
}

/** A queue to be made. */
export interface NewQueue {
  /** The reader's id. */
  readonly rid: Uint8Array;
  /** The senders' id. */
  readonly sid: Uint8Array;
  /** H of the capability to read. */
  readonly rcap: Uint8Array;
  /** H of the capability to send. */
  readonly scap: Uint8Array;
  /** 1: a token names it. */
  readonly kind: 0 | 1;
}

/** Makes queues and leaves keys in them. All of it throws as {@linkcode Carrier.send} does. */
export interface Mailboxes {
  /** Makes a queue; one that is there already and is the same will do. */
  create(mailbox: string, queue: NewQueue, options: Stop): Promise<void>;
  /** Takes a queue away. */
  drop(from: Address, options: Stop): Promise<void>;
  /** Leaves keys. Resolves to how many for one use are there. */
  publish(
    from: Address,
    published: {
      readonly bundle?: Uint8Array;
      readonly keys: readonly { readonly id: number; readonly key: Uint8Array }[];
    },
    options: Stop,
  ): Promise<number>;
}

/** Dials a mailbox; `anonymous` with a key made for this connection alone, else as the node. */
export type Dial = (
  address: string,
  alpn: string,
  options: Stop & { readonly anonymous: boolean },
) => Promise<Connection>;

/** Keeps files that are too large for messages, sealed, and gets those of others. */
export interface Blobs {
  /**
   * Keeps sealed bytes.
   *
   * @returns Their name, 64 hex digits, and who has them, for those who get them.
   */
  put(
    sealed: ReadableStream<Uint8Array<ArrayBuffer>>,
    options: Stop,
  ): Promise<{ readonly hash: string; readonly ticket?: string }>;
  /** Sealed bytes, of so many; nobody believes them before they are opened. */
  get(
    hash: string,
    options: Stop & { readonly ticket?: string; readonly length: number },
  ): ReadableStream<Uint8Array>;
}
