/**
 * Where clients of MCP look for a server that logs them in (MCP 2025-11-25, Authorization; RFC 8414, RFC 9728). There is none
 * here: tokens are made by the node's owner. A client that is sent elsewhere from these paths would try to log in there.
 *
 * @module
 */

/** Well-known names, alone or before or behind a path, and what clients of MCP 2025-03-26 try without metadata. */
const AUTHORIZATION =
  /(?:^|\/)\.well-known\/(?:oauth-protected-resource|oauth-authorization-server|openid-configuration)(?:\/|$)|^\/(?:register|authorize|token)$/;

/** Whether a path is one of them; they are answered `404`, whatever other paths are. */
export function isAuthorizationPath(path: string): boolean {
  return AUTHORIZATION.test(path);
}
