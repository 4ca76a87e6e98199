/**
 * Headers that a guest may send, and those of an answer that it sees.
 *
 * @module
 */
import { AlknetError } from "@alknet/core/handler";

/** Belong to the connection or to the host that makes it (Fetch standard, forbidden request-headers). */
const FORBIDDEN: ReadonlySet<string> = new Set([
  ...["accept-charset", "accept-encoding", "access-control-request-headers", "access-control-request-method"],
  ...["connection", "content-length", "cookie", "cookie2", "date", "dnt", "expect", "host", "keep-alive", "origin"],
  ...["referer", "te", "trailer", "transfer-encoding", "upgrade", "via", "http2-settings"],
]);
/** Not the guest's to see: the host keeps no cookies, and neither does it. */
const HIDDEN: ReadonlySet<string> = new Set(["set-cookie", "set-cookie2", "connection", "transfer-encoding"]);
const CREDENTIALS: ReadonlySet<string> = new Set(["authorization"]);
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const MOST = 64;
const MOST_LENGTH = 8192;

/** A header: name in lower case, value. */
export type Header = readonly [name: string, value: string];

/**
 * The headers of a guest's request.
 *
 * @throws {AlknetError} `FETCH_REFUSED`: one that it may not set, or that is none.
 */
export function requestHeaders(given: unknown): Header[] {
  if (!Array.isArray(given)) throw refused("headers are not as fetch sends them");
  if (given.length > MOST) throw refused(`a request has more than ${MOST} headers`);
  return given.map((pair): Header => {
    const [name, value] = Array.isArray(pair) ? pair : [];
    if (typeof name !== "string" || !TOKEN.test(name) || name.length > 256) {
      throw refused("the name of a header is no token");
    }
    if (typeof value !== "string" || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value) || value.length > MOST_LENGTH) {
      throw refused(`the value of header ${name.slice(0, 64)} has characters that no header may have, or too many`);
    }
    const lower = name.toLowerCase();
    if (FORBIDDEN.has(lower) || /^(?:proxy|sec)-/.test(lower)) {
      throw refused(`header ${lower.slice(0, 64)} is not a guest's to set`);
    }
    return [lower, value.trim()];
  });
}

/** Without what a request to another origin must not carry. */
export function withoutCredentials(headers: readonly Header[]): Header[] {
  return headers.filter(([name]) => !CREDENTIALS.has(name));
}

/** Without what describes a body that is no longer sent. */
export function withoutBody(headers: readonly Header[]): Header[] {
  return headers.filter(([name]) => !name.startsWith("content-"));
}

/** The headers of an answer, for the guest; `decoded` when its body was unpacked. */
export function responseHeaders(raw: readonly string[], decoded: boolean): Header[] {
  const headers: Header[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at].toLowerCase();
    const stale = decoded && (name === "content-encoding" || name === "content-length");
    if (!HIDDEN.has(name) && !stale) headers.push([name, raw[at + 1]]);
  }
  return headers;
}

/** A request that a guest may not make. */
export function refused(why: string): AlknetError {
  return new AlknetError("FETCH_REFUSED", why);
}
