/**
 * Requests as calls: what a body says, and the call that comes of it (http.md §4, §5.3).
 *
 * @module
 */
import {
  CallError,
  type Dispatcher,
  type JsonObject,
  type JsonValue,
  operationName,
  type OperationSpec,
} from "@alknet/core/operations";
import { foreign } from "@alknet/core/handler";
import { invalid } from "../request/invalid.ts";
import type { RequestBindings } from "../request/bindings.ts";
import { watchDeparture } from "../request/departure.ts";

/** A call as a request asks for it. */
export interface AskedCall {
  /** Name, with or without a leading slash. */
  readonly operation: string;
  /** `null` when absent. */
  readonly input: JsonValue;
  /** The caller's wish, in milliseconds. */
  readonly timeoutMs?: number;
}

/** How a call ended. */
export interface CallOutcome {
  /** Id of the request. */
  readonly requestId: string;
  /** The output as JSON text, if it succeeded. */
  readonly output?: string;
  /** Why not, if it failed. */
  readonly error?: CallError;
}

/** What of a request a call needs. */
export interface CallOrigin {
  /** Runs it. */
  readonly dispatcher: Dispatcher;
  /** Watched for its client's leaving. */
  readonly request: Request;
  /** Says who asks. */
  readonly bindings: RequestBindings;
}

/** Reads `{ operation, input?, timeout_ms? }`; an error says what is wrong with it. */
export function askedCall(value: JsonValue): AskedCall | CallError {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return invalid("a call is an object with the member operation");
  }
  const { operation, input = null, timeout_ms } = value as JsonObject;
  if (operation === undefined) return invalid("missing required field: operation");
  if (typeof operation !== "string" || operation === "") return invalid("operation must be a string that is not empty");
  if (timeout_ms === undefined) return { operation, input };
  if (typeof timeout_ms === "number" && Number.isSafeInteger(timeout_ms) && timeout_ms > 0) {
    return { operation, input, timeoutMs: timeout_ms };
  }
  return invalid("timeout_ms must be a positive integer");
}

/** Runs a query or mutation; the outcome is there at once if the handler's is. Never rejects; a client that leaves aborts it. */
export function runCall(origin: CallOrigin, asked: AskedCall): Promise<CallOutcome> | CallOutcome {
  const { dispatcher, request, bindings } = origin;
  const requestId = crypto.randomUUID();
  let outcome: CallOutcome | undefined;
  let settle = (early: CallOutcome): void => void (outcome = early);
  const running = dispatcher.dispatch({ ...asked, id: requestId, identity: bindings.identity, answer: "once" }, {
    responded: (output) => settle(jsonOutcome(origin, asked, requestId, output)),
    completed: () => {},
    failed: (error) => settle({ requestId, error }),
  });
  if (outcome) return outcome;
  return new Promise((resolve) => {
    const unwatch = watchDeparture(request, () => {
      running.abort();
      settle({ requestId, error: new CallError("INTERNAL", "request cancelled") });
    });
    settle = (late) => {
      unwatch();
      resolve(late);
    };
  });
}

/** The spec of an operation that callers may know of, for the statuses of its errors. */
export function specOf(dispatcher: Dispatcher, name: string): OperationSpec | undefined {
  return dispatcher.registry.find(operationName(name))?.spec;
}

/** What a handler returns may not be JSON; types are not checked at run time. */
function jsonOutcome(origin: CallOrigin, asked: AskedCall, requestId: string, output: JsonValue): CallOutcome {
  const text = jsonText(output);
  if (text !== undefined) return { requestId, output: text };
  const operation = operationName(asked.operation);
  origin.bindings.context.log.warn("{operation} gave an output that is not JSON", { operation: foreign(operation) });
  return { requestId, error: new CallError("INTERNAL", "handler failed") };
}

/** A value as JSON text, or nothing if it is not JSON. */
export function jsonText(value: JsonValue): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}
