/**
 * Conditional and range requests (RFC 9110 §13, §14), as far as one file needs them.
 *
 * @module
 */

/** What identifies a version of a file. */
export interface Validators {
  /** Strong entity tag, with quotes. */
  readonly etag: string;
  /** Time of the last change, in milliseconds since 1970. */
  readonly modified: number;
}

/** First and last byte of a range, both included. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/** Whether the client has this version already: `304`. `If-None-Match` stands over `If-Modified-Since` (§13.2.2). */
export function isFresh(headers: Headers, { etag, modified }: Validators): boolean {
  const known = headers.get("if-none-match");
  if (known !== null) return known.split(",").some((tag) => matches(tag.trim(), etag));
  const since = Date.parse(headers.get("if-modified-since") ?? "");
  return seconds(modified) <= seconds(since);
}

/**
 * The one range that a request asks for.
 *
 * @returns `undefined` when the whole file is the answer: no range, several, malformed, or of another version (`If-Range`);
 * `"unsatisfiable"` when the range lies outside the file: `416`.
 */
export function requestedRange(
  headers: Headers,
  size: number,
  validators: Validators,
): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i.exec(headers.get("range") ?? "");
  if (!match || (match[1] === "" && match[2] === "") || !sameVersion(headers.get("if-range"), validators)) return;
  if (match[1] === "") {
    const length = Math.min(Number(match[2]), size);
    return length === 0 ? "unsatisfiable" : { first: size - length, last: size - 1 };
  }
  const first = Number(match[1]);
  const last = match[2] === "" ? Infinity : Number(match[2]);
  if (last < first) return;
  return first >= size ? "unsatisfiable" : { first, last: Math.min(last, size - 1) };
}

/** `If-Range` compares strongly (§13.1.5): a weak tag never matches. */
function sameVersion(ifRange: string | null, { etag, modified }: Validators): boolean {
  if (ifRange === null) return true;
  if (ifRange.includes('"')) return ifRange.trim() === etag;
  return seconds(Date.parse(ifRange)) === seconds(modified);
}

/** Weak comparison (§8.8.3.2). */
function matches(tag: string, etag: string): boolean {
  return tag === "*" || tag.replace(/^W\//, "") === etag;
}

/** HTTP dates have whole seconds. */
function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}
