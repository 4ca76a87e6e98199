/**
 * One connection to an upstream, whatever is spoken on it.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import type { Message } from "../../codec/types.ts";

/** Something that questions go over, many at a time. */
export interface Link {
  /** Resolves when nothing more goes over it, for whatever reason. Never rejects. */
  readonly ended: Promise<void>;
  /**
   * Asks; the id is this link's business, and that of the answer the query's.
   *
   * @param signal Ends the wait, with its reason; the link goes on.
   * @throws {AlknetError} `DNS_LINK`: it ended; `DNS_MALFORMED`, `DNS_UPSTREAM`: the answer cannot be read, or is none.
   */
  ask(query: Message, signal: AbortSignal): Promise<Message>;
  /** Ends it; what runs is rejected. */
  close(): void;
}

/** A link ended with questions on it. */
export function linkEnded(cause?: unknown): AlknetError {
  return new AlknetError("DNS_LINK", "the connection to an upstream ended", { cause });
}

/** The reason of a signal that aborts first, for what cannot be stopped itself. */
export async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
