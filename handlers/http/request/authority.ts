/**
 * Who a request is for: `Host`, or `:authority` in h2.
 *
 * @module
 */

/** RFC 3986 §3.2.2 and §3.2.3: an address in brackets or a name, then perhaps a port; no user. */
const AUTHORITY = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~!$&'()*+,;=%-]*)(?::\d*)?$/;
/** A name of DNS (RFC 1035 §2.3.4), brackets or a port: what is longer is none, and is not kept. */
const MAX_AUTHORITY = 253 + 8;
/** Answers kept, each of which may hold the URL that it came from: a node has few names, and who invents many fills nothing. */
const KEPT = 32;

const judged = new Map<string, boolean>();

/** Whether a request's URL names a host, or none; anything else is `400` (RFC 9112 §3.2), before a route reads it. */
export function hasValidHost(url: string): boolean {
  const start = url.indexOf("//") + 2;
  const end = url.slice(start).search(/[/?#]/);
  const authority = end < 0 ? url.slice(start) : url.slice(start, start + end);
  if (authority.length > MAX_AUTHORITY) return false;
  let valid = judged.get(authority);
  if (valid === undefined) {
    valid = AUTHORITY.test(authority) && (authority === "" || URL.canParse(`http://${authority}/`));
    if (judged.size >= KEPT) judged.clear();
    judged.set(authority, valid);
  }
  return valid;
}
