/**
 * Subscriptions: values wait in order between who produces them and the loop that takes them (call.md §14).
 *
 * @module
 */
import type { JsonValue } from "../values/json.ts";
import { OWN_BUFFER, SHARED_BUFFER, SHARED_BUFFER_BYTES } from "../values/limits.ts";

/** The values of a subscription, in order. Leaving the loop aborts it; a failure is thrown from the loop. */
export type Subscription<Output = JsonValue> = AsyncIterableIterator<Output, void, void>;

/** What a subscription asks of its source. */
export interface SubscriptionSource {
  /** The first value is asked for. */
  begin(): void;
  /** The loop was left: abort what still runs. */
  leave(): void;
}

interface Waiter {
  resolve(result: IteratorResult<JsonValue, void>): void;
  reject(error: unknown): void;
}

const END: IteratorResult<JsonValue, void> = { done: true, value: undefined };

/** A subscription: values wait in order until the loop takes them. */
export class SubscriptionQueue implements Subscription {
  /** Whether the source is held back rather than the subscription failed, when the loop is slow. */
  own = false;
  readonly #source: SubscriptionSource;
  /** Values not yet taken, from `#head` on, and the bytes of their bodies. */
  #values: { readonly output: JsonValue; readonly bytes: number }[] = [];
  #head = 0;
  #bytes = 0;
  #waiters: Waiter[] = [];
  #state: "new" | "open" | "ended" = "new";
  #error: { readonly cause: unknown } | undefined;
  #room: PromiseWithResolvers<void> | undefined;

  /**
   * A subscription that has not begun.
   *
   * @param source Begins when the first value is asked for.
   */
  constructor(source: SubscriptionSource) {
    this.#source = source;
  }

  /** The next value, once there is one. */
  next(): Promise<IteratorResult<JsonValue, void>> {
    if (this.#state === "new") {
      this.#state = "open";
      this.#source.begin();
    }
    if (this.#head < this.#values.length) return Promise.resolve({ done: false, value: this.#take() });
    if (this.#error) {
      const { cause } = this.#error;
      this.#error = undefined;
      return Promise.reject(cause);
    }
    if (this.#state === "ended") return Promise.resolve(END);
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** The loop was left: nothing more is taken, and what runs is told. */
  return(): Promise<IteratorResult<JsonValue, void>> {
    const open = this.#state === "open";
    this.#values = [];
    this.#head = 0;
    this.#error = undefined;
    this.#end();
    if (open) this.#source.leave();
    return Promise.resolve(END);
  }

  /** As {@linkcode SubscriptionQueue.return}, and rejects. */
  async throw(error: unknown): Promise<IteratorResult<JsonValue, void>> {
    await this.return();
    throw error;
  }

  /** Itself: one loop takes its values. */
  [Symbol.asyncIterator](): this {
    return this;
  }

  /** A value came. With a promise, the source waits until it settles. */
  responded(output: JsonValue, bytes: number): "overflow" | undefined | Promise<void> {
    const waiter = this.#waiters.shift();
    if (waiter) {
      waiter.resolve({ done: false, value: output });
      return;
    }
    this.#values.push({ output, bytes });
    this.#bytes += bytes;
    const waiting = this.#values.length - this.#head;
    if (this.own) return waiting < OWN_BUFFER ? undefined : (this.#room ??= Promise.withResolvers()).promise;
    return waiting > SHARED_BUFFER || this.#bytes > SHARED_BUFFER_BYTES ? "overflow" : undefined;
  }

  /** Nothing more comes. */
  completed(): void {
    this.#end();
  }

  /** It failed: the loop throws once it has taken what came before. */
  failed(error: unknown): void {
    if (this.#state === "ended") return;
    const waiter = this.#waiters.shift();
    if (!waiter) this.#error = { cause: error };
    this.#end();
    waiter?.reject(error);
  }

  #take(): JsonValue {
    const { output, bytes } = this.#values[this.#head];
    this.#values[this.#head++] = undefined!;
    this.#bytes -= bytes;
    if (this.#head === this.#values.length) {
      this.#values = [];
      this.#head = 0;
    } else if (this.#head >= SHARED_BUFFER) {
      this.#values.splice(0, this.#head);
      this.#head = 0;
    }
    if (this.#values.length - this.#head <= OWN_BUFFER / 2) this.#makeRoom();
    return output;
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  #end(): void {
    this.#state = "ended";
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) waiter.resolve(END);
    this.#makeRoom();
  }
}
