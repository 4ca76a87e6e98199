/**
 * Who listens to which queue: items go out as they come, at most a window of them unacknowledged (msg.md §4, SUB).
 *
 * @module
 */
import type { Item, MailboxStore } from "./mailbox_store.ts";

/** Where what a subscription gives goes to. */
export interface Outlet {
  /** Gives an item. Resolves once the peer has room for more; `false`: the connection is over. */
  item(id: number, rid: Uint8Array, item: Item): Promise<boolean>;
  /** The subscription has ended, and not because its stream did. */
  ended(id: number): void;
}

/** One that listens to a queue. Of what waits for a slow one nothing is in memory but the item that is on its way. */
export class Subscription {
  /** Which queue. */
  readonly rid: Uint8Array;
  /** The request that it answers. */
  readonly id: number;
  readonly #window: number;
  readonly #outlet: Outlet;
  /** The last that was given. */
  #last = 0n;
  /** What was given and is not acknowledged; nothing where that is nothing, as with most. */
  #given?: Set<bigint>;
  #state: "waiting" | "idle" | "giving" | "over" = "waiting";

  /** A queue, the request, how many may be unacknowledged, and where items go to. */
  constructor(rid: Uint8Array, id: number, window: number, outlet: Outlet) {
    this.rid = rid;
    this.id = id;
    this.#window = window;
    this.#outlet = outlet;
  }

  /** Begins: the request was answered. */
  start(store: MailboxStore): void {
    if (this.#state === "waiting") this.#state = "idle";
    this.more(store);
  }

  /** Gives what there is and fits the window. */
  more(store: MailboxStore): void {
    if (this.#state !== "idle") return;
    this.#state = "giving";
    // Where the store fails, whoever listens has to ask again, and is told why.
    this.#give(store).catch(() => this.end(true));
  }

  async #give(store: MailboxStore): Promise<void> {
    while (this.#isGiving() && (this.#given?.size ?? 0) < this.#window) {
      const [item] = store.after(this.rid, this.#last, 1);
      if (!item) break;
      this.#last = item.seq;
      (this.#given ??= new Set()).add(item.seq);
      if (!await this.#outlet.item(this.id, this.rid, item)) break;
    }
    if (this.#isGiving()) this.#state = "idle";
  }

  /** An item is not in the queue any more. */
  gone(seq: bigint, store: MailboxStore): void {
    if (!this.#given?.delete(seq)) return;
    if (this.#given.size === 0) this.#given = undefined;
    this.more(store);
  }

  /** Items may have gone without anybody saying which. */
  swept(store: MailboxStore): void {
    if (!this.#given) return;
    const first = store.after(this.rid, 0n, 1)[0]?.seq;
    for (const seq of [...this.#given]) if (first === undefined || seq < first) this.gone(seq, store);
  }

  /** Ends it; its peer is told, where its stream goes on. */
  end(isTold: boolean): void {
    if (this.#state === "over") return;
    this.#state = "over";
    if (isTold) this.#outlet.ended(this.id);
  }

  #isGiving(): boolean {
    return this.#state === "giving";
  }
}

/** The subscriptions of a mailbox: one a queue, of all connections. */
export class Subscriptions {
  readonly #store: MailboxStore;
  readonly #byQueue = new Map<string, Subscription>();
  readonly #watchers = new Map<string, Set<() => void>>();

  /** Those to the queues of a store. */
  constructor(store: MailboxStore) {
    this.#store = store;
  }

  /** How many there are. */
  get size(): number {
    return this.#byQueue.size;
  }

  /** A new one, which takes over from the one before. */
  put(subscription: Subscription): void {
    const key = subscription.rid.toHex();
    this.#byQueue.get(key)?.end(true);
    this.#byQueue.set(key, subscription);
  }

  /** One is over: its stream is. */
  delete(subscription: Subscription): void {
    subscription.end(false);
    const key = subscription.rid.toHex();
    if (this.#byQueue.get(key) === subscription) this.#byQueue.delete(key);
  }

  /** Something was put into a queue. */
  stored(rid: Uint8Array): void {
    const key = rid.toHex();
    this.#byQueue.get(key)?.more(this.#store);
    this.#changed(key);
  }

  /** An item was taken out of a queue. */
  acknowledged(rid: Uint8Array, seq: bigint): void {
    const key = rid.toHex();
    this.#byQueue.get(key)?.gone(seq, this.#store);
    this.#changed(key);
  }

  /** A queue is no more. */
  dropped(rid: Uint8Array): void {
    const key = rid.toHex();
    this.#byQueue.get(key)?.end(true);
    this.#byQueue.delete(key);
    this.#changed(key);
  }

  /** What was old is gone. */
  swept(): void {
    for (const subscription of this.#byQueue.values()) subscription.swept(this.#store);
    for (const key of this.#watchers.keys()) this.#changed(key);
  }

  /** Queues that somebody listens to: their readers are there. */
  queues(): Uint8Array[] {
    return Array.from(this.#byQueue.values(), ({ rid }) => rid);
  }

  /** Calls `then` whenever the number of items of a queue may have changed, until what it returns is called. */
  watch(rid: Uint8Array, then: () => void): () => void {
    const key = rid.toHex();
    const there = this.#watchers.get(key) ?? new Set();
    this.#watchers.set(key, there.add(then));
    return () => {
      there.delete(then);
      if (there.size === 0 && this.#watchers.get(key) === there) this.#watchers.delete(key);
    };
  }

  #changed(key: string): void {
    for (const then of this.#watchers.get(key) ?? []) then();
  }
}
