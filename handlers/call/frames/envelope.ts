/**
 * Event envelopes: `{ type, id, payload }`, the one message of the protocol (call.md §3 to §5).
 *
 * @module
 */
import type { Identity } from "@alknet/core/handler";
import { isObject, type JsonObject, type JsonValue } from "@alknet/core/operations";

/** The types of event that exist. Others are ignored. */
export type EventType = "call.requested" | "call.responded" | "call.completed" | "call.aborted" | "call.error";

/** One message. */
export interface EventEnvelope {
  /** One of {@linkcode EventType}; others are tolerated. */
  readonly type: string;
  /** Ties an answer to its request. */
  readonly id: string;
  /** What the type makes of it. */
  readonly payload: JsonValue;
}

/** What `call.requested` carries, with everything malformed already taken out (call.md §5.1). */
export interface RequestPayload {
  /** As it came; empty when it is missing or no string. */
  readonly operationId: string;
  /** `null` when absent. */
  readonly input: JsonValue;
  /** Credential for this request alone. Never logged, kept or forwarded. */
  readonly token: string | undefined;
  /** Claimed by a forwarding node. */
  readonly forwardedFor: Identity | undefined;
  /** The caller's wish, in milliseconds. */
  readonly timeoutMs: number | undefined;
}

/** The value as an envelope, or nothing if it is none. */
export function asEnvelope(value: unknown): EventEnvelope | undefined {
  if (!isObject(value)) return undefined;
  const { type, id } = value;
  if (typeof type !== "string" || typeof id !== "string" || value.payload === undefined) return undefined;
  return value as unknown as EventEnvelope;
}

/** Reads the payload of `call.requested`. */
export function requestPayload(payload: JsonValue): RequestPayload {
  const { operationId, input = null, auth_token, forwarded_for, timeout_ms }: JsonObject = isObject(payload)
    ? payload
    : {};
  return {
    operationId: typeof operationId === "string" ? operationId : "",
    input,
    token: typeof auth_token === "string" ? auth_token : undefined,
    forwardedFor: forwarded_for === undefined ? undefined : claimedIdentity(forwarded_for),
    timeoutMs: Number.isSafeInteger(timeout_ms) && timeout_ms as number > 0 ? timeout_ms as number : undefined,
  };
}

/** An identity that a forwarding node claims; nothing if any part of it is malformed. */
function claimedIdentity(value: JsonValue): Identity | undefined {
  if (!isObject(value)) return undefined;
  const { id, scopes, resources } = value;
  if (typeof id !== "string" || !isStrings(scopes) || !isObject(resources)) return undefined;
  if (!Object.values(resources).every(isStrings)) return undefined;
  return { id, scopes, resources: resources as Identity["resources"] };
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
