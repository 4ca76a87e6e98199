/**
 * A foreign MCP server, made with the official library.
 *
 * @module
 */
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import {
  CallToolRequestSchema,
  type CallToolResult,
  ListToolsRequestSchema,
  type ListToolsResult,
  McpError,
} from "@modelcontextprotocol/sdk/types.js";

interface Paged {
  readonly params?: { readonly cursor?: string };
}

interface Called {
  readonly params: { readonly name: string; readonly arguments?: Record<string, unknown> };
}

interface Running {
  readonly signal: AbortSignal;
}

const object = { type: "object" as const };
const text = (value: string): CallToolResult => ({ content: [{ type: "text", text: value }] });

/** Tools, by the page on which they are listed. */
const PAGES: ListToolsResult["tools"][] = [
  [
    {
      name: "add",
      description: "adds two numbers",
      inputSchema: { ...object, properties: { a: { type: "number" }, b: { type: "number" } }, required: ["a", "b"] },
      outputSchema: { ...object, properties: { sum: { type: "number" } } },
    },
    { name: "say", inputSchema: object },
  ],
  [
    { name: "say json", inputSchema: object },
    { name: "blocks", inputSchema: object },
    { name: "fail", inputSchema: object },
    { name: "fail_structured", inputSchema: object },
    { name: "refuse", inputSchema: object },
    { name: "wait", inputSchema: object },
  ],
];

/** The server. A session is lost when {@linkcode forget} is called. */
export class McpService implements AsyncDisposable {
  /** Bearer tokens that came, one a request. */
  readonly tokens: (string | null)[] = [];
  /** Resolves when `wait` runs. */
  readonly waiting = Promise.withResolvers<void>();
  /** Resolves when `wait` was aborted. */
  readonly aborted = Promise.withResolvers<void>();
  /** Sessions begun. */
  begun = 0;
  readonly #token: string | undefined;
  readonly #tools: ListToolsResult["tools"][];
  readonly #transports = new Map<string, WebStandardStreamableHTTPServerTransport>();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /**
   * @param token What requests must bring.
   * @param tools Tools by page.
   */
  constructor(token?: string, tools = PAGES) {
    this.#token = token;
    this.#tools = tools;
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => this.#answer(request));
  }

  /** Where it speaks streamable HTTP. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/mcp`;
  }

  /** Loses its sessions, as a server does that is started again. */
  async forget(): Promise<void> {
    const transports = [...this.#transports.values()];
    this.#transports.clear();
    for (const transport of transports) await transport.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.forget();
    await this.#server.shutdown();
  }

  async #answer(request: Request): Promise<Response> {
    const token = request.headers.get("authorization");
    this.tokens.push(token);
    if (this.#token !== undefined && token !== `Bearer ${this.#token}`) return new Response(null, { status: 401 });
    const id = request.headers.get("mcp-session-id");
    if (id === null) return await (await this.#begin()).handleRequest(request);
    const transport = this.#transports.get(id);
    return transport ? await transport.handleRequest(request) : new Response("no session", { status: 404 });
  }

  async #begin(): Promise<WebStandardStreamableHTTPServerTransport> {
    const transport: WebStandardStreamableHTTPServerTransport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id: string) => {
        this.begun++;
        this.#transports.set(id, transport);
      },
    });
    const server = new Server({ name: "foreign", version: "1" }, { capabilities: { tools: {} } });
    server.setRequestHandler(ListToolsRequestSchema, ({ params }: Paged) => {
      const page = Number(params?.cursor ?? 0);
      const nextCursor = page + 1 < this.#tools.length ? String(page + 1) : undefined;
      return { tools: this.#tools[page], nextCursor };
    });
    server.setRequestHandler(CallToolRequestSchema, async ({ params }: Called, { signal }: Running) => {
      const { name, arguments: args = {} } = params;
      const { a, b } = args as { a: number; b: number };
      switch (name) {
        case "add":
          return { structuredContent: { sum: a + b }, content: [] };
        case "say":
          return text("plain text");
        case "say json":
          return text('{"n":1}');
        case "blocks":
          return { content: [{ type: "text", text: "one" }, { type: "text", text: "two" }] };
        case "fail":
          return { ...text("no more paper"), isError: true };
        case "fail_structured": {
          const structuredContent = { code: "PAPER", message: "no more", retryable: true, details: { left: 0 } };
          return { structuredContent, content: [], isError: true };
        }
        case "wait":
          this.waiting.resolve();
          await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
          this.aborted.resolve();
          return text("late");
        default:
          throw new McpError(-32602, "refused");
      }
    });
    await server.connect(transport);
    return transport;
  }
}
