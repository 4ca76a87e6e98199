/**
 * The path of MCP: streamable HTTP (MCP 2025-11-25, Transports; http.md §10).
 *
 * @module
 */
import { CallError } from "@alknet/core/operations";
import { credentialRefusal, errorAnswer } from "../answers/answers.ts";
import { allowOrigin } from "../request/cors.ts";
import { MCP_PATH } from "../request/raw_path.ts";
import type { McpSessions, McpSessionsOptions } from "./sessions.ts";
import { notAllowed } from "../answers/negotiation.ts";
import type { HttpApp } from "../request/env.ts";

/** Options of {@linkcode addMcp}. */
export interface McpRouteOptions extends McpSessionsOptions {
  /** Origins whose pages may ask, besides the server's own. */
  readonly origins: ReadonlySet<string>;
}

/** Adds the path, and `405` for methods that it does not have. */
export function addMcp(app: HttpApp, options: McpRouteOptions): void {
  const { origins } = options;
  let sessions: Promise<McpSessions> | undefined;
  app.on(["GET", "POST", "DELETE"], MCP_PATH, async (c) => {
    const { raw } = c.req;
    const { caller } = c.env;
    if (raw.method === "HEAD") return notAllowed(["GET", "POST", "DELETE"]);
    const refusal = credentialRefusal(caller);
    const origin = raw.headers.get("origin");
    const named = origin !== null && origins.has(origin);
    if (refusal) return named ? allowOrigin(raw, refusal, origins) : refusal;
    if (origin !== null && !named && origin !== `https://${URL.parse(raw.url)?.host}`) {
      return errorAnswer(new CallError("FORBIDDEN", "pages of this origin may not ask"), { caller, status: 403 });
    }
    const answer = await (await (sessions ??= load(options))).answer(raw, c.env);
    answer.headers.set("cache-control", "no-store");
    answer.headers.set("x-content-type-options", "nosniff");
    return named ? allowOrigin(raw, answer, origins) : answer;
  });
  app.all(MCP_PATH, () => notAllowed(["GET", "POST", "DELETE"]));
}

/** When the first client comes: the library is larger than the rest of the handler, and most nodes serve no such client. */
async function load(options: McpSessionsOptions): Promise<McpSessions> {
  const { McpSessions } = await import("./sessions.ts");
  return new McpSessions(options);
}
