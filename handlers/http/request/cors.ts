/**
 * Pages of other origins (Fetch, CORS protocol): none, unless the deployment names theirs.
 *
 * @module
 */
import { MCP_PATH, rawPath } from "./raw_path.ts";

const ALLOWED: Readonly<Record<string, string>> = {
  "access-control-allow-headers":
    "Authorization, Content-Type, Accept, Mcp-Session-Id, Mcp-Protocol-Version, Last-Event-ID",
  "access-control-expose-headers": "Mcp-Session-Id, X-Request-Id, Retry-After, WWW-Authenticate",
};

/**
 * The origins that a deployment names, as browsers write them.
 *
 * @throws {TypeError} One of them is no origin.
 */
export function originList(origins: readonly string[]): ReadonlySet<string> {
  for (const origin of origins) {
    if (URL.parse(origin)?.origin !== origin) {
      throw new TypeError(
        `origin ${JSON.stringify(origin)} is none; write scheme, host and port, as in "https://example.org"`,
      );
    }
  }
  return new Set(origins);
}

/** The answer to a page's question whether it may ask, if it may. It does not depend on the path, and so tells nothing. */
export function preflightAnswer(request: Request, origins: ReadonlySet<string>): Response | undefined {
  if (request.method !== "OPTIONS" || !request.headers.has("access-control-request-method")) return;
  return origins.has(request.headers.get("origin") ?? "")
    ? allowOrigin(request, new Response(null, { status: 204 }), origins)
    : undefined;
}

/** Lets the page of a named origin read an answer. */
export function allowOrigin(request: Request, response: Response, origins: ReadonlySet<string>): Response {
  const origin = request.headers.get("origin");
  response.headers.append("vary", "Origin");
  if (origin === null || !origins.has(origin)) return response;
  for (const [name, value] of Object.entries(ALLOWED)) response.headers.set(name, value);
  // DELETE ends an MCP session.
  const methods = rawPath(request.url) === MCP_PATH ? "GET, POST, DELETE" : "GET, POST";
  response.headers.set("access-control-allow-methods", methods);
  response.headers.set("access-control-allow-origin", origin);
  return response;
}
