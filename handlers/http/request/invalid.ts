/**
 * What a request that cannot be understood is refused with.
 *
 * @module
 */
import { CallError } from "@alknet/core/operations";

/** A failure that the request itself explains. */
export function invalid(message: string): CallError {
  return new CallError("INVALID_INPUT", message);
}
