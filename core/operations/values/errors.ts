/**
 * How calls fail: the six codes of the protocol, the codes that operations declare, and what of a handler's failure a
 * caller is told (call.md §8).
 *
 * @module
 */
import { AlknetError } from "../../errors.ts";
import { isObject, type JsonValue } from "./json.ts";
import { MAX_NAME_LENGTH } from "./names.ts";

/** The codes of the protocol itself (call.md §8.1). No operation may declare one of them. */
export const PROTOCOL_CODES = [
  "NOT_FOUND",
  "FORBIDDEN",
  "INVALID_INPUT",
  "INVALID_OPERATION_TYPE",
  "INTERNAL",
  "TIMEOUT",
] as const;

/** One of the codes of the protocol. */
export type ProtocolCode = typeof PROTOCOL_CODES[number];

/** What {@linkcode CallError} takes beside code and message. */
export interface CallErrorOptions extends ErrorOptions {
  /** Whether the same call may succeed later. Default `false`. */
  readonly retryable?: boolean;
  /** What the declared schema of the code describes. Absent is not `null`. */
  readonly details?: JsonValue;
}

/** A call that failed. Handlers throw it with a code that their operation declares; callers switch on `code`. */
export class CallError extends AlknetError {
  /** `CallError`. */
  override readonly name = "CallError";
  /** Whether the same call may succeed later; a hint, nothing retries by itself. */
  readonly retryable: boolean;
  /** What the declared schema of the code describes; `undefined` when there is none. */
  readonly details: JsonValue | undefined;

  /**
   * A failure that the caller is told.
   *
   * @param code A code that the operation declares, or one of {@linkcode PROTOCOL_CODES}.
   * @param message For people; never a secret.
   * @param options Details and whether to try again.
   */
  constructor(code: string, message: string, options: CallErrorOptions = {}) {
    super(code, message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryable = options.retryable ?? false;
    this.details = options.details;
  }
}

/** What `call.error` carries (call.md §5.2). */
export interface CallErrorPayload {
  /** The code. */
  readonly code: string;
  /** For people. */
  readonly message: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** Omitted when there is none. */
  readonly details?: JsonValue;
}

/** An error as it stands on the wire. */
export function errorPayload({ code, message, retryable, details }: CallError): CallErrorPayload {
  return details === undefined ? { code, message, retryable } : { code, message, retryable, details };
}

/** An error as the wire told it; one without its members is `INTERNAL` (call.md §5.2). */
export function errorOfPayload(payload: unknown): CallError {
  if (
    !isObject(payload) || typeof payload.code !== "string" || typeof payload.message !== "string" ||
    typeof payload.retryable !== "boolean"
  ) return new CallError("INTERNAL", "malformed call.error");
  return new CallError(payload.code, payload.message, { retryable: payload.retryable, details: payload.details });
}

/** Whether a code is the protocol's own. */
export function isProtocolCode(code: string): code is ProtocolCode {
  return (PROTOCOL_CODES as readonly string[]).includes(code);
}

/** No such operation, or none that the caller may know of. `hint` may name operations that it may call, and no others. */
export function notFound(name: string, hint?: string): CallError {
  // What is longer is nobody's name, and not worth the way back.
  const shown = name.length > MAX_NAME_LENGTH ? `${name.slice(0, MAX_NAME_LENGTH)}…` : name;
  return new CallError("NOT_FOUND", `operation not found: ${shown}${hint ? `; ${hint}` : ""}`);
}

/** The request ran out of time. */
export function timedOut(): CallError {
  return new CallError("TIMEOUT", "request timed out", { retryable: true });
}

/** The request, or the one that it is part of, was aborted. */
export function cancelled(): CallError {
  return new CallError("INTERNAL", "request cancelled");
}

/** What a failing handler leads to, and what only the log may hold. */
export interface MappedFailure {
  /** What the caller is told. */
  readonly error: CallError;
  /** Whether the operator should read about the original: the caller was told less than it says. */
  readonly hidden: boolean;
}

/**
 * Maps a handler's failure (call.md §8.3).
 *
 * @param declares Whether the operation declares a code, and whether the details fit the declared schema.
 */
export function mapFailure(
  failure: unknown,
  declares: (code: string, details: JsonValue | undefined) => "no" | "yes" | "misfit",
): MappedFailure {
  if (!(failure instanceof CallError)) return { error: new CallError("INTERNAL", "handler failed"), hidden: true };
  const { code, message, retryable, details } = failure;
  const declared = declares(code, details);
  if (declared === "misfit") return { error: new CallError(code, message, { retryable }), hidden: true };
  if (declared === "yes" || isProtocolCode(code)) return { error: failure, hidden: false };
  const original: JsonValue = details === undefined ? { code } : { code, details };
  return { error: new CallError("INTERNAL", message, { details: original }), hidden: false };
}
