/**
 * The tools of an MCP server as operations (http.md §11.4).
 *
 * @module
 */
import {
  CallError,
  type Capabilities,
  capabilitiesOf,
  errorOfPayload,
  type HandlerRegistration,
  ImportError,
  type JsonObject,
  type JsonValue,
  nameFault,
  namespaceOf,
  type OperationContext,
  type OperationSpec,
  schemaCheck,
  schemaFault,
} from "@alknet/core/operations";
import type { McpServer } from "./mcp_server.ts";
import { isRecord } from "./openapi_document.ts";
import { type OutboundClient, sharedOutboundClient } from "./outbound_client.ts";

/** An MCP server. */
export interface McpServiceConfig {
  /** Where it speaks streamable HTTP: an absolute `http` or `https` URL. */
  readonly url: string;
  /** First segment of the operations' names, and the name under which capabilities hold the credential. Default: none. */
  readonly namespace?: string;
  /** How the credential is sent; it needs a namespace. Default: none is. */
  readonly auth?: { readonly type: "bearer" };
  /** Where the import itself finds the credential. Calls find it in the capabilities of the operation. */
  readonly capabilities?: Capabilities;
  /** Default: one that all services share. */
  readonly client?: OutboundClient;
}

/** Tools as operations, and the sessions behind them. */
export interface McpImport extends AsyncDisposable {
  /** Leaves, not visible from the wire: a local operation composes them. */
  readonly registrations: readonly HandlerRegistration[];
}

/** Most tools that one import takes: a server must not fill the memory of who asks it. */
const MOST_TOOLS = 10_000;
/** Time limits are the call's own: the client's would stand beside them. Milliseconds, as long as timers take. */
const NO_TIMEOUT = 2 ** 31 - 1;

/** A tool, as far as it is looked at. */
interface Tool {
  readonly name: string;
  readonly description?: string;
  readonly inputSchema: unknown;
  readonly outputSchema?: unknown;
}

interface ToolPage {
  readonly tools: readonly Tool[];
  readonly nextCursor?: string;
}

/**
 * Connects to an MCP server and makes a mutation of each of its tools. Disposing of the import ends its sessions; calls
 * after that begin new ones.
 *
 * @throws {ImportError} `UNAUTHORIZED`: the server wants another credential. `DISCOVERY_FAILED`: it gave no list.
 * `SCHEMA_PARSE`: what it lists is no description, or two tools would have one name.
 */
export async function fromMcp(config: McpServiceConfig): Promise<McpImport> {
  const { namespace, client, capabilities = capabilitiesOf({}) } = config;
  const url = checkedUrl(config);
  // Loaded when it is needed: the official client is large.
  const { McpServer } = await import("./mcp_server.ts");
  const server = new McpServer(url, client ?? sharedOutboundClient());
  try {
    const tools = await listTools(server, credentialOf(config, capabilities), url);
    const byName = new Map<string, HandlerRegistration>();
    for (const tool of tools) {
      const registration = toolOperation(tool, namespace, server, config);
      const { name } = registration.spec;
      if (byName.has(name)) throw unreadable(url, `gives the name ${name} to two tools, one of them ${tool.name}`);
      byName.set(name, registration);
    }
    return { registrations: [...byName.values()], [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
}

function checkedUrl({ url: text, namespace, auth }: McpServiceConfig): URL {
  const url = URL.parse(text);
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:") || url.username || url.password) {
    throw new ImportError("SCHEMA_PARSE", "the URL of an MCP server must be absolute, http(s) and without user");
  }
  const fault = namespace === undefined ? undefined : nameFault(namespace);
  if (fault !== undefined) throw new ImportError("SCHEMA_PARSE", `namespace ${JSON.stringify(namespace)} ${fault}`);
  if (auth && namespace === undefined) {
    throw new ImportError("SCHEMA_PARSE", "a credential is found by namespace: name one");
  }
  return url;
}

/** Read at each call, from capabilities alone. */
function credentialOf({ auth, namespace }: McpServiceConfig, capabilities: Capabilities): string | undefined {
  if (!auth) return;
  const credential = capabilities.get(namespace!);
  if (typeof credential === "string" && credential !== "") return credential;
  throw new CallError("INTERNAL", `no credential for service ${namespace}`);
}

async function listTools(server: McpServer, credential: string | undefined, url: URL): Promise<Tool[]> {
  const tools: Tool[] = [];
  try {
    for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
      const page: ToolPage = await server.ask(
        credential,
        (client) => client.listTools(cursor === undefined ? {} : { cursor }),
      );
      tools.push(...page.tools);
      if (tools.length > MOST_TOOLS) throw new TypeError(`more than ${MOST_TOOLS} tools`);
      cursor = page.nextCursor;
    }
    return tools;
  } catch (cause) {
    if (cause instanceof CallError) throw cause;
    const { code } = cause as { code?: unknown };
    if (code === 401) throw new ImportError("UNAUTHORIZED", `${url.origin} refuses the credential, or its absence`);
    throw new ImportError("DISCOVERY_FAILED", `${url.origin} gave no list of tools`, { cause });
  }
}

function toolOperation(
  { name: tool, description, inputSchema, outputSchema = {} }: Tool,
  namespace: string | undefined,
  server: McpServer,
  config: McpServiceConfig,
): HandlerRegistration {
  const own = tool.replaceAll(/[^A-Za-z0-9_.-]/g, "_");
  const name = namespace === undefined ? own : `${namespace}/${own}`;
  const where = new URL(config.url);
  const fault = nameFault(name);
  if (fault !== undefined) throw unreadable(where, `has the tool ${JSON.stringify(tool.slice(0, 64))}, which ${fault}`);
  for (const schema of [inputSchema, outputSchema]) {
    const wrong = schemaFault(schema as JsonValue);
    if (wrong !== undefined) throw unreadable(where, `gives ${own} a schema that ${wrong}`);
  }
  const spec: OperationSpec = Object.freeze({
    name,
    namespace: namespaceOf(name),
    op_type: "mutation",
    visibility: "internal",
    ...(description !== undefined && { description }),
    input_schema: inputSchema as JsonValue,
    output_schema: outputSchema as JsonValue,
    error_schemas: [],
    access_control: { required_scopes: [] },
  });
  return {
    spec,
    handler: { kind: "once", fn: (input, context) => callTool(tool, input, context, server, config) },
    provenance: "from_mcp",
    capabilities: capabilitiesOf({}),
    checkInput: schemaCheck(spec.input_schema, "foreign"),
  };
}

async function callTool(
  name: string,
  input: JsonValue,
  { capabilities, signal }: OperationContext,
  server: McpServer,
  config: McpServiceConfig,
): Promise<JsonValue> {
  const credential = credentialOf(config, capabilities);
  let result: JsonObject;
  try {
    const request = { name, arguments: isRecord(input) ? { ...input } : {} };
    result = await server.ask(
      credential,
      (client) => client.callTool(request, undefined, { signal, timeout: NO_TIMEOUT }),
      signal,
    ) as JsonObject;
  } catch (cause) {
    signal.throwIfAborted();
    throw new CallError("INTERNAL", `the tool ${name} gave no answer`, { cause });
  }
  if (result.isError === true) throw failureOf(name, result);
  return outputOf(result);
}

/** Structured content; else the one text, as JSON where it is some; else the blocks. */
function outputOf({ structuredContent, content }: JsonObject): JsonValue {
  if (structuredContent !== undefined) return structuredContent;
  const text = onlyText(content);
  if (text === undefined) return content ?? null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** A failure that the server states as ours do is taken over; else its text is the message. */
function failureOf(name: string, { structuredContent, content }: JsonObject): CallError {
  if (isRecord(structuredContent) && typeof structuredContent.code === "string") {
    const { message, retryable } = structuredContent;
    if (typeof message === "string" && typeof retryable === "boolean") return errorOfPayload(structuredContent);
  }
  return new CallError("INTERNAL", onlyText(content) ?? `the tool ${name} failed`);
}

function onlyText(content: JsonValue | undefined): string | undefined {
  if (!Array.isArray(content) || content.length !== 1) return;
  const [block] = content;
  return isRecord(block) && block.type === "text" && typeof block.text === "string" ? block.text : undefined;
}

function unreadable({ origin }: URL, fault: string): ImportError {
  return new ImportError("SCHEMA_PARSE", `${origin} ${fault}`);
}
