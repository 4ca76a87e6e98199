/**
 * Keeps a node running when a handler forgets a promise that rejects: what nobody waits for is logged, and costs nobody else
 * anything.
 *
 * @module
 */
import { foreign, type Logger } from "@alknet/core/handler";

/** Logs rejections that nobody handled, until it is disposed of; without it the first one would end the process. */
export function logStrayRejections(log: Logger): Disposable {
  const listener = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    const { reason } = event;
    log.error("a promise was rejected that nobody waits for: {error}", {
      error: foreign(reason instanceof Error ? `${reason.name}: ${reason.message}` : String(reason)),
    });
  };
  addEventListener("unhandledrejection", listener);
  return { [Symbol.dispose]: () => removeEventListener("unhandledrejection", listener) };
}
