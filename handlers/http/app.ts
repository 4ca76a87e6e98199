/**
 * The routes: fixed paths first, then those of the deployment, then the direct surface, then the decoy (http.md §3).
 *
 * @module
 */
import { foreign } from "@alknet/core/handler";
import type { Dispatcher } from "@alknet/core/operations";
import type { CallPeer } from "./websocket/websocket.ts";
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import type { HttpApp, HttpEnv } from "./request/env.ts";
import { rawPath } from "./request/raw_path.ts";
import { addConsole } from "./console/route.ts";
import { allowOrigin, preflightAnswer } from "./request/cors.ts";
import { type Decoy, notFoundResponse } from "./decoy/decoy.ts";
import { answerDirectly } from "./surface/direct.ts";
import { notAllowed } from "./answers/negotiation.ts";
import { addGateway } from "./surface/gateway.ts";
import type { HttpLimits } from "./limits.ts";
import { isAuthorizationPath } from "./mcp/authorization.ts";
import { addMcp } from "./mcp/route.ts";
import { GATEWAY_DOCUMENT } from "./surface/openapi_document.ts";
import { answerUpgrade, WEBSOCKET_PATH } from "./websocket/websocket.ts";

/** What the application is built of. */
export interface AppOptions {
  /** Answers what nothing else claims. */
  readonly decoy: Decoy;
  /** The operations; without it there are no API paths. */
  readonly dispatcher: Dispatcher | undefined;
  /** Whether operations are served at their own paths. */
  readonly direct: boolean;
  /** Whether clients of MCP are served. */
  readonly mcp: boolean;
  /** Whether there is a page for people at `/`. */
  readonly console: boolean;
  /** Origins whose pages may ask. */
  readonly origins: ReadonlySet<string>;
  /** Told of every WebSocket that carries calls. */
  readonly onConnection: ((peer: CallPeer) => void) | undefined;
  /** Adds the deployment's routes. */
  readonly routes: ((app: HttpApp) => void) | undefined;
  /** Sizes to hold. */
  readonly limits: HttpLimits;
}

/** Builds the application once; every conversation shares it. */
export function buildApp(options: AppOptions): HttpApp {
  const { decoy, dispatcher, direct, mcp, origins, routes, limits } = options;
  const app: HttpApp = new Hono<HttpEnv>({ getPath: ({ url }) => rawPath(url) });
  app.onError(answerError);
  if (origins.size > 0) {
    app.use((c, next) => {
      const preflight = preflightAnswer(c.req.raw, origins);
      return preflight ? Promise.resolve(preflight) : next();
    });
  }
  app.get("/healthz", () => new Response("ok", { headers: { "content-type": "text/plain" } }));
  app.all("/healthz", () => notAllowed(["GET", "HEAD"]));
  if (dispatcher) addApi(app, dispatcher, options);
  // Without an upgrade the path is nobody's, whatever operations there are.
  if (dispatcher) app.all(WEBSOCKET_PATH, (c) => answerUpgrade(c, { ...options, dispatcher }) ?? decoy(c.req.raw));
  if (dispatcher && mcp) addMcp(app, { dispatcher, limits, origins });
  if (dispatcher && options.console) addConsole(app);
  routes?.(app);
  app.notFound((c) => {
    const answer = direct && dispatcher ? answerDirectly(c.req.raw, c.env, dispatcher, limits) : undefined;
    if (!answer) return mcp && isAuthorizationPath(c.req.path) ? notFoundResponse(c.req.method) : decoy(c.req.raw);
    return origins.size > 0 ? allowed(c.req.raw, answer, origins) : answer;
  });
  return app;
}

function addApi(app: HttpApp, dispatcher: Dispatcher, { origins, limits }: AppOptions): void {
  if (origins.size > 0) {
    for (const path of ["/search", "/schema", "/call", "/batch", "/subscribe", "/openapi.json"]) {
      app.use(path, async (c, next) => {
        await next();
        allowOrigin(c.req.raw, c.res, origins);
      });
    }
  }
  const document = { "content-type": "application/json", "x-content-type-options": "nosniff" };
  app.get("/openapi.json", () => new Response(GATEWAY_DOCUMENT, { headers: document }));
  app.all("/openapi.json", () => notAllowed(["GET", "HEAD"]));
  addGateway(app, dispatcher, limits);
}

async function allowed(
  request: Request,
  answer: Response | Promise<Response>,
  origins: ReadonlySet<string>,
): Promise<Response> {
  return allowOrigin(request, await answer, origins);
}

/** The client learns that something failed; the log learns what. */
function answerError(error: Error, c: Context<HttpEnv>): Response {
  if (error instanceof HTTPException) return error.getResponse();
  c.env.context.log.warn("request failed: {error}", { error: foreign(`${error.name}: ${error.message}`) });
  return new Response(null, { status: 500 });
}
