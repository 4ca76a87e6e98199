/**
 * A relay of signed packets over HTTP (https://pkarr.org, design/relays.md), as a function from a request to its answer: it
 * knows no server.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";
import { Buffer } from "node:buffer";
import type { DnsCaller } from "../caller.ts";
import { keyOf } from "../pkarr/key.ts";
import { publish, type Published, type Refused, type RelayParts } from "./publishing.ts";
import { MAX_PAYLOAD, type SignedPacket } from "../pkarr/signed_packet.ts";

/** Where packets are: the key follows. */
export const RELAY_PATH = "/pkarr/";

const MEDIA_TYPE = "application/pkarr.org/relays#payload";
const METHODS = "GET, HEAD, PUT";
/** Seconds for which an answer may be kept, whatever the records say. */
const [MIN_AGE, MAX_AGE] = [300, 86_400];
const STATUSES: Partial<Record<Refused, number>> = { rate: 429, forbidden: 403, changed: 412 };

/**
 * Answers a request for `/pkarr/<key>`.
 *
 * @param request The request.
 * @param caller Who asks.
 * @param parts What the relay is given.
 */
export async function answerRelay(request: Request, caller: DnsCaller, parts: RelayParts): Promise<Response> {
  const answer = await answerTo(request, caller, parts).catch((error) => {
    if (error instanceof AlknetError && error.code === "DNS_BUSY") return plain(503, "busy", { "retry-after": "1" });
    // Nobody reads what those are told who have left.
    if (request.signal.aborted) return plain(503, "gone");
    throw error;
  });
  answer.headers.set("access-control-allow-origin", "*");
  return answer;
}

async function answerTo(request: Request, caller: DnsCaller, parts: RelayParts): Promise<Response> {
  const { method, headers } = request;
  const { pathname } = new URL(request.url);
  const key = pathname.slice(RELAY_PATH.length);
  if (method === "OPTIONS") return preflight();
  if (method === "PUT") {
    const payload = await bodyOf(request);
    if (!payload) return plain(413, "size");
    const unmodifiedSince = secondsIn(headers.get("if-unmodified-since"));
    return published(publish({ key, payload, unmodifiedSince }, caller, parts));
  }
  if (method !== "GET" && method !== "HEAD") return plain(405, "method", { allow: METHODS });
  if (!parts.rates.query(caller)) return plain(429, "rate", { "retry-after": "1" });
  if (!keyOf(key)) return plain(400, "key");
  const packet = parts.packets.get(key);
  return packet ? found(packet, request) : plain(404, "unknown");
}

function found(packet: SignedPacket, { method, headers }: Request): Response {
  const seconds = Number(packet.timestamp / 1_000_000n);
  const ttl = Math.min(MAX_AGE, ...packet.records.map((record) => record.ttl));
  const about = {
    "cache-control": `public, max-age=${Math.max(MIN_AGE, ttl)}`,
    "last-modified": new Date(1000 * seconds).toUTCString(),
  };
  const since = secondsIn(headers.get("if-modified-since"));
  if (since !== undefined && packet.timestamp <= BigInt(since) * 1_000_000n) {
    return new Response(null, { status: 304, headers: about });
  }
  const payload = packet.toRelayPayload();
  const all = { ...about, "content-type": MEDIA_TYPE, "content-length": `${payload.byteLength}` };
  return new Response(method === "HEAD" ? null : payload, { headers: all });
}

function published(became: Published): Response {
  if (became === "older") return plain(409, "older");
  if (typeof became === "string") return new Response(null, { status: 204 });
  const { refused } = became;
  return plain(STATUSES[refused] ?? 400, refused, refused === "rate" ? { "retry-after": "1" } : {});
}

/** The body; nothing where it is larger than any packet. */
async function bodyOf(request: Request): Promise<Uint8Array | undefined> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.byteLength;
    if (size > MAX_PAYLOAD) return undefined;
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

/** Unix seconds of a date of HTTP (RFC 9110 §5.6.7); what is none counts as absent. */
function secondsIn(date: string | null): number | undefined {
  const milliseconds = date === null ? NaN : Date.parse(date);
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
}

function preflight(): Response {
  const headers = {
    "access-control-allow-methods": METHODS,
    "access-control-allow-headers": "Content-Type, If-Modified-Since, If-Unmodified-Since, If-Match",
    "access-control-max-age": "86400",
  };
  return new Response(null, { status: 204, headers });
}

/** One fixed word, for people and programs. */
function plain(status: number, word: string, headers: Record<string, string> = {}): Response {
  return new Response(`${word}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8", ...headers } });
}
