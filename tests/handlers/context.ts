/**
 * What tests give a handler in the place of an endpoint.
 *
 * @module
 */
import { DEFAULT_LIMITS, type HandlerContext, logger } from "@alknet/core/handler";

/** What an endpoint would give a handler. */
export function contextOf(signal: AbortSignal): HandlerContext {
  return {
    signal,
    identityProvider: { resolveFingerprint: () => undefined, resolveToken: () => undefined },
    log: logger("test"),
    limits: DEFAULT_LIMITS,
    authenticationFailed: () => false,
    authenticationRefused: () => false,
    authenticated: () => {},
  };
}
