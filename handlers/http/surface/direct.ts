/**
 * The direct surface: each operation at the path that is its name (http.md §12).
 *
 * Checks come in this order: is there such an operation (else the decoy, the same for internal ones), may the caller call
 * it, does the method fit its type, is the input right. A caller without rights is not told the type.
 *
 * @module
 */
import type { CallError, Dispatcher, JsonValue, OperationSpec } from "@alknet/core/operations";
import { apiAnswer, credentialRefusal, errorAnswer } from "../answers/answers.ts";
import type { RequestBindings } from "../request/bindings.ts";
import { type CallOrigin, type CallOutcome, runCall } from "./calls.ts";
import { answerSubscription } from "./event_stream.ts";
import { queryInput } from "./direct_input.ts";
import type { HttpLimits } from "../limits.ts";
import { type Body, readJson } from "../request/request_body.ts";
import { admitsEvents, notAcceptable, notAllowed } from "../answers/negotiation.ts";
import { rawPath } from "../request/raw_path.ts";

const METHODS: Readonly<Record<OperationSpec["op_type"], readonly string[]>> = {
  query: ["GET", "HEAD", "POST"],
  mutation: ["POST"],
  subscription: ["GET", "POST"],
};

/** Answers a request whose path names an operation that the wire reaches; nothing for any other. */
export function answerDirectly(
  request: Request,
  bindings: RequestBindings,
  dispatcher: Dispatcher,
  limits: HttpLimits,
): Promise<Response> | Response | undefined {
  const spec = dispatcher.registry.find(rawPath(request.url).slice(1))?.spec;
  if (spec?.visibility !== "external") return;
  return credentialRefusal(bindings.caller) ?? answer({ dispatcher, request, bindings }, spec, limits);
}

function answer(
  origin: CallOrigin,
  spec: OperationSpec,
  limits: HttpLimits,
): Promise<Response> | Response {
  const fits = METHODS[spec.op_type].includes(origin.request.method);
  const read = fits ? readInput(origin, spec, limits) : { value: null };
  // What can be answered at once is: each wait costs as much as looking the operation up.
  return read instanceof Promise
    ? read.then((body) => answerRead(origin, spec, limits, fits, body))
    : answerRead(origin, spec, limits, fits, read);
}

function answerRead(
  origin: CallOrigin,
  spec: OperationSpec,
  limits: HttpLimits,
  fits: boolean,
  read: Body,
): Promise<Response> | Response {
  const { request, bindings: { caller } } = origin;
  // Without an input whose id could be looked up, rights are those over all resources of the type.
  const input: JsonValue = "value" in read ? read.value : null;
  if (!fits || !("value" in read)) {
    const denied = deniedAnswer(origin, spec, input);
    if (denied) return denied;
    return "value" in read
      ? notAllowed(METHODS[spec.op_type])
      : errorAnswer(read.error, { caller, status: read.status });
  }
  const asked = { operation: spec.name, input };
  if (spec.op_type === "subscription") {
    const takes = admitsEvents(request.headers.get("accept"));
    return takes
      ? answerSubscription(origin, asked, limits.keepAlive)
      : deniedAnswer(origin, spec, input) ?? notAcceptable(caller);
  }
  const outcome = runCall(origin, asked);
  return outcome instanceof Promise ? outcome.then(outcomeAnswer) : outcomeAnswer(outcome);

  function outcomeAnswer({ requestId, output, error }: CallOutcome): Response {
    if (error) return errorAnswer(error, { caller, spec, requestId });
    return apiAnswer(output!, 200, { "x-request-id": requestId });
  }
}

function readInput({ request, bindings }: CallOrigin, spec: OperationSpec, limits: HttpLimits): Body | Promise<Body> {
  if (request.method === "POST") return readJson(request, limits, bindings);
  const at = request.url.indexOf("?");
  return queryInput(at < 0 ? "" : request.url.slice(at + 1), spec);
}

/** The answer to a caller who may not call, whatever else is wrong: asking for the kind of answer that the operation does
 * not give has its rights checked, and nothing run. */
function deniedAnswer(
  { dispatcher, bindings }: CallOrigin,
  spec: OperationSpec,
  input: JsonValue,
): Response | undefined {
  let denied: CallError | undefined;
  const answer = spec.op_type === "subscription" ? "once" : "stream";
  dispatcher.dispatch({ operation: spec.name, input, identity: bindings.identity, answer }, {
    responded: () => {},
    completed: () => {},
    failed: (error) => void (denied = error),
  });
  return denied?.code === "FORBIDDEN" ? errorAnswer(denied, { caller: bindings.caller, spec }) : undefined;
}
