/**
 * Who sends a request of git's over HTTP: a bearer token, or a token in Basic credentials as git's own helpers send them
 * (RFC 7617), else whom the connection's certificate names.
 *
 * @module
 */
import type { HandlerContext, Identity } from "@alknet/core/handler";

/** What is known of whoever sent a request. */
export interface HttpCaller {
  /** Who it is; absent for the anonymous. */
  readonly identity?: Identity;
  /** It showed a token that is nobody's. */
  readonly wrong: boolean;
  /** Its address has shown too many such tokens, so this one was not looked at. */
  readonly refused: boolean;
}

const BEARER = /^bearer ([A-Za-z0-9._~+/-]+=*)$/i;
const BASIC = /^basic ([A-Za-z0-9+/]+=*)$/i;

/** Resolves who sent a request. A wrong token counts against the address. */
export function httpCaller(
  headers: Headers,
  { peer, context }: { readonly peer: { readonly identity?: Identity }; readonly context: HandlerContext },
): HttpCaller {
  const authorization = headers.get("authorization");
  // A browser shows its certificate for any page that asks: git does not say what site asks.
  if (authorization === null) {
    return { identity: headers.has("sec-fetch-site") ? undefined : peer.identity, wrong: false, refused: false };
  }
  if (context.authenticationRefused()) return { wrong: false, refused: true };
  const token = BEARER.exec(authorization)?.[1] ?? basicToken(BASIC.exec(authorization)?.[1]);
  const identity = token === undefined ? undefined : context.identityProvider.resolveToken(token);
  if (identity) context.authenticated();
  else context.authenticationFailed();
  return { identity, wrong: identity === undefined, refused: false };
}

/** The password, or the user where the password says so or is empty. */
function basicToken(encoded: string | undefined): string | undefined {
  if (encoded === undefined) return undefined;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.fromBase64(encoded));
  } catch {
    return undefined;
  }
  const at = text.indexOf(":");
  if (at < 0) return undefined;
  const [user, password] = [text.slice(0, at), text.slice(at + 1)];
  return password === "" || password === "x-oauth-basic" ? user : password;
}
