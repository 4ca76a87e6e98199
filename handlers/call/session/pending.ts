/**
 * What waits for answers: calls, and subscriptions with the values that their loops have not taken (call.md §14).
 *
 * @module
 */
import { CallError, type JsonValue, SubscriptionQueue } from "@alknet/core/operations";
import type { Lane } from "../carriers/lane.ts";

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

/** A subscription over a lane. */
export class PendingSubscription extends SubscriptionQueue implements Pending {
  lane: Lane | undefined;
}
