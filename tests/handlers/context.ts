/**
 * What tests give a handler in the place of an endpoint.
 *
 * @module
 */
import { DEFAULT_LIMITS, type HandlerContext, type IdentityProvider, logger } from "@alknet/core/handler";

const NOBODY: IdentityProvider = { resolveFingerprint: () => undefined, resolveToken: () => undefined };

/** What an endpoint would give a handler. */
export function contextOf(signal: AbortSignal, identityProvider: IdentityProvider = NOBODY): HandlerContext {
  return {
    signal,
    identityProvider,
    log: logger("test"),
    limits: DEFAULT_LIMITS,
    authenticationFailed: () => false,
    authenticationRefused: () => false,
    authenticated: () => {},
  };
}
