/**
 * One session of MCP: the library's server and transport, with the four tools behind them.
 *
 * A client that has gone aborts its calls, unless it can come back for the answers: from version 2025-11-25 on each stream
 * begins with an event id, and a client that shows it later gets what it missed. Such a call ends by itself, at the
 * latest when its time is over.
 *
 * @module
 */
import type { HandlerContext, Identity } from "@alknet/core/handler";
import { CallError, type Dispatcher, type JsonObject, type JsonValue } from "@alknet/core/operations";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import type { RequestHandlerExtra } from "@modelcontextprotocol/sdk/shared/protocol.js";
import {
  type CallToolRequest,
  CallToolRequestSchema,
  ErrorCode,
  type JSONRPCMessage,
  ListToolsRequestSchema,
  type MessageExtraInfo,
  type RequestId,
  type ServerNotification,
  type ServerRequest,
} from "@modelcontextprotocol/sdk/types.js";
import { AjvJsonSchemaValidator } from "@modelcontextprotocol/sdk/validation/ajv-provider.js";
import { EVENT_STREAM, JSON_TYPE } from "../answers/negotiation.ts";
import { watchDeparture } from "../request/departure.ts";
import type { HttpLimits } from "../limits.ts";
import { GATEWAY_VERSION } from "../surface/openapi_document.ts";
import { faultIn } from "./messages.ts";
import { EventLog } from "./event_log.ts";
import { failure, runTool, TOOLS } from "./tools.ts";

type RequestExtra = RequestHandlerExtra<ServerRequest, ServerNotification>;

/** The first version whose clients can ask for what they missed. */
const RESUMABLE_VERSION = "2025-11-25";
/** One for all sessions: making it costs more than a call, and nothing here is checked by it. */
const VALIDATOR = new AjvJsonSchemaValidator();

/** Options of {@linkcode McpSession}. */
export interface McpSessionOptions {
  /** Runs the calls. */
  readonly dispatcher: Dispatcher;
  /** Sizes and times to hold. */
  readonly limits: HttpLimits;
  /** Who opened the session. */
  readonly identity: Identity | undefined;
  /** The handler's context of the request that opened it. */
  readonly context: HandlerContext;
  /** Called once it has ended. */
  readonly ended: (session: McpSession) => void;
}

/** A session, from `initialize` to `DELETE` or until others need its place. */
export class McpSession {
  /** Cannot be guessed. */
  readonly id: string = crypto.randomUUID();
  readonly #options: McpSessionOptions;
  readonly #log = new EventLog();
  readonly #transport: WebStandardStreamableHTTPServerTransport;
  #running = 0;
  /** Streams on which the client listens. */
  #listening = 0;
  /** When the session was last used, by the clock of the dispatcher. */
  #used: number;

  constructor(options: McpSessionOptions) {
    this.#options = options;
    const { limits, ended, dispatcher: { clock } } = options;
    this.#used = clock.now();
    this.#transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => this.id,
      eventStore: this.#log,
      keepAliveMs: limits.keepAlive,
    });
    this.#transport.onclose = () => ended(this);
  }

  /** Whether a call is running. */
  get busy(): boolean {
    return this.#running > 0;
  }

  /** Since when nobody has used it, in milliseconds of the dispatcher's clock; `undefined` while somebody does. */
  get unusedSince(): number | undefined {
    return this.#running > 0 || this.#listening > 0 ? undefined : this.#used;
  }

  /** Whether `initialize` has come. */
  get begun(): boolean {
    return this.#transport.sessionId !== undefined;
  }

  /** Whether a request may use the session: its rights are its own, but it must be the same one who asks. */
  belongsTo(identity: Identity | undefined): boolean {
    return this.#options.identity?.id === identity?.id;
  }

  /** Whether what came after an event is known still. */
  remembers(event: string): boolean {
    return this.#log.has(event);
  }

  /** Makes the session ready for its first request. */
  async open(): Promise<void> {
    const server = new Server({ name: "alknet", version: GATEWAY_VERSION }, {
      capabilities: { tools: {} },
      jsonSchemaValidator: VALIDATOR,
    });
    server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: TOOLS }));
    server.setRequestHandler(
      CallToolRequestSchema,
      async ({ params }: CallToolRequest, { signal, requestId, authInfo }: RequestExtra) => {
        const { dispatcher, limits: { batch }, context: { log } } = this.#options;
        const identity = authInfo?.extra?.identity as Identity | undefined;
        this.#running++;
        try {
          const args = (params.arguments ?? {}) as JsonObject;
          return await runTool(params.name, args, { dispatcher, identity, signal, batch, log });
        } finally {
          this.#running--;
          this.#touch();
          if (signal.aborted) this.#release(requestId);
        }
      },
    );
    await server.connect(this.#transport);
    const answered = this.#transport.onmessage!;
    this.#transport.onmessage = (message: JSONRPCMessage, extra?: MessageExtraInfo) => {
      const fault = faultIn(message);
      return fault === undefined || !("id" in message) ? answered(message, extra) : this.#refuse(message.id!, fault);
    };
  }

  /**
   * Answers a request.
   *
   * @param body The message, already read and parsed.
   */
  async answer(request: Request, body: JsonValue | undefined, identity: Identity | undefined): Promise<Response> {
    this.#touch();
    const asked = request.headers.get("last-event-id");
    const resumed = request.method === "GET" && asked !== null ? this.#log.answeredAfter(asked) : undefined;
    // What tells a reader of events not to come back (HTML, Server-sent events).
    if (resumed === 0) return new Response(null, { status: 204 });
    if ((request.headers.get("mcp-protocol-version") ?? "") < RESUMABLE_VERSION) {
      const calls = callsIn(body);
      if (calls.length > 0) watchDeparture(request, () => calls.forEach((id) => this.#cancel(id)));
    }
    const authInfo = { token: "", clientId: identity?.id ?? "", scopes: [], extra: { identity } };
    const unheard = request.method === "GET" ? this.#listen(request) : undefined;
    // Who listens anew has lost its stream, whether or not this side knows.
    if (request.method === "GET") this.endIdleStream();
    const response = await this.#transport.handleRequest(plain(request), { parsedBody: body, authInfo });
    if (!response.ok) unheard?.();
    if (resumed === undefined || !response.ok || !response.body) return response;
    // The transport would hold the stream open, though nothing can follow the answer.
    return new Response(firstChunks(response.body, resumed), response);
  }

  /** Ends the stream on which nothing but news of the server would come, as a node that shuts down must. */
  endIdleStream(): void {
    this.#transport.closeStandaloneSSEStream();
  }

  /** Ends the session, and aborts what it runs. */
  async close(): Promise<void> {
    await this.#transport.close();
  }

  #touch(): void {
    this.#used = this.#options.dispatcher.clock.now();
  }

  /** Counts a stream for as long as its client is there. What it returns ends that at once. */
  #listen(request: Request): () => void {
    this.#listening++;
    const gone = (): void => {
      this.#listening--;
      this.#touch();
    };
    const unwatch = watchDeparture(request, gone);
    return () => {
      unwatch();
      gone();
    };
  }

  #cancel(requestId: RequestId): void {
    this.#transport.onmessage?.({ jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } });
  }

  #refuse(id: RequestId, message: string): void {
    this.#transport.send({ jsonrpc: "2.0", id, error: { code: ErrorCode.InvalidParams, message } }).catch(() => {});
  }

  /**
   * The library sends nothing for a cancelled request, and would keep its stream open for as long as the session lasts.
   * A result it is, for the official client asks again and again for what may follow an error.
   */
  #release(id: RequestId): void {
    this.#transport.send({ jsonrpc: "2.0", id, result: failure(new CallError("INTERNAL", "request cancelled")) }).catch(
      () => {},
    );
  }
}

/** The request with the headers that the library compares as text, in the one form that it knows; its body has been read. */
function plain({ url, method, headers }: Request): Request {
  const same = new Headers(headers);
  same.set("accept", `${JSON_TYPE}, ${EVENT_STREAM}`);
  if (method === "POST") same.set("content-type", JSON_TYPE);
  return new Request(url, { method, headers: same });
}

/** Ids of the tool calls in a message. */
function callsIn(body: JsonValue | undefined): RequestId[] {
  const messages = Array.isArray(body) ? body : [body];
  return messages.flatMap((message) => message?.method === "tools/call" ? [message.id as RequestId] : []);
}

/** The first chunks of a stream, then the end. */
function firstChunks(body: ReadableStream<Uint8Array>, count: number): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  let left = count;
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = left-- > 0 ? await reader.read() : { done: true, value: undefined };
      if (!done) return controller.enqueue(value!);
      controller.close();
      await reader.cancel();
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
