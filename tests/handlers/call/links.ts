/**
 * Two ends in memory, the clock that both go by, and a handler that waits to be aborted.
 *
 * @module
 */
import { deepEqual } from "node:assert/strict";
import { memoryPair } from "@alknet/core/handler";
import {
  type Clock,
  Dispatcher,
  type DispatcherOptions,
  type HandlerRegistration,
  nodeRegistry,
} from "@alknet/core/operations";
import { CallConnection, type CallConnectionOptions } from "@alknet/handlers/call";
import { once } from "./fixtures.ts";

/** A clock that moves when told. */
export class HeldClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly due: number; readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { due: this.#now + milliseconds, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const [next] = [...this.#timers].filter(({ due }) => due <= end).sort((a, b) => a.due - b.due);
      if (!next) break;
      this.#timers.delete(next);
      this.#now = next.due;
      next.callback();
    }
    this.#now = end;
  }
}

/** Two ends in memory, of which the far one serves. Disposing holds that both tables are empty. */
export function linked(
  registrations: readonly HandlerRegistration[],
  options: Partial<DispatcherOptions> & CallConnectionOptions & { readonly singleStream?: boolean } = {},
): { near: CallConnection; far: CallConnection } & AsyncDisposable {
  const { singleStream, clock, ...rest } = options;
  const [dialled, accepted] = memoryPair("alknet/call", { singleStream });
  const dispatcher = new Dispatcher({ registry: nodeRegistry(registrations), clock, ...rest });
  const far = new CallConnection(accepted, { dispatcher, ...rest });
  const near = new CallConnection(dialled, { clock });
  return {
    near,
    far,
    async [Symbol.asyncDispose]() {
      await near.close();
      await far.closed;
      deepEqual([near.counts, far.counts], [{ inbound: 0, outgoing: 0 }, { inbound: 0, outgoing: 0 }]);
    },
  };
}

/** A handler that waits until it is aborted, and says when it began and ended. */
export function waiting(name: string) {
  const began = Promise.withResolvers<string>();
  const aborted = Promise.withResolvers<void>();
  const registration = once(name, async (_input, { signal, requestId }) => {
    began.resolve(requestId);
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    aborted.resolve();
    return null;
  });
  return { registration, began: began.promise, aborted: aborted.promise };
}
