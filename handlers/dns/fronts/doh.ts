/**
 * DNS over HTTPS (RFC 8484), as a function from a request to its answer: it knows no server. What is asked for by name is
 * answered in JSON.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { DnsCaller } from "../caller.ts";
import { encodeMessage } from "../codec/encode.ts";
import { jsonOf } from "../codec/json.ts";
import { isOfOthers, lifetimeOf } from "../codec/lifetime.ts";
import { type Message, Rcode } from "../codec/types.ts";
import { JSON_TYPE, queryIn } from "./doh_json.ts";
import { type FrontParts, HEADER, padOf, queryOrRefusal } from "./parts.ts";

const MEDIA_TYPE = "application/dns-message";
const METHODS = "GET, HEAD, POST";
/** Characters of the longest query string. */
const MAX_URL_QUERY = 6000;
const RANGES: readonly string[] = ["application/*", "*/*"];

/**
 * Answers a request for `/dns-query`; nothing where there is nothing to serve this caller, for the decoy to answer.
 *
 * @param request The request.
 * @param caller Who asks.
 * @param parts What the front is given.
 */
export async function answerDoh(request: Request, caller: DnsCaller, parts: FrontParts): Promise<Response | undefined> {
  if (!parts.engine.serves(caller)) return undefined;
  try {
    return await answerTo(request, caller, parts);
  } catch (error) {
    // Nobody reads what those are told who have left.
    if (request.signal.aborted) return plain(503, "gone");
    throw error;
  }
}

async function answerTo(request: Request, caller: DnsCaller, parts: FrontParts): Promise<Response> {
  const { method } = request;
  if (method === "OPTIONS") return preflight();
  if (method !== "GET" && method !== "HEAD" && method !== "POST") return plain(405, "method", { allow: METHODS });
  if (!parts.rates.query(caller)) return plain(429, "rate", { "retry-after": "1" });
  const bytes = method === "POST" ? await posted(request, parts.limits.query) : inUrl(request.url);
  if (bytes instanceof Response) return bytes;
  if (!(bytes instanceof Uint8Array)) return await inJson(bytes, request, caller, parts);
  if (!accepts(request, MEDIA_TYPE)) return plain(406, "accept");
  const answer = await answerBytes(bytes, caller, parts, request);
  if (answer instanceof Response) return answer;
  const headers = { "content-type": MEDIA_TYPE, "cache-control": cacheControl(answer) };
  return reply(method === "HEAD" ? null : answer, headers);
}

async function answerBytes(
  bytes: Uint8Array,
  caller: DnsCaller,
  { engine }: FrontParts,
  request: Request,
): Promise<Response | Uint8Array<ArrayBuffer>> {
  const query = queryOrRefusal(bytes);
  // A question that could be read is told what is wrong with the rest of it.
  if (!query || query.response && query.rcode === Rcode.FORMERR) return plain(400, "malformed");
  if (query.response) return encodeMessage(query);
  return await engine.respond(query, caller, {
    padTo: padOf(query),
    // A request whose signal was looked at is aborted at its end, which costs as much as the answer.
    get signal() {
      return request.signal;
    },
  });
}

async function inJson(
  query: Message,
  request: Request,
  caller: DnsCaller,
  { engine }: FrontParts,
): Promise<Response> {
  if (!accepts(request, JSON_TYPE)) return plain(406, "accept");
  const message = await engine.resolve(query, caller, request.signal);
  const headers = { "content-type": JSON_TYPE, "cache-control": cacheControl(encodeMessage(message)) };
  return reply(request.method === "HEAD" ? null : JSON.stringify(jsonOf(message)), headers);
}

function preflight(): Response {
  const headers = {
    "access-control-allow-methods": METHODS,
    "access-control-allow-headers": "Accept, Content-Type",
    "access-control-max-age": "86400",
  };
  return reply(null, headers, 204);
}

/** The message in `?dns=` (RFC 8484 §4.1), or the query for `?name=`. */
function inUrl(url: string): Uint8Array | Message | Response {
  const at = url.indexOf("?");
  const query = at < 0 ? "" : url.slice(at + 1);
  if (query.length > MAX_URL_QUERY) return plain(414, "query");
  let text: string | null | undefined = /^dns=([A-Za-z0-9_-]+)$/.exec(query)?.[1];
  if (text === undefined) {
    const params = new URLSearchParams(query);
    text = params.get("dns");
    if (text === null && params.has("name")) {
      const asked = queryIn(params);
      return typeof asked === "string" ? plain(400, asked) : asked;
    }
  }
  if (text === null || !/^[A-Za-z0-9_-]+$/.test(text)) return plain(400, "dns");
  // One character alone is no byte.
  if (text.length % 4 === 1) return plain(400, "dns");
  const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
  return bytes.byteLength < HEADER ? plain(400, "malformed") : bytes;
}

async function posted(request: Request, limit: number): Promise<Uint8Array | Response> {
  const type = request.headers.get("content-type")?.split(";")[0].trim().toLowerCase();
  if (type !== MEDIA_TYPE) return plain(415, "content-type");
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.byteLength;
    if (size > limit) return plain(413, "body");
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}

function accepts(request: Request, wanted: string): boolean {
  const accept = request.headers.get("accept");
  if (accept === null) return true;
  const accepted = [wanted, ...RANGES];
  return accept.split(",").some((range) => accepted.includes(range.split(";")[0].trim().toLowerCase()));
}

/** For how long an answer may be kept, and by whom (RFC 8484 §5.1). */
function cacheControl(answer: Uint8Array): string {
  const seconds = lifetimeOf(answer);
  if (seconds === undefined) return "no-store";
  // What was asked of others for this one is not for all who share a cache.
  return isOfOthers(answer) ? `private, max-age=${seconds}` : `max-age=${seconds}`;
}

/** One fixed word, for people. */
function plain(status: number, word: string, headers: Record<string, string> = {}): Response {
  return reply(`${word}\n`, { "content-type": "text/plain; charset=utf-8", ...headers }, status);
}

/** A response that pages of every origin may read; its headers are complete when it is made, which costs least. */
function reply(body: BodyInit | null, headers: Record<string, string>, status = 200): Response {
  return new Response(body, { status, headers: { ...headers, "access-control-allow-origin": "*" } });
}
