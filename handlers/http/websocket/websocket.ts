/**
 * The upgrade to a WebSocket at `/alknet/call`, which carries the call protocol both ways (http.md §9).
 *
 * @module
 */
import { CallError, type Dispatcher } from "@alknet/core/operations";
import { type CallPeer, CallSession } from "@alknet/handlers/call";
import type { Context } from "hono";
import { credentialRefusal, errorAnswer } from "../answers/answers.ts";
import { invalid } from "../request/invalid.ts";
import { type Caller, callerWithToken } from "../request/bearer.ts";
import { type HttpLimits, WEBSOCKET_SILENCE } from "../limits.ts";
import { WebSocketCarrier } from "./websocket_carrier.ts";
import type { HttpEnv } from "../request/env.ts";

export type { CallPeer };

/** Where the upgrade is. */
export const WEBSOCKET_PATH = "/alknet/call";
/** The subprotocol of call envelopes. */
export const CALL_SUBPROTOCOL = "alknet.call";
/** The only version there is (RFC 6455 §4.4). */
const WEBSOCKET_VERSION = "13";
/** Before a token in base64url without padding: browsers can set no header, but can name subprotocols. */
export const BEARER_SUBPROTOCOL = "alknet.bearer.";

/** Options of {@linkcode answerUpgrade}. */
export interface UpgradeOptions {
  /** Serves what the client calls. */
  readonly dispatcher: Dispatcher;
  /** If not empty, pages of other origins are refused. */
  readonly origins: ReadonlySet<string>;
  /** Sizes to hold. */
  readonly limits: HttpLimits;
  /** Told of every client, so that the node can call it. */
  readonly onConnection: ((peer: CallPeer) => void) | undefined;
}

const ANONYMOUS: Caller = { identity: undefined, unknownToken: false, refused: false };

/** Answers a request at {@linkcode WEBSOCKET_PATH}; nothing if it asks for no WebSocket. */
export function answerUpgrade(c: Context<HttpEnv>, options: UpgradeOptions): Response | undefined {
  const { raw } = c.req;
  const { headers } = raw;
  if (raw.method !== "GET" || headers.get("upgrade")?.toLowerCase() !== "websocket") return;
  const offered = (headers.get("sec-websocket-protocol") ?? "").split(",").map((name) => name.trim());
  const caller = upgrader(c, offered);
  const refusal = credentialRefusal(caller);
  if (refusal) return refusal;
  if (!caller.identity) return errorAnswer(new CallError("FORBIDDEN", "authentication required"), { caller });
  const origin = headers.get("origin");
  if (origin !== null && options.origins.size > 0 && !options.origins.has(origin)) {
    return errorAnswer(new CallError("FORBIDDEN", "pages of this origin may not connect"), { caller });
  }
  if (headers.get("sec-websocket-version") !== WEBSOCKET_VERSION) {
    return new Response(null, { status: 426, headers: { "sec-websocket-version": WEBSOCKET_VERSION } });
  }
  const protocol = offered.includes(CALL_SUBPROTOCOL) ? CALL_SUBPROTOCOL : undefined;
  // A browser that offers some and is given none takes that for a failure, without a word to its page (RFC 6455 §4.1).
  if (protocol === undefined && headers.has("sec-websocket-protocol")) {
    return errorAnswer(invalid(`offer the subprotocol ${CALL_SUBPROTOCOL}`), { caller, status: 400 });
  }
  let upgrade: Deno.WebSocketUpgrade;
  try {
    upgrade = Deno.upgradeWebSocket(raw, { protocol, idleTimeout: WEBSOCKET_SILENCE });
  } catch {
    return new Response(null, { status: 400 });
  }
  const carrier = new WebSocketCarrier(upgrade.socket, {
    identity: caller.identity,
    maxMessage: options.limits.message,
  });
  serve(c, carrier, options);
  return upgrade.response;
}

/** The header counts; the certificate of a connection does not: an upgrade needs a token. */
function upgrader({ req, env }: Context<HttpEnv>, offered: readonly string[]): Caller {
  if (req.header("authorization") !== undefined) return env.caller;
  const encoded = offered.find((name) => name.startsWith(BEARER_SUBPROTOCOL))?.slice(BEARER_SUBPROTOCOL.length);
  if (encoded === undefined) return ANONYMOUS;
  if (env.context.authenticationRefused()) return { ...ANONYMOUS, refused: true };
  try {
    const bytes = Uint8Array.fromBase64(encoded, { alphabet: "base64url" });
    return callerWithToken(new TextDecoder("utf-8", { fatal: true }).decode(bytes), env.context);
  } catch {
    return ANONYMOUS;
  }
}

async function serve({ env }: Context<HttpEnv>, carrier: WebSocketCarrier, options: UpgradeOptions): Promise<void> {
  const { signal, identityProvider, authenticationFailed, authenticationRefused, log } = env.context;
  const release = env.hold();
  const session = new CallSession(carrier, {
    dispatcher: options.dispatcher,
    identityProvider,
    authenticationFailed,
    authenticationRefused,
    log,
    maxRequests: options.limits.calls,
  });
  options.onConnection?.(session);
  const drain = (): void => void session.drain().then(() => carrier.goAway());
  signal.addEventListener("abort", drain);
  if (signal.aborted) drain();
  await session.closed;
  signal.removeEventListener("abort", drain);
  release();
}
