/**
 * The routes: fixed paths first, then those of the deployment, then the decoy.
 *
 * @module
 */
import { foreign, type HandlerContext, type Identity, type SocketAddress } from "@alknet/core/handler";
import { type Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Decoy } from "./decoy.ts";

/** Who sent a request: `c.env.peer` in a route. */
export interface RequestPeer {
  /** Id of the connection that carried it, as in logs. */
  readonly connectionId: string;
  /** The client's address. */
  readonly remoteAddress: SocketAddress;
  /** Who the connection belongs to, where the client's certificate said so. */
  readonly identity: Identity | undefined;
  /** `h2`, `http/1.1` or `alknet/http`. */
  readonly alpn: string;
}

/** What routes find on Hono's context. */
export interface HttpEnv {
  /** `c.env`. */
  Bindings: {
    /** Who sent the request. */
    readonly peer: RequestPeer;
    /** What the endpoint gave the handler: identity provider, limits, logger, shutdown signal. */
    readonly context: HandlerContext;
  };
}

/** The Hono application to which a deployment adds its routes. */
export type HttpApp = Hono<HttpEnv>;

/** Builds the application once; every conversation shares it. */
export function buildApp(decoy: Decoy, routes?: (app: HttpApp) => void): HttpApp {
  const app: HttpApp = new Hono<HttpEnv>();
  app.onError(answerError);
  app.get("/healthz", () => new Response("ok", { headers: { "content-type": "text/plain" } }));
  app.all("/healthz", () => new Response(null, { status: 405, headers: { allow: "GET, HEAD" } }));
  routes?.(app);
  app.notFound((c) => decoy(c.req.raw));
  return app;
}

/** The client learns that something failed; the log learns what. */
function answerError(error: Error, c: Context<HttpEnv>): Response {
  if (error instanceof HTTPException) return error.getResponse();
  c.env.context.log.warn("request failed: {error}", { error: foreign(`${error.name}: ${error.message}`) });
  return new Response(null, { status: 500 });
}
