/**
 * Clients of MCP: the official one, and one that writes each request itself.
 *
 * @module
 */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import type { Served, Way } from "../fronts.ts";

/** What a tool answered. */
export interface ToolAnswer {
  /** Whether it failed. */
  readonly isError?: boolean;
  /** The answer. */
  readonly structuredContent?: Record<string, unknown>;
  /** The same as text. */
  readonly content: readonly { readonly type: string; readonly text: string }[];
}

/** A way that programs can go, in one version of HTTP. */
export class Asker implements Disposable {
  readonly #http: Deno.HttpClient;
  readonly #base: string;

  constructor(way: Way, { base }: Served) {
    this.#base = base;
    this.#http = Deno.createHttpClient({ http1: way.version === "1.1", http2: way.version === "2" });
  }

  /** As the global one, but on this way. */
  readonly fetch = (url: string | URL, init?: RequestInit): Promise<Response> =>
    fetch(url, { ...init, client: this.#http });

  /** Asks `/mcp`. */
  ask(init: RequestInit & { readonly headers?: Record<string, string> }): Promise<Response> {
    return this.fetch(`${this.#base}/mcp`, init);
  }

  /** Posts a message with what a client of MCP sends along. */
  post(message: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.ask({
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json, text/event-stream", ...headers },
      body: typeof message === "string" ? message : JSON.stringify(message),
    });
  }

  /** Begins a session; gives the headers that its requests need. */
  async begin(headers: Record<string, string> = {}, version = "2025-11-25"): Promise<Record<string, string>> {
    const clientInfo = { name: "test", version: "1" };
    const params = { protocolVersion: version, capabilities: {}, clientInfo };
    const answer = await this.post({ jsonrpc: "2.0", id: 0, method: "initialize", params }, headers);
    const text = await answer.text();
    if (answer.status !== 200) throw new Error(`initialize: ${answer.status} ${text}`);
    const session = { ...headers, "mcp-session-id": answer.headers.get("mcp-session-id")! };
    return { ...session, "mcp-protocol-version": version };
  }

  /** Connects the official client. */
  async connect(token?: string): Promise<McpClient> {
    const requestInit = token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } };
    const transport = new StreamableHTTPClientTransport(new URL(`${this.#base}/mcp`), {
      fetch: this.fetch,
      requestInit,
    });
    const client = new Client({ name: "test", version: "1" });
    await client.connect(transport);
    return new McpClient(client, transport);
  }

  [Symbol.dispose](): void {
    this.#http.close();
  }
}

/** The official client, connected. */
export class McpClient implements AsyncDisposable {
  /** The client itself. */
  readonly client: Client;
  readonly #transport: StreamableHTTPClientTransport;

  constructor(client: Client, transport: StreamableHTTPClientTransport) {
    this.client = client;
    this.#transport = transport;
  }

  /** Headers that requests of its session need. */
  get session(): Record<string, string> {
    return { "mcp-session-id": this.#transport.sessionId!, "mcp-protocol-version": this.#transport.protocolVersion! };
  }

  /** Calls a tool. */
  async tool(name: string, args?: Record<string, unknown>, signal?: AbortSignal): Promise<ToolAnswer> {
    return await this.client.callTool({ name, arguments: args }, undefined, { signal }) as unknown as ToolAnswer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#transport.terminateSession();
    await this.client.close();
  }
}

/** The events of a stream, up to its end or as many as asked for. */
export async function events(answer: Response, count = Infinity): Promise<Record<string, string>[]> {
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  const found: Record<string, string>[] = [];
  let text = "";
  for (let next; found.length < count && !(next = await reader.read()).done;) {
    text += next.value;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      const lines = text.slice(0, end).split("\n").map((line) => line.split(/: ?(.*)/s));
      found.push(Object.fromEntries(lines));
    }
  }
  await reader.cancel();
  return found;
}
