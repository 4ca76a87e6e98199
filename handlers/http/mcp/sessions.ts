/**
 * The sessions of MCP of a handler: who may use which, and how many there are.
 *
 * Kept in memory and nowhere else. A client whose session is gone is told `404`, and begins another.
 *
 * @module
 */
import type { HandlerContext } from "@alknet/core/handler";
import { CallError, type Dispatcher, type JsonObject, type JsonValue } from "@alknet/core/operations";
import { ErrorCode } from "@modelcontextprotocol/sdk/types.js";
import { apiAnswer, errorAnswer } from "../answers/answers.ts";
import { admits, EVENT_STREAM, JSON_TYPE } from "../answers/negotiation.ts";
import { invalid } from "../request/invalid.ts";
import type { RequestBindings } from "../request/bindings.ts";
import type { HttpLimits } from "../limits.ts";
import { readJson } from "../request/request_body.ts";
import { asJson } from "./json_answer.ts";
import { faultIn, isInitialize, tidied } from "./messages.ts";
import { McpSession } from "./session.ts";

/** Options of {@linkcode McpSessions}. */
export interface McpSessionsOptions {
  /** Runs the calls. */
  readonly dispatcher: Dispatcher;
  /** Sizes and times to hold. */
  readonly limits: HttpLimits;
}

/** Answers requests at `/mcp`. */
export class McpSessions {
  readonly #options: McpSessionsOptions;
  /** By id, the one that was unused for longest first. */
  readonly #sessions = new Map<string, McpSession>();
  /** Endpoints whose shutdown is awaited. */
  readonly #endpoints = new Set<AbortSignal>();
  /** Takes the next look at unused sessions back. */
  #sweep: (() => void) | undefined;

  constructor(options: McpSessionsOptions) {
    this.#options = options;
  }

  /** Answers a request; who asks is taken to be known, and the origin to be allowed. */
  async answer(request: Request, bindings: RequestBindings): Promise<Response> {
    const { caller, context } = bindings;
    const refuse = (status: number, error: CallError): Response => errorAnswer(error, { caller, status });
    let body: JsonValue | undefined;
    if (request.method === "POST") {
      const read = await readJson(request, this.#options.limits, bindings);
      if (!("value" in read)) return refuse(read.status, read.error);
      body = tidied(read.value);
    }
    const accept = request.headers.get("accept");
    const events = admits(accept, EVENT_STREAM);
    if (request.method === "GET" && !events) return refuse(406, invalid(`accept must admit ${EVENT_STREAM}`));
    if (request.method === "POST" && !events && !admits(accept, JSON_TYPE)) {
      return refuse(406, invalid(`accept must admit ${JSON_TYPE} or ${EVENT_STREAM}`));
    }
    if (request.method === "GET" && context.signal.aborted) return refuse(503, unavailable("the node shuts down"));
    const id = request.headers.get("mcp-session-id") || undefined;
    // A client that asks for a session wants one, whatever it remembers of an earlier one.
    if (id === undefined || (isInitialize(body) && !this.#sessions.has(id))) {
      if (!isInitialize(body)) return refuse(400, invalid("missing header: mcp-session-id; begin with initialize"));
      const fault = faultIn(body);
      if (fault !== undefined) return invalidParams(body, fault);
      if (!await this.#makeRoom(caller.identity)) return refuse(503, unavailable("too many sessions"));
      const answer = await this.#begin(request, body!, { caller, context });
      return events ? answer : await asJson(answer);
    }
    const session = this.#sessions.get(id);
    if (!session) return refuse(404, new CallError("NOT_FOUND", "session not found; begin another"));
    if (!session.belongsTo(caller.identity)) return refuse(403, new CallError("FORBIDDEN", "session of someone else"));
    const event = request.headers.get("last-event-id");
    if (event !== null && !session.remembers(event)) return refuse(400, invalid("what came after that event is gone"));
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    const answer = await session.answer(request, body, caller.identity);
    return request.method === "POST" && !events ? await asJson(answer) : answer;
  }

  async #begin(
    request: Request,
    body: JsonValue,
    { caller: { identity }, context }: Pick<RequestBindings, "caller" | "context">,
  ): Promise<Response> {
    const ended = ({ id }: McpSession): void => {
      this.#sessions.delete(id);
      if (this.#sessions.size === 0) this.#stopSweeping();
    };
    const session = new McpSession({ ...this.#options, identity, context, ended });
    await session.open();
    this.#sessions.set(session.id, session);
    this.#awaitShutdown(context);
    this.#sweepLater();
    const response = await session.answer(request, body, identity);
    if (!session.begun) await session.close();
    return response;
  }

  /** Whether there is room for one more, after the one that was unused for longest has gone if need be. */
  async #makeRoom(identity: RequestBindings["identity"]): Promise<boolean> {
    const own = [...this.#sessions.values()].filter((session) => session.belongsTo(identity));
    if (own.length < this.#options.limits.mcpSessions) return true;
    const unused = own.find(({ busy }) => !busy);
    await unused?.close();
    return unused !== undefined;
  }

  /** Streams on which nothing is awaited would hold the shutdown up; calls are answered. */
  #awaitShutdown({ signal }: HandlerContext): void {
    if (this.#endpoints.has(signal)) return;
    this.#endpoints.add(signal);
    signal.addEventListener("abort", () => {
      for (const session of this.#sessions.values()) session.endIdleStream();
      this.#endpoints.delete(signal);
      // Nobody can come with a request any more, and a timer would outlive the endpoint.
      if (this.#endpoints.size === 0) this.#stopSweeping();
    }, { once: true });
  }

  /** Looks for unused sessions twice in the time that they have, for as long as there are sessions. */
  #sweepLater(): void {
    if (this.#sweep || this.#endpoints.size === 0) return;
    const { limits: { mcpIdle }, dispatcher: { clock } } = this.#options;
    this.#sweep = clock.after(mcpIdle / 2, () => {
      this.#sweep = undefined;
      for (const session of [...this.#sessions.values()]) {
        const { unusedSince = Infinity } = session;
        if (clock.now() - unusedSince >= mcpIdle) session.close().catch(() => {});
      }
      if (this.#sessions.size > 0) this.#sweepLater();
    });
  }

  #stopSweeping(): void {
    this.#sweep?.();
    this.#sweep = undefined;
  }
}

/** A request that does not fit, as JSON-RPC answers it. */
function invalidParams({ id }: JsonObject, message: string): Response {
  const error = { code: ErrorCode.InvalidParams, message };
  const known = typeof id === "string" || typeof id === "number" ? id : null;
  return apiAnswer(JSON.stringify({ jsonrpc: "2.0", id: known, error }), 400);
}

function unavailable(message: string): CallError {
  return new CallError("INTERNAL", message, { retryable: true, details: { retry_after: 1 } });
}
