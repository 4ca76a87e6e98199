/**
 * Signals of the operator.
 *
 * @module
 */

/** Why the operator wants the command to end. */
export type StopSignal = "SIGINT" | "SIGTERM";

/** Waits for the operator's signals until it is disposed of. */
export class StopSignals implements Disposable {
  /** The first signal. */
  readonly first: Promise<StopSignal>;
  /** The second one: the operator has waited enough. */
  readonly second: Promise<StopSignal>;
  readonly #listeners: [Deno.Signal, () => void][] = [];

  constructor() {
    const waiting = [Promise.withResolvers<StopSignal>(), Promise.withResolvers<StopSignal>()];
    this.first = waiting[0].promise;
    this.second = waiting[1].promise;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      listen(this.#listeners, signal, () => waiting.shift()?.resolve(signal));
    }
  }

  [Symbol.dispose](): void {
    for (const [signal, listener] of this.#listeners.splice(0)) Deno.removeSignalListener(signal, listener);
  }
}

/** Calls `then` on every SIGHUP until it is disposed of. */
export function onHangup(then: () => void): Disposable {
  const listeners: [Deno.Signal, () => void][] = [];
  listen(listeners, "SIGHUP", then);
  return {
    [Symbol.dispose]() {
      for (const [signal, listener] of listeners.splice(0)) Deno.removeSignalListener(signal, listener);
    },
  };
}

function listen(listeners: [Deno.Signal, () => void][], signal: Deno.Signal, listener: () => void): void {
  try {
    Deno.addSignalListener(signal, listener);
    listeners.push([signal, listener]);
  } catch { /* Windows has SIGINT and SIGBREAK alone */ }
}
