/**
 * Answers of the API: JSON, and errors with their status (http.md §5, §7).
 *
 * @module
 */
import {
  CallError,
  type CallErrorPayload,
  errorPayload,
  type JsonValue,
  type OperationSpec,
} from "@alknet/core/operations";
import type { Caller } from "../request/bearer.ts";
import { REFUSED_SECONDS } from "../limits.ts";
import { namedResponse } from "./server_name.ts";

const STATUS: Readonly<Record<string, number>> = {
  NOT_FOUND: 404,
  INVALID_INPUT: 422,
  INVALID_OPERATION_TYPE: 400,
  TIMEOUT: 504,
  INTERNAL: 500,
};
/** RFC 9110 §5.6.7, the form that is sent today. */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/;

/** What an error answer depends on. */
export interface ErrorAnswerOptions {
  /** Who asked. */
  readonly caller: Caller;
  /** The operation, whose declared errors may name a status. */
  readonly spec?: OperationSpec;
  /** Stands over what the code would give. */
  readonly status?: number;
  /** Id of the request, where it became a call. */
  readonly requestId?: string;
}

/** An answer of the API: JSON, for this caller alone. `body` is JSON text. */
export function apiAnswer(body: string, status = 200, extra?: Readonly<Record<string, string>>): Response {
  return namedResponse(body, status, {
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...extra,
  });
}

/** An error as answer: the bare payload of `call.error`, with its status and the headers that belong to it. */
export function errorAnswer(error: CallError, options: ErrorAnswerOptions): Response {
  const { caller, spec, requestId } = options;
  const status = options.status ?? statusOf(error, caller, spec);
  const extra: Record<string, string> = {};
  if (requestId !== undefined) extra["x-request-id"] = requestId;
  if (status === 401) extra["www-authenticate"] = caller.unknownToken ? 'Bearer error="invalid_token"' : "Bearer";
  const wait = retryAfter(error, status);
  if (wait !== undefined) extra["retry-after"] = wait;
  return apiAnswer(JSON.stringify(errorPayload(error)), status, extra);
}

/** The answer to whoever shows a credential that counts for nothing, on every path of the API (http.md §4). */
export function credentialRefusal(caller: Caller): Response | undefined {
  if (caller.refused) return refusedAnswer(caller);
  if (!caller.unknownToken) return;
  return errorAnswer(new CallError("FORBIDDEN", "the bearer token is not valid here"), { caller, status: 401 });
}

/** What whoever guesses tokens is told. */
function refusedAnswer(caller: Caller): Response {
  const error = new CallError("FORBIDDEN", "too many failed authentications", {
    retryable: true,
    details: { retry_after: REFUSED_SECONDS },
  });
  return errorAnswer(error, { caller, status: 429 });
}

/** The status of an error (http.md §7). */
export function statusOf({ code }: CallErrorPayload | CallError, caller: Caller, spec?: OperationSpec): number {
  if (code === "FORBIDDEN") return caller.identity ? 403 : 401;
  if (Object.hasOwn(STATUS, code)) return STATUS[code];
  const declared = spec?.error_schemas.find((definition) => definition.code === code)?.http_status;
  if (typeof declared === "number") return isErrorStatus(declared) ? declared : 500;
  const foreign = /^HTTP_(\d+)$/.exec(code);
  if (foreign) return isErrorStatus(Number(foreign[1])) ? Number(foreign[1]) : 502;
  return 500;
}

function isErrorStatus(status: number): boolean {
  return Number.isInteger(status) && status >= 400 && status <= 599;
}

function retryAfter({ retryable, details }: CallError, status: number): string | undefined {
  if (!retryable || (status !== 429 && status !== 503)) return;
  const wait: JsonValue | undefined = typeof details === "object" && details !== null && "retry_after" in details
    ? details.retry_after
    : undefined;
  if (typeof wait === "number") return Number.isSafeInteger(wait) && wait >= 0 ? `${wait}` : undefined;
  return typeof wait === "string" && (/^\d{1,15}$/.test(wait) || HTTP_DATE.test(wait)) ? wait : undefined;
}
