/**
 * A foreign MCP server, reached with the official client over streamable HTTP: one session for each credential, begun
 * when it is first needed and again when it was lost.
 *
 * @module
 */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { McpError } from "@modelcontextprotocol/sdk/types.js";
import type { OutboundClient } from "./outbound_client.ts";

/** Sessions that are kept: an import has one credential, or a few that composing handlers bring along. */
const MAX_SESSIONS = 8;
/** Milliseconds for the handshake. */
const CONNECT_TIMEOUT = 30_000;
/** Codes of the client itself, where there was no answer: connection closed, request timed out. */
const NO_ANSWER = new Set([-32000, -32001]);
/** Statuses whose responses have no body (Fetch, null body status). */
const EMPTY = new Set([101, 103, 204, 205, 304]);

interface Session {
  readonly client: Client;
  readonly transport: StreamableHTTPClientTransport;
}

/** The server. */
export class McpServer implements AsyncDisposable {
  readonly #url: URL;
  readonly #outbound: OutboundClient;
  readonly #sessions = new Map<string, Promise<Session>>();

  /** @param outbound Carries the requests: the client's own way would look for proxies in the environment. */
  constructor(url: URL, outbound: OutboundClient) {
    this.#url = url;
    this.#outbound = outbound;
  }

  /**
   * Does something with a session. One that gave no answer is given up, so that the next begins another.
   *
   * @param credential Goes with every request, as bearer token; `undefined` is none.
   * @param signal Whoever asks gives up: that says nothing about the session.
   * @throws {McpError} What the server answered.
   * @throws {Error} It did not answer.
   */
  async ask<T>(
    credential: string | undefined,
    what: (client: Client) => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    const key = credential ?? "";
    let session = this.#sessions.get(key);
    if (!session) {
      this.#sessions.set(key, session = this.#begin(credential));
      if (this.#sessions.size > MAX_SESSIONS) this.#end(this.#sessions.keys().next().value!, true);
    }
    try {
      return await what((await session).client);
    } catch (error) {
      const isAnswer = error instanceof McpError && !NO_ANSWER.has((error as McpError).code);
      if (!isAnswer && !signal?.aborted && this.#sessions.get(key) === session) this.#end(key, false);
      throw error;
    }
  }

  /** Ends the sessions. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map((key) => this.#end(key, true)));
  }

  async #begin(credential: string | undefined): Promise<Session> {
    const transport = new StreamableHTTPClientTransport(this.#url, {
      fetch: (url: string | URL, init?: RequestInit) => this.#fetch(url, init),
      requestInit: credential === undefined ? {} : { headers: { authorization: `Bearer ${credential}` } },
      reconnectionOptions: {
        maxRetries: 0,
        initialReconnectionDelay: 1000,
        maxReconnectionDelay: 1000,
        reconnectionDelayGrowFactor: 1,
      },
    });
    const client = new Client({ name: "alknet", version: "1.0.0" });
    try {
      await client.connect(transport, { timeout: CONNECT_TIMEOUT });
    } catch (error) {
      await client.close();
      throw error;
    }
    return { client, transport };
  }

  /** @param isAlive Whether the server is there to be told. */
  async #end(key: string, isAlive: boolean): Promise<void> {
    const session = this.#sessions.get(key);
    this.#sessions.delete(key);
    try {
      const { client, transport } = await session!;
      if (isAlive) await transport.terminateSession().catch(() => {});
      await client.close();
    } catch {
      // It never began.
    }
  }

  async #fetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
    const { method = "GET", body, signal } = init;
    const { status, reason, headers, body: answer } = await this.#outbound.send({
      method,
      url: String(url),
      headers: Object.fromEntries(new Headers(init.headers)),
      body: typeof body === "string" ? body : undefined,
    }, { signal: signal ?? new AbortController().signal, timeLeft: () => undefined });
    const stream = EMPTY.has(status) ? null : streamOf(answer);
    return new Response(stream, { status, statusText: reason, headers });
  }
}

/** `ReadableStream.from` leaves the failure of a body that is aborted unhandled. */
function streamOf(body: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const iterator = body[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await iterator.next();
        if (done) controller.close();
        else controller.enqueue(value as Uint8Array<ArrayBuffer>);
      } catch (error) {
        controller.error(error);
      }
    },
    async cancel() {
      await iterator.return?.().catch(() => {});
    },
  });
}
