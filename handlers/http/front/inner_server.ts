/**
 * The HTTP server behind the handler: `Deno.serve` on a loopback port of its own, which speaks HTTP/1.1 and, with prior
 * knowledge, h2 on one plain listener (RFC 9112, RFC 9113 §3.3).
 *
 * Each conversation reaches it through a socket, and the local address of that socket, host and port, says whose requests
 * arrive there. It is known before its first byte is passed on and forgotten before its socket closes, and while the socket
 * is there no other can have that address; requests from any other are refused, such as one from the same port of another
 * loopback address, which whoever has an account on this machine could send.
 *
 * A server whose listener ends, as it does when descriptors run out, is replaced at the next conversation.
 *
 * @module
 */
import {
  AlknetError,
  type BidiStream,
  type Connection,
  descriptorLimit,
  foreign,
  type HandlerContext,
  logger,
} from "@alknet/core/handler";
import { type ConnectionBindings, RequestBindings } from "../request/bindings.ts";
import { HttpCode } from "./codes.ts";
import { Conversation } from "./conversation.ts";
import { type HttpLimits, SWEEP_INTERVAL } from "../limits.ts";
import { Seldom } from "./seldom.ts";
import { withServerName } from "../answers/server_name.ts";
import type { Answerer } from "../surface/shortcut.ts";
import { hasValidHost } from "../request/authority.ts";
import { drainUnread, waitsToSend } from "../request/unread_body.ts";

const LOOPBACK = "127.0.0.1";
/** The ALPN whose connections carry a conversation on each stream. */
const MANY_CONVERSATIONS = "alknet/http";
/** Deno lets this variable override the address that a program asks for; it would put the inner server on the network. */
const OVERRIDE = "DENO_SERVE_ADDRESS";

/** Share of the descriptors that conversations may take, of which each takes two. */
const DESCRIPTORS_A_CONVERSATION = 4;

const log = logger("http");

/** Options of {@linkcode InnerServer}. */
export interface InnerServerOptions {
  /** Answers the requests. */
  readonly app: Answerer;
  /** Times and sizes to hold. */
  readonly limits: HttpLimits;
  /** Stops the server once requests that run are answered. */
  readonly signal: AbortSignal;
  /** Milliseconds that only go forward. Default `performance.now`. */
  readonly now?: () => number;
}

/** One inner server: one endpoint's. */
export class InnerServer {
  readonly #options: InnerServerOptions;
  readonly #now: () => number;
  /** The one that takes conversations; those of one before it go on there. */
  #server: Deno.HttpServer<Deno.NetAddr> | undefined;
  readonly #byPort = new Map<number, Conversation>();
  readonly #conversations = new Set<Conversation>();
  /** Conversations on all connections. */
  readonly #most: number;
  readonly #unreachable: Seldom;
  readonly #crowded: Seldom;
  #sweeper?: ReturnType<typeof setInterval>;
  #connections = 0;
  /** Once it stops; resolves when it has stopped. */
  #stopped?: PromiseWithResolvers<void>;
  #closing = false;

  /**
   * Starts listening.
   *
   * @throws {AlknetError} `INCOMPATIBLE_OPTIONS`: the environment moves every server of Deno to another address.
   */
  constructor(options: InnerServerOptions) {
    assertNotMoved();
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#unreachable = new Seldom((times, reason) => {
      log.warn("inner server unreachable, {times} conversations refused: {error}", { times, error: foreign(reason) });
    }, this.#now);
    this.#crowded = new Seldom((times) => {
      log.warn("{times} conversations refused: there are {most}, as many as may be", { times, most: this.#most });
    }, this.#now);
    const descriptors = descriptorLimit() ?? Infinity;
    this.#most = Math.min(options.limits.allConversations, Math.floor(descriptors / DESCRIPTORS_A_CONVERSATION));
    this.#server = this.#listen();
    options.signal.addEventListener("abort", () => this.#stop(), { once: true });
  }

  /**
   * Serves a connection until it ends, the server has stopped, or nothing more can come: `h2` and `http/1.1` are one
   * conversation, `alknet/http` is one on each stream.
   */
  async serve(connection: Connection, context: HandlerContext): Promise<void> {
    const bindings = bindingsOf(connection, context);
    const running = new Set<Promise<void>>();
    const { signal, limits: { conversations } } = this.#options;
    const accept = async () => {
      for await (const stream of connection) {
        if (!this.#isFull()) {
          const answered: Promise<void> = this.#converse(stream, bindings).finally(() => running.delete(answered));
          running.add(answered);
        } else refuse(stream, HttpCode.EXCESSIVE_LOAD);
        if (connection.alpn !== MANY_CONVERSATIONS) return;
        // Its other streams wait: each costs two descriptors, and a stream that waits costs none.
        while (running.size >= conversations) await Promise.race(running);
      }
    };
    const { promise: draining, resolve } = Promise.withResolvers<void>();
    const drain = () => resolve();
    signal.addEventListener("abort", drain);
    this.#connections++;
    await Promise.race([accept(), draining]);
    signal.removeEventListener("abort", drain);
    await Promise.all(running);
    this.#connections--;
    // Whoever is last sees the listener closed, so that nothing outlives the endpoint.
    if (this.#connections === 0) await this.#stopped?.promise;
  }

  /** Resolves when the client has been answered all it asked, as far as this side is concerned. */
  async #converse(stream: BidiStream, bindings: ConnectionBindings): Promise<void> {
    const socket = await this.#connect();
    if (!socket || this.#stopped) {
      socket?.close();
      return refuse(stream, HttpCode.INTERNAL_ERROR);
    }
    const { port } = socket.localAddr;
    const { limits } = this.#options;
    const now = this.#now;
    const release = () => this.#byPort.delete(port);
    const conversation = new Conversation({ stream, socket, release, bindings, limits, now });
    this.#byPort.set(port, conversation);
    this.#conversations.add(conversation);
    this.#sweeper ??= setInterval(() => this.#sweep(), SWEEP_INTERVAL);
    await new Promise<void>((answered) => {
      conversation.run(answered).then(() => this.#forget(conversation));
    });
  }

  #forget(conversation: Conversation): void {
    this.#conversations.delete(conversation);
    this.#closeServer();
    if (this.#conversations.size > 0) return;
    clearInterval(this.#sweeper);
    this.#sweeper = undefined;
  }

  #listen(): Deno.HttpServer<Deno.NetAddr> {
    const server = Deno.serve(
      { hostname: LOOPBACK, port: 0, onListen: () => {}, onError: () => new Response(null, { status: 500 }) },
      (request, info) => this.#answer(request, info),
    );
    // The listener alone is no reason for a process to stay; the sockets of conversations are.
    server.unref();
    const ended = (why: string): void => {
      if (this.#server !== server || this.#stopped) return;
      this.#server = undefined;
      log.warn("the inner server's listener ended, another takes its place: {why}", { why: foreign(why) });
    };
    server.finished.then(() => ended("it was closed"), (error) => ended(String(error)));
    return server;
  }

  /** Whether there is no room for one more conversation. */
  #isFull(): boolean {
    if (this.#conversations.size < this.#most) return false;
    this.#crowded.happened();
    return true;
  }

  async #connect(): Promise<Deno.TcpConn | undefined> {
    try {
      this.#server ??= this.#listen();
      const socket = await Deno.connect({ hostname: LOOPBACK, port: this.#server.addr.port });
      socket.setNoDelay(true);
      return socket;
    } catch (error) {
      this.#unreachable.happened(String(error));
    }
  }

  #answer(request: Request, info: Deno.ServeHandlerInfo<Deno.NetAddr>): Response | Promise<Response> {
    const { hostname, port } = info.remoteAddr;
    const conversation = hostname === LOOPBACK ? this.#byPort.get(port) : undefined;
    if (!conversation) return new Response(null, { status: 403, headers: { connection: "close" } });
    const received = conversation.requestBegan();
    const ended = () => conversation.requestEnded();
    info.completed.then(ended, ended);
    const { limits } = this.#options;
    const refusal = !hasValidHost(request.url)
      ? new Response(null, { status: 400 })
      : conversation.running > limits.requests
      ? new Response(null, { status: 503, headers: { "retry-after": "1" } })
      : received > limits.headers && headerBytes(request.headers) > limits.headers
      ? new Response(null, { status: 431 })
      : undefined;
    return this.#respond(request, conversation, refusal);
  }

  async #respond(request: Request, conversation: Conversation, refusal?: Response): Promise<Response> {
    const bindings = new RequestBindings(request, conversation.bindings, () => {
      conversation.takeOver();
      return () => conversation.requestEnded();
    });
    const response = refusal ?? await this.#options.app.fetch(request, bindings);
    // Deno shows no body with these.
    if (request.method === "GET" || request.method === "HEAD") return withServerName(response);
    if (!request.bodyUsed && waitsToSend(request)) return withServerName(closing(response));
    await drainUnread(request);
    return withServerName(response);
  }

  #sweep(): void {
    for (const conversation of this.#conversations) {
      conversation.sweep();
      if (this.#stopped) conversation.finishIdle();
    }
  }

  /** Requests that run are answered; a conversation that has not asked anything yet has nothing to wait for. */
  #stop(): void {
    this.#stopped = Promise.withResolvers();
    for (const conversation of this.#conversations) {
      if (!conversation.begun) conversation.finish();
    }
    this.#closeServer();
  }

  /** Not while there are WebSockets: the runtime would close them at once, and what their clients asked be lost. */
  #closeServer(): void {
    if (!this.#stopped || this.#closing || this.#conversations.values().some(({ isTakenOver }) => isTakenOver)) return;
    this.#closing = true;
    const { resolve } = this.#stopped;
    if (this.#server) this.#server.shutdown().then(resolve, () => resolve());
    else resolve();
  }
}

/** The answer, after which the conversation ends: whether the body follows it after all, nobody could tell. */
function closing(response: Response): Response {
  const headers = new Headers(response.headers);
  headers.set("connection", "close");
  return new Response(response.body, { status: response.status, headers });
}

function refuse(stream: BidiStream, code: HttpCode): void {
  stream.reset(code);
  stream.stop(code);
}

/** As HTTP/1.1 writes them, without the first line. */
function headerBytes(headers: Headers): number {
  let bytes = 0;
  for (const [name, value] of headers) bytes += name.length + value.length + 4;
  return bytes;
}

function assertNotMoved(): void {
  let address: string | undefined;
  try {
    address = Deno.env.get(OVERRIDE);
  } catch {
    // Not permitted to look.
  }
  if (address === undefined) return;
  throw new AlknetError(
    "INCOMPATIBLE_OPTIONS",
    `environment: ${OVERRIDE} is set and would move the inner HTTP server off ${LOOPBACK}; unset it`,
  );
}

function bindingsOf(connection: Connection, context: HandlerContext): ConnectionBindings {
  const peer = {
    connectionId: connection.id,
    remoteAddress: connection.remoteAddress,
    get identity() {
      return connection.identity;
    },
    alpn: connection.alpn,
  };
  return { peer, context, kept: connection.kept };
}
