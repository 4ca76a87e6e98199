/**
 * Who a request comes from: its bearer token (RFC 6750 §2.1) where it has one, else the connection's certificate.
 *
 * Tokens are taken from `Authorization` alone: a query, a cookie or a body would end up in logs and other people's pages.
 *
 * @module
 */
import type { HandlerContext, Identity } from "@alknet/core/handler";
import type { RequestPeer } from "./peer.ts";

/** What is known of whoever sent a request. */
export interface Caller {
  /** Who it is; absent for the anonymous. */
  readonly identity: Identity | undefined;
  /** It showed a bearer token that is nobody's, or is none: `401`, so that a client logs in again instead of seeing less. */
  readonly unknownToken: boolean;
  /** Its address has shown too many such tokens, so this one was not looked at: `429`. */
  readonly refused: boolean;
}

/** One space, then the alphabet of RFC 6750. Several headers arrive joined by a comma, which is not in it. */
const BEARER = /^bearer ([A-Za-z0-9._~+/-]+=*)$/i;
/** Whether a bearer token is meant, alone or among others. Whoever means another scheme is anonymous. */
const BEARER_SCHEME = /(?:^|,)\s*bearer(?:[\s,]|$)/i;

const ANONYMOUS: Caller = Object.freeze({ identity: undefined, unknownToken: false, refused: false });
const MALFORMED: Caller = Object.freeze({ identity: undefined, unknownToken: true, refused: false });

/** Resolves who sent a request. A failed token counts against the address. */
export function callerOf(headers: Headers, { identity }: RequestPeer, context: HandlerContext): Caller {
  const authorization = headers.get("authorization");
  if (authorization === null) {
    return identity && !isOfForeignPage(headers) ? { identity, unknownToken: false, refused: false } : ANONYMOUS;
  }
  if (context.authenticationRefused()) return { identity: undefined, unknownToken: false, refused: true };
  const token = BEARER.exec(authorization)?.[1];
  if (token !== undefined) return callerWithToken(token, context);
  return BEARER_SCHEME.test(authorization) ? MALFORMED : ANONYMOUS;
}

/** Resolves a token that came by another way than the header. */
export function callerWithToken(token: string, context: HandlerContext): Caller {
  const identity = context.identityProvider.resolveToken(token);
  if (identity) {
    context.authenticated();
    return { identity, unknownToken: false, refused: false };
  }
  context.authenticationFailed();
  return { identity: undefined, unknownToken: true, refused: false };
}

/**
 * Whether a browser says that a page of another site or origin made the request (Fetch Metadata). A browser shows its
 * certificate for any page that asks; whoever wrote the page has not shown it, and only a token says that they may act.
 */
function isOfForeignPage(headers: Headers): boolean {
  const site = headers.get("sec-fetch-site");
  return site === "cross-site" || site === "same-site";
}
