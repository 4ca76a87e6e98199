/**
 * What a mailbox keeps: the interface (msg.md §1, §4).
 *
 * @module
 */

/** A queue. Of the capabilities it has the hashes alone. */
export interface QueueRow {
  /** The reader's id of it, 24 bytes. */
  readonly rid: Uint8Array;
  /** The senders' id of it, 24 bytes. */
  readonly sid: Uint8Array;
  /** H of the capability to read. */
  readonly rcap: Uint8Array;
  /** H of the capability to send. */
  readonly scap: Uint8Array;
  /** 1: a token names it. */
  readonly kind: 0 | 1;
  /** Day of the reader's last frame. */
  readonly used: number;
}

/** What comes into a queue. */
export interface NewItem {
  /** 0 envelope, 1 reply. */
  readonly kind: 0 | 1;
  /** First 16 bytes of H(body). */
  readonly digest: Uint8Array;
  /** In days since 1970. */
  readonly day: number;
  /** As it came. */
  readonly body: Uint8Array;
}

/** What lies in a queue. */
export interface Item {
  /** Rises within the queue. */
  readonly seq: bigint;
  /** See {@linkcode NewItem}. */
  readonly kind: 0 | 1;
  /** As it came. */
  readonly body: Uint8Array;
}

/** Keys that a reader leaves for those who begin to write. */
export interface Published {
  /** Sealed; absent: as it was. */
  readonly bundle?: Uint8Array;
  /** Keys for one use; known ids are skipped. */
  readonly keys: readonly { readonly id: number; readonly key: Uint8Array }[];
}

/** How much lies in a mailbox. */
export interface Held {
  /** Queues. */
  queues: number;
  /** Items in all of them. */
  items: number;
  /** Bytes of all items. */
  bytes: number;
}

/** Keeps queues. Whatever is promised settles after the commit. */
export interface MailboxStore extends AsyncDisposable {
  /** How much lies in it. */
  readonly held: Readonly<Held>;
  /** Makes a queue. */
  create(queue: QueueRow): Promise<"created" | "same" | "conflict" | "full">;
  /** A queue by one of its ids. */
  find(by: "sid" | "rid", id: Uint8Array): QueueRow | undefined;
  /** Its reader was there on a day. */
  touch(rid: Uint8Array, day: number): Promise<void>;
  /** Puts an item into a queue; `same`: it lies there already. */
  append(rid: Uint8Array, item: NewItem): Promise<"stored" | "same" | "quota" | "full" | "gone">;
  /** Items behind a number, oldest first, at most so many; of those no longer than `most` bytes. */
  after(rid: Uint8Array, seq: bigint, count: number, most?: number): Item[];
  /** How many items lie in a queue. */
  waiting(rid: Uint8Array): number;
  /** Takes one item away. */
  ack(rid: Uint8Array, seq: bigint): Promise<void>;
  /** Takes a queue away, with all that is in it. */
  drop(rid: Uint8Array): Promise<void>;
  /** Takes away what is too old, some of it at a time. */
  sweep(day: number): Promise<void>;
  /** Puts keys. Resolves to how many for one use are there, or `quota` where that would be too many. */
  putPrekeys(rid: Uint8Array, published: Published): Promise<number | "quota">;
  /** The body of BUNDLE, whose key for one use is gone from now on; nothing where there is no bundle. */
  takePrekeys(rid: Uint8Array): Promise<Uint8Array | undefined>;
}
