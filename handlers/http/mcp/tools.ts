/**
 * The four tools (http.md §10): what operations there are, what one of them takes, and calls of one or several.
 *
 * @module
 */
import { foreign, type Identity, type Logger } from "@alknet/core/handler";
import {
  CallError,
  type Dispatcher,
  errorPayload,
  type JsonObject,
  type JsonValue,
  operationName,
} from "@alknet/core/operations";
import type { CallToolResult, Tool } from "@modelcontextprotocol/sdk/types.js";
import { invalid } from "../request/invalid.ts";
import { parseJson } from "../request/request_body.ts";
import { type AskedCall, askedCall, jsonText } from "../surface/calls.ts";
import { describe } from "../surface/descriptions.ts";

/** What a tool works with. */
export interface ToolOrigin {
  /** Runs the calls. */
  readonly dispatcher: Dispatcher;
  /** Who asks. */
  readonly identity: Identity | undefined;
  /** Aborts the calls. */
  readonly signal: AbortSignal;
  /** Calls in one batch. */
  readonly batch: number;
  /** Learns what the client is not told. */
  readonly log: Logger;
}

const OPERATION = { type: "string", description: "name of the operation, as search gives it" };
const INPUT = {
  type: ["object", "array", "string", "number", "boolean", "null"],
  description: "input of the operation, as its schema asks for; absent is null",
};

/** The tools as they are listed: part of the contract, and the same for everyone. */
export const TOOLS: Tool[] = [
  {
    name: "search",
    description: "Lists the operations that you may call, by name and description. Look here first.",
    inputSchema: {
      type: "object",
      properties: {
        query: { type: "string", description: "only operations whose name or description holds this text" },
      },
    },
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  {
    name: "schema",
    description: "Describes one operation: the JSON Schemas of its input, output and errors. Look here before a call.",
    inputSchema: { type: "object", properties: { name: OPERATION }, required: ["name"] },
    annotations: { readOnlyHint: true, openWorldHint: false },
  },
  {
    name: "call",
    description: "Calls one operation and gives its output; an output that is no object comes as the member value.",
    inputSchema: { type: "object", properties: { operation: OPERATION, input: INPUT }, required: ["operation"] },
  },
  {
    name: "batch",
    description: "Calls several operations at once, in no order. One that fails does not undo another.",
    inputSchema: {
      type: "object",
      properties: {
        calls: {
          type: "array",
          items: { type: "object", properties: { operation: OPERATION, input: INPUT }, required: ["operation"] },
        },
      },
      required: ["calls"],
    },
  },
];

/** Runs a tool. What fails is a result too; only an abort rejects. */
export async function runTool(name: string, args: JsonObject, origin: ToolOrigin): Promise<CallToolResult> {
  try {
    return resultOf(await outputOf(name, args, origin));
  } catch (error) {
    if (error instanceof CallError) return failure(error);
    throw error;
  }
}

/** A failure as result. */
export function failure(error: CallError): CallToolResult {
  return { ...resultOf({ ...errorPayload(error) }), isError: true };
}

function outputOf(name: string, args: JsonObject, origin: ToolOrigin): JsonObject | Promise<JsonObject> {
  switch (name) {
    case "search":
      return search(args, origin);
    case "schema":
      return schema(args, origin);
    case "call":
      return call(args, origin);
    case "batch":
      return batch(args, origin);
    default:
      throw new CallError("NOT_FOUND", `tool not found: ${name}; there are search, schema, call and batch`);
  }
}

function search({ query = "" }: JsonObject, { dispatcher, identity }: ToolOrigin): JsonObject {
  if (typeof query !== "string") throw invalid("query must be a string");
  const wanted = query.toLowerCase();
  const operations: JsonValue[] = [];
  for (const { spec } of dispatcher.permitted(identity)) {
    if (spec.op_type === "subscription") continue;
    const { name } = spec;
    const description = describe(spec);
    if (`${name}\n${description}`.toLowerCase().includes(wanted)) operations.push({ name, description });
  }
  return { operations };
}

async function schema({ name }: JsonObject, origin: ToolOrigin): Promise<JsonObject> {
  if (typeof name !== "string" || name === "") throw invalid("missing required field: name");
  return await output({ operation: "services/schema", input: { name } }, origin) as JsonObject;
}

async function call({ operation, input = null }: JsonObject, origin: ToolOrigin): Promise<JsonObject> {
  const value = await output({ operation, input }, origin);
  return isObject(value) ? value : { value };
}

async function batch({ calls: given }: JsonObject, origin: ToolOrigin): Promise<JsonObject> {
  const calls = typeof given === "string" ? written(given) : given;
  if (!Array.isArray(calls)) throw invalid("calls must be an array");
  if (calls.length > origin.batch) throw invalid(`a batch has ${origin.batch} calls at most`);
  const results = await Promise.all(calls.map(async (entry: JsonValue): Promise<JsonValue> => {
    try {
      return { isError: false, output: await output(entry, origin) };
    } catch (error) {
      if (error instanceof CallError) return { isError: true, error: { ...errorPayload(error) } };
      throw error;
    }
  }));
  return { results };
}

/** Calls, and gives what of the output is JSON. */
async function output(entry: JsonValue, { dispatcher, identity, signal, log }: ToolOrigin): Promise<JsonValue> {
  const asked = askedCall(entry);
  if (!("operation" in asked)) throw asked;
  const { operation } = asked;
  const input = meant(asked, dispatcher);
  const text = jsonText(await dispatcher.call({ operation, input, identity }, signal));
  if (text !== undefined) return JSON.parse(text);
  log.warn("{operation} gave an output that is not JSON", { operation: foreign(operationName(operation)) });
  throw new CallError("INTERNAL", "handler failed");
}

/** The input; where a client wrote one as text that would not do as text, what the text says. */
function meant({ operation, input }: AskedCall, { registry }: Dispatcher): JsonValue {
  if (typeof input !== "string") return input;
  const fault = registry.find(operationName(operation))?.checkInput(input);
  return fault === undefined ? input : written(input);
}

/** What a text says as JSON, if it is any; else the text. */
function written(text: string): JsonValue {
  const read = parseJson(text);
  return "value" in read ? read.value : text;
}

function resultOf(structuredContent: JsonObject): CallToolResult {
  return {
    structuredContent: { ...structuredContent },
    content: [{ type: "text", text: JSON.stringify(structuredContent) }],
  };
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
