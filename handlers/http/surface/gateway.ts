/**
 * The gateway: five fixed paths through which every operation is found, described and called (http.md §5).
 *
 * @module
 */
import {
  type CallError,
  type Dispatcher,
  errorPayload,
  type JsonValue,
  type OperationSpec,
} from "@alknet/core/operations";
import type { Context } from "hono";
import { apiAnswer, credentialRefusal, errorAnswer } from "../answers/answers.ts";
import { invalid } from "../request/invalid.ts";
import { type AskedCall, askedCall, type CallOrigin, type CallOutcome, runCall, specOf } from "./calls.ts";
import { answerSubscription } from "./event_stream.ts";
import type { HttpLimits } from "../limits.ts";
import { parseJson, readJson } from "../request/request_body.ts";
import { admitsEvents, notAcceptable, notAllowed } from "../answers/negotiation.ts";
import type { HttpApp, HttpEnv } from "../request/env.ts";
import { describe } from "./descriptions.ts";

type RouteContext = Context<HttpEnv>;
type Route = (c: RouteContext) => Response | Promise<Response>;

/** Adds the paths, and `405` for methods that they do not have. */
export function addGateway(app: HttpApp, dispatcher: Dispatcher, limits: HttpLimits): void {
  const add = (path: string, methods: Readonly<Record<string, Route>>): void => {
    for (const [method, route] of Object.entries(methods)) {
      app.on(method, path, (c) => credentialRefusal(c.env.caller) ?? route(c));
    }
    const allow = Object.keys(methods).flatMap((method) =>
      path !== "/subscribe" && method === "GET" ? ["GET", "HEAD"] : method
    );
    app.all(path, () => notAllowed(allow));
  };
  add("/search", { GET: (c) => search(c, dispatcher) });
  add("/schema", { GET: (c) => schema(c, dispatcher) });
  add("/call", { POST: (c) => call(c, dispatcher, limits) });
  add("/batch", { POST: (c) => batch(c, dispatcher, limits) });
  add("/subscribe", {
    GET: (c) => subscribeByQuery(c, dispatcher, limits),
    POST: (c) => subscribeByBody(c, dispatcher, limits),
  });
}

function search(c: RouteContext, dispatcher: Dispatcher): Response {
  const wanted = c.req.query("query")?.toLowerCase() ?? "";
  const operations: JsonValue[] = [];
  for (const { spec } of dispatcher.permitted(c.env.identity)) {
    const { name, namespace, op_type } = spec;
    const description = describe(spec);
    if (!name.toLowerCase().includes(wanted) && !description.toLowerCase().includes(wanted)) continue;
    operations.push({ name, namespace, op_type, description });
  }
  return wrapped({ requestId: crypto.randomUUID(), output: JSON.stringify({ operations }) });
}

async function schema(c: RouteContext, dispatcher: Dispatcher): Promise<Response> {
  const { caller } = c.env;
  const name = c.req.query("name");
  if (!name) return errorAnswer(invalid("missing required parameter: name"), { caller });
  const outcome = await runCall(originOf(c, dispatcher), { operation: "services/schema", input: { name } });
  return outcomeAnswer(c, outcome);
}

async function call(c: RouteContext, dispatcher: Dispatcher, limits: HttpLimits): Promise<Response> {
  const asked = await readCall(c, limits);
  if (asked instanceof Response) return asked;
  return outcomeAnswer(c, await runCall(originOf(c, dispatcher), asked), specOf(dispatcher, asked.operation));
}

async function batch(c: RouteContext, dispatcher: Dispatcher, limits: HttpLimits): Promise<Response> {
  const { batch } = limits;
  const { caller } = c.env;
  const read = await readJson(c.req.raw, limits, c.env);
  if (!("value" in read)) return errorAnswer(read.error, { caller, status: read.status });
  const { value } = read;
  if (!Array.isArray(value)) return errorAnswer(invalid("a batch is an array of calls"), { caller });
  if (value.length > batch) return errorAnswer(invalid(`a batch has ${batch} calls at most`), { caller });
  const origin = originOf(c, dispatcher);
  const results = await Promise.all(value.map(async (entry: JsonValue) => {
    const asked = askedCall(entry);
    return entryText("operation" in asked ? await runCall(origin, asked) : { error: asked });
  }));
  return apiAnswer(`{"results":[${results.join(",")}]}`);
}

function entryText({ requestId, output, error }: Partial<CallOutcome>): string {
  return error
    ? JSON.stringify({ request_id: requestId ?? null, result: "error", error: errorPayload(error) })
    : wrapper(requestId!, output!);
}

async function subscribeByBody(c: RouteContext, dispatcher: Dispatcher, limits: HttpLimits): Promise<Response> {
  const asked = await readCall(c, limits);
  return asked instanceof Response ? asked : subscribe(c, dispatcher, asked, limits);
}

function subscribeByQuery(c: RouteContext, dispatcher: Dispatcher, limits: HttpLimits): Response {
  // Hono asks the route of GET.
  if (c.req.method === "HEAD") return notAllowed(["GET", "POST"]);
  const { caller } = c.env;
  const input = parseJson(c.req.query("input") ?? "null");
  if (!("value" in input)) return errorAnswer(input.error, { caller, status: input.status });
  const asked = askedCall({ operation: c.req.query("operation") ?? "", input: input.value });
  return "operation" in asked ? subscribe(c, dispatcher, asked, limits) : errorAnswer(asked, { caller });
}

function subscribe(c: RouteContext, dispatcher: Dispatcher, asked: AskedCall, limits: HttpLimits): Response {
  if (!admitsEvents(c.req.raw.headers.get("accept"))) return notAcceptable(c.env.caller);
  return answerSubscription(originOf(c, dispatcher), asked, limits.keepAlive);
}

/** The call that a body asks for, or the answer to a body that asks for none. */
async function readCall(c: RouteContext, limits: HttpLimits): Promise<AskedCall | Response> {
  const { caller } = c.env;
  const read = await readJson(c.req.raw, limits, c.env);
  if (!("value" in read)) return errorAnswer(read.error, { caller, status: read.status });
  const asked: AskedCall | CallError = askedCall(read.value);
  return "operation" in asked ? asked : errorAnswer(asked, { caller });
}

function originOf(c: RouteContext, dispatcher: Dispatcher): CallOrigin {
  return { dispatcher, request: c.req.raw, bindings: c.env };
}

function outcomeAnswer(c: RouteContext, outcome: CallOutcome, spec?: OperationSpec): Response {
  const { error, requestId } = outcome;
  return error ? errorAnswer(error, { caller: c.env.caller, spec, requestId }) : wrapped(outcome);
}

function wrapped({ requestId, output }: CallOutcome): Response {
  return apiAnswer(wrapper(requestId, output!), 200, { "x-request-id": requestId });
}

function wrapper(requestId: string, output: string): string {
  return `{"request_id":"${requestId}","result":"ok","output":${output}}`;
}
