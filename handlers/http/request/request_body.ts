/**
 * Bodies of requests to operations: JSON in UTF-8, bounded in size and depth (http.md §2, §5).
 *
 * @module
 */
import type { Account } from "@alknet/core/handler";
import {
  boundsFault,
  type CallError,
  type JsonValue,
  MAX_DEPTH,
  MAX_MEMBERS,
  STRANGER_MEMBERS,
} from "@alknet/core/operations";
import type { RequestBindings } from "./bindings.ts";
import { invalid } from "./invalid.ts";
import { joined } from "./joined.ts";
import type { HttpLimits } from "../limits.ts";
import { drain } from "./unread_body.ts";

/** What came of a body: its value, or why there is none. */
export type Body = { readonly value: JsonValue } | { readonly status: number; readonly error: CallError };

const JSON_TYPE = /^application\/json[ \t]*(?:;|$)/i;
/** More than a body takes that has arrived with its request. */
const MICROTASKS = 16;
const decoder = new TextDecoder("utf-8", { fatal: true });

/** Reads a body whole, of a caller of whom more or less is known. What is wrong with it is `415`, `413`, `408` or `400`. */
export async function readJson(
  request: Request,
  limits: Pick<HttpLimits, "body" | "anonymousBody" | "bodyTime">,
  { identity, kept }: Pick<RequestBindings, "identity" | "kept">,
): Promise<Body> {
  const { body, anonymousBody, bodyTime } = limits;
  const limit = identity ? body : Math.min(body, anonymousBody);
  const { headers } = request;
  if (!JSON_TYPE.test(headers.get("content-type") ?? "")) {
    return { status: 415, error: invalid("content-type must be application/json") };
  }
  const late = Promise.withResolvers<"late">();
  const reading = readHeld(request, limit, kept, late.promise);
  try {
    const whole = await settlesAtOnce(reading) ? await reading : await within(bodyTime, reading, late);
    if (whole === "late") return { status: 408, error: invalid(`body took longer than ${bodyTime} ms`) };
    return whole
      ? parseJson(whole, identity ? MAX_MEMBERS : STRANGER_MEMBERS)
      : { status: 413, error: invalid(`body is longer than ${limit} bytes`) };
  } catch {
    return { status: 400, error: invalid("body ended early") };
  }
}

/** Whether a promise settles before the event loop turns: a short body mostly does, and a clock for it costs as much again. */
async function settlesAtOnce(promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const settle = () => void (settled = true);
  promise.then(settle, settle);
  for (let n = 0; n < MICROTASKS && !settled; n++) await undefined;
  return settled;
}

/** What is being read, or that it is `late` after so many milliseconds. */
async function within<T>(ms: number, reading: Promise<T>, late: PromiseWithResolvers<"late">): Promise<T | "late"> {
  // The answer ends the request, and with it what still reads its body.
  reading.catch(ignore);
  const timer = setTimeout(() => late.resolve("late"), ms);
  try {
    return await Promise.race([reading, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function ignore(): void {}

/** Parses JSON text, or its bytes. What is wrong with it is `400`. */
export function parseJson(from: string | Uint8Array, members: number = STRANGER_MEMBERS): Body {
  try {
    const text = typeof from === "string" ? from : decoder.decode(from);
    const fault = boundsFault(text, { depth: MAX_DEPTH, members });
    return fault === undefined ? { value: JSON.parse(text) } : { status: 400, error: invalid(`JSON ${fault}`) };
  } catch {
    return { status: 400, error: invalid("not JSON in UTF-8") };
  }
}

/**
 * Reads a body once the connection may have all of it kept: one that is begun can end, however many there are. Nothing if
 * it is longer than `limit`, or `late` comes first.
 */
async function readHeld(
  request: Request,
  limit: number,
  kept: Account,
  late: Promise<unknown>,
): Promise<Uint8Array | undefined> {
  const announced = request.headers.get("content-length");
  const most = announced === null ? limit : Number(announced);
  if (!(most <= limit)) return;
  if (!await kept.hold(most, late)) return;
  try {
    // A length that was announced is held by the server.
    return await (announced === null ? readBounded(request, limit) : request.bytes());
  } finally {
    kept.give(most);
  }
}

/** Nothing if there is more than `limit`; the rest is then read and dropped, so that the client gets its answer. */
async function readBounded(request: Request, limit: number): Promise<Uint8Array | undefined> {
  if (!request.body) return new Uint8Array();
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (let next; !(next = await reader.read()).done;) {
    chunks.push(next.value);
    size += next.value.byteLength;
    if (size <= limit) continue;
    reader.releaseLock();
    return void await drain(request.body);
  }
  return joined(chunks, size);
}
