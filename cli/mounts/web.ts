/**
 * Blobs and branches among the routes of the HTTP handler.
 *
 * @module
 */
import { type FsWeb, isFsPath } from "@alknet/handlers/fs";
import type { HttpApp } from "@alknet/handlers/http";

/** Adds the routes; whoever shows a token that is nobody's is told so, rather than shown less. */
export function addFiles(app: HttpApp, web: FsWeb): void {
  app.use(async (c, next) => {
    if (!isFsPath(c.req.raw.url)) return await next();
    const { identity, refused, unknownToken } = c.env.caller;
    if (refused) return said("too many wrong tokens", 429, { "retry-after": "60" });
    if (unknownToken) return said("no such token", 401, { "www-authenticate": 'Bearer error="invalid_token"' });
    return await web(c.req.raw, { identity }) ?? await next();
  });
}

function said(what: string, status: number, headers: Record<string, string>): Response {
  return new Response(`${what}\n`, { status, headers: { "content-type": "text/plain", ...headers } });
}
