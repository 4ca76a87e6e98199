/**
 * What waits for answers: calls, and subscriptions with the values that their loops have not taken (call.md §14).
 *
 * @module
 */
import type { Subscription } from "./call_peer.ts";
import { CallError } from "./errors.ts";
import type { JsonValue } from "./json.ts";
import type { Lane } from "./lane.ts";
import { OWN_BUFFER, SHARED_BUFFER, SHARED_BUFFER_BYTES } from "./limits.ts";

/** A request of ours that has no terminal answer yet. */
export interface Pending {
  /** The lane on which it was written, once it was. */
  lane: Lane | undefined;
  /** Whether nobody shares the lane. */
  own: boolean;
  /** A value came. With a promise, the lane is not read until it settles. `"done"` ends the request. */
  responded(output: JsonValue, bytes: number): "done" | "overflow" | undefined | Promise<void>;
  /** The other end says that nothing more comes. */
  completed(): void;
  /** It failed, there or here. */
  failed(error: unknown): void;
}

/** A call: the first answer is the only one. */
export class PendingCall implements Pending {
  lane: Lane | undefined;
  own = false;
  /** Settles with the answer. */
  readonly answer: Promise<JsonValue>;
  #resolve!: (output: JsonValue) => void;
  #reject!: (error: unknown) => void;

  constructor() {
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  responded(output: JsonValue): "done" {
    this.#resolve(output);
    return "done";
  }

  completed(): void {
    this.#reject(new CallError("INTERNAL", "the operation completed without an answer"));
  }

  failed(error: unknown): void {
    this.#reject(error);
  }
}

/** What a subscription asks of the connection. */
export interface SubscriptionPort {
  /** Sends the request. */
  begin(pending: Pending): void;
  /** The loop was left: abort what still runs. */
  leave(pending: Pending): void;
}

interface Waiter {
  resolve(result: IteratorResult<JsonValue, void>): void;
  reject(error: unknown): void;
}

const END: IteratorResult<JsonValue, void> = { done: true, value: undefined };

/** A subscription: values wait in order until the loop takes them. */
export class PendingSubscription implements Pending, Subscription {
  lane: Lane | undefined;
  own = false;
  readonly #port: SubscriptionPort;
  /** Values not yet taken, from `#head` on, and the bytes of their bodies. */
  #values: { readonly output: JsonValue; readonly bytes: number }[] = [];
  #head = 0;
  #bytes = 0;
  #waiters: Waiter[] = [];
  #state: "new" | "open" | "ended" = "new";
  #error: { readonly cause: unknown } | undefined;
  #room: PromiseWithResolvers<void> | undefined;

  /** @param port Sends the request when the first value is asked for. */
  constructor(port: SubscriptionPort) {
    this.#port = port;
  }

  next(): Promise<IteratorResult<JsonValue, void>> {
    if (this.#state === "new") {
      this.#state = "open";
      this.#port.begin(this);
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

  return(): Promise<IteratorResult<JsonValue, void>> {
    const open = this.#state === "open";
    this.#values = [];
    this.#head = 0;
    this.#error = undefined;
    this.#end();
    if (open) this.#port.leave(this);
    return Promise.resolve(END);
  }

  async throw(error: unknown): Promise<IteratorResult<JsonValue, void>> {
    await this.return();
    throw error;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

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

  completed(): void {
    this.#end();
  }

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
