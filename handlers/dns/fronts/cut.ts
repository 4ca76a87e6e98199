/**
 * The end of a stream that does not end in peace.
 *
 * @module
 */
import { type BidiStream, ConnectionClosedError, StreamClosedError } from "@alknet/core/handler";
import type { DoqCode } from "../codes.ts";

/** Cuts both directions; one that has ended stays as it is. */
export function cut(stream: BidiStream, code: DoqCode): void {
  stream.reset(code);
  stream.stop(code);
}

/** Whether an error says no more than that the stream or its connection is over. */
export function isCancelled(error: unknown): boolean {
  return error instanceof StreamClosedError || error instanceof ConnectionClosedError;
}
