/**
 * Conditional and range requests (RFC 9110 §13, §14), as far as content that is known by its hash needs them: its entity tag is
 * strong, and dates say nothing about it.
 *
 * @module
 */

/** First and last byte of a range, both included. */
export interface ByteRange {
  /** The first. */
  readonly first: number;
  /** The last. */
  readonly last: number;
}

/** Whether the client wants this version, and has another one in mind: `412` (§13.1.1). */
export function isOther(headers: Headers, etag: string): boolean {
  const wanted = headers.get("if-match");
  return wanted !== null && !tagsOf(wanted).some((tag) => tag === "*" || tag === etag);
}

/** Whether the client has this version already: `304` (§13.1.2, compared weakly). */
export function isFresh(headers: Headers, etag: string): boolean {
  const known = headers.get("if-none-match");
  return known !== null && tagsOf(known).some((tag) => tag === "*" || tag.replace(/^W\//, "") === etag);
}

/**
 * The one range that a request asks for.
 *
 * @returns `undefined` when the whole is the answer: no range, several, malformed, or of another version (`If-Range`, compared
 * strongly: a date never matches); `"unsatisfiable"` when it lies outside: `416`.
 */
export function requestedRange(headers: Headers, size: number, etag: string): ByteRange | "unsatisfiable" | undefined {
  const [, from, to] = /^bytes=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i.exec(headers.get("range") ?? "") ?? [];
  if (from === undefined || (from === "" && to === "")) return undefined;
  const ifRange = headers.get("if-range");
  if (ifRange !== null && ifRange.trim() !== etag) return undefined;
  if (from === "") {
    const length = Math.min(Number(to), size);
    return length === 0 ? "unsatisfiable" : { first: size - length, last: size - 1 };
  }
  const first = Number(from);
  const last = to === "" ? Infinity : Number(to);
  if (last < first) return undefined;
  return first >= size ? "unsatisfiable" : { first, last: Math.min(last, size - 1) };
}

function tagsOf(list: string): string[] {
  return list.split(",").map((tag) => tag.trim());
}
