/**
 * HTTP: what browsers, curl and scanners get from an endpoint, and the operations of the node as HTTP shows them.
 *
 * Participants: any HTTP client, over TCP and TLS (`h2`, `http/1.1`) or over a stream of `alknet/http`, where each stream
 * is one conversation in HTTP/1.1 or h2, told apart by the h2 preface. A bearer token says who asks; nobody needs one.
 * Goals: a projection of the operations that holds no rules of its own (gateway, direct paths, event streams, one
 * OpenAPI document, WebSockets that carry calls both ways); `GET /healthz`; routes of a deployment's own; for everything
 * else a decoy that looks like an ordinary web server. Non-goals: h3, WebTransport, tokens anywhere but in a header.
 * Messages: see {@linkcode HttpOptions}. Errors are JSON, `{ code, message, retryable, details? }`, with the status of
 * the code. Importing the other way, {@linkcode fromOpenApi} makes operations of a foreign service, and {@linkcode fromMcp}
 * of the tools of an MCP server.
 * Failures: a malformed request is answered with `400` and costs its conversation; a client that leaves costs only its own
 * requests, which are aborted. Limits are in {@linkcode HttpLimits}.
 *
 * @example Operations, of which each is also a path
 * ```ts
 * import Type from "typebox";
 * import { Dispatcher, nodeRegistry, operation, provide } from "@alknet/core/operations";
 * import { http } from "@alknet/handlers/http";
 *
 * const add = operation({
 *   name: "math/add",
 *   type: "query",
 *   input: Type.Object({ a: Type.Number(), b: Type.Number() }),
 *   output: Type.Number(),
 * });
 * const registry = nodeRegistry([provide(add, ({ a, b }) => a + b)]);
 * // GET /math/add?a=2&b=3 gives 5.
 * const handler = http({ dispatcher: new Dispatcher({ registry }) });
 * console.assert(handler.alpns.includes("http/1.1"));
 * ```
 *
 * @example A site of static files and one route
 * ```ts
 * import { http, staticSite } from "@alknet/handlers/http";
 *
 * const handler = http({
 *   decoy: staticSite({ root: "." }),
 *   routes: (app) => app.get("/whoami", (c) => c.text(c.env.peer.remoteAddress.hostname)),
 * });
 * console.assert(handler.alpns.includes("h2"));
 * ```
 *
 * @module
 */
import { defineHandler, type Handler } from "@alknet/core/handler";
import type { Dispatcher } from "@alknet/core/operations";
import type { CallPeer } from "./websocket/websocket.ts";
import { buildApp } from "./app.ts";
import { originList } from "./request/cors.ts";
import { type Decoy, notFound } from "./decoy/decoy.ts";
import { InnerServer } from "./front/inner_server.ts";
import { type HttpLimits, httpLimitsWith } from "./limits.ts";
import { withShortcut } from "./surface/shortcut.ts";
import type { HttpApp } from "./request/env.ts";

export type { Hono } from "hono";
export type { HttpApp } from "./request/env.ts";
export type { HttpEnv } from "./request/env.ts";
export type { RequestPeer } from "./request/peer.ts";
export type { Caller } from "./request/bearer.ts";
export type { ConnectionBindings, RequestBindings } from "./request/bindings.ts";
export { HttpCode } from "./front/codes.ts";
export { type Decoy, notFound, redirect, type RedirectOptions } from "./decoy/decoy.ts";
export { HTTP_LIMITS, type HttpLimits } from "./limits.ts";
export { fromJsonSchema, type JsonSchemaEndpoint } from "./import/from_jsonschema.ts";
export { fromMcp, type McpImport, type McpServiceConfig } from "./import/from_mcp.ts";
export { fromOpenApi, type LeftOut, type OpenApiOptions } from "./import/from_openapi.ts";
export type { HttpServiceConfig } from "./import/http_operation.ts";
export {
  OutboundClient,
  type OutboundClientOptions,
  type OutboundRequest,
  type OutboundResponse,
  type OutboundTime,
} from "./import/outbound_client.ts";
export { staticSite, type StaticSiteOptions } from "./decoy/static_site.ts";

/** The protocols' names on the wire, in the server's order of preference. */
export const HTTP_ALPNS = ["h2", "http/1.1", "alknet/http"] as const;

/** Options of {@linkcode http}. */
export interface HttpOptions {
  /** The operations to serve. Without it there are a health check, routes and the decoy. */
  readonly dispatcher?: Dispatcher;
  /** Whether each operation is also served at the path that is its name. Default `true`. */
  readonly direct?: boolean;
  /** Whether clients of MCP are served, at `/mcp`. Default `false`. */
  readonly mcp?: boolean;
  /** Whether `/` is a page on which people find and call the operations. Default `false`: the decoy answers. */
  readonly console?: boolean;
  /** Origins whose pages may ask, such as `https://example.org`. Default: none. */
  readonly origins?: readonly string[];
  /** Answers every path that nothing else claims. Default {@linkcode notFound}. */
  readonly decoy?: Decoy;
  /** Adds routes, once. Fixed paths win over them; `c.env.identity` says who asks, and refuses nobody. */
  readonly routes?: (app: HttpApp) => void;
  /** Told of every WebSocket that carries calls, so that the node can call its client. */
  readonly onConnection?: (peer: CallPeer) => void;
  /** Changes to {@linkcode HTTP_LIMITS}. */
  readonly limits?: Partial<HttpLimits>;
}

/**
 * The HTTP handler.
 *
 * @throws {RangeError} A limit is not a positive whole number.
 * @throws {TypeError} An origin is none.
 */
export function http(options: HttpOptions = {}): Handler<typeof HTTP_ALPNS> {
  const { dispatcher, direct = true, mcp = false, console = false, routes, decoy = notFound(), onConnection } = options;
  const limits = httpLimitsWith(options.limits);
  const origins = originList(options.origins ?? []);
  const routed = buildApp({ dispatcher, direct, mcp, console, routes, decoy, limits, origins, onConnection });
  const app = dispatcher && direct ? withShortcut(routed, dispatcher, limits) : routed;
  // One inner server for each endpoint that uses the handler, started by its first connection.
  const servers = new WeakMap<AbortSignal, InnerServer>();
  return defineHandler({
    alpns: HTTP_ALPNS,
    description: dispatcher ? "operations, health check and decoy" : "health check and decoy",
    answersRefused: true,
    async handle(connection, context) {
      const { signal } = context;
      if (signal.aborted) return;
      const server = servers.get(signal) ?? new InnerServer({ app, limits, signal });
      servers.set(signal, server);
      await server.serve(connection, context);
    },
  });
}
