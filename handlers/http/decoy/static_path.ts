/**
 * The one function that turns the path of a request into names below a folder. Whatever could mean anything but a plain
 * name on any platform is refused, so that what is left means the same to every layer beneath.
 *
 * @module
 */
import { MAX_NAME, MAX_PATH } from "../limits.ts";

/** A path without surprises. */
export interface CanonicalPath {
  /** Names from the root downwards, decoded; none is empty, hidden, or special on any platform. */
  readonly names: readonly string[];
  /** Whether the path ended with a slash. */
  readonly folder: boolean;
}

/** Device names of Windows, with or without extension. */
const RESERVED = /^(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9¹²³])(?:\.|$)/i;
/** Separators, control characters (C0, DEL, C1), and what Windows gives a meaning: drives, streams, wildcards. */
// deno-lint-ignore no-control-regex
const FORBIDDEN = /[\x00-\x1f\x7f-\x9f/\\:*?"<>|]/;
/** Short names of Windows (`GIT~1`), which would reach hidden files under another name. */
const SHORT_NAME = /~[0-9]/;
/** Raw paths are printable ASCII (RFC 9112 §3.2, RFC 3986 §2); anything else is percent-encoded by real clients. */
const RAW = /^\/[\x21-\x7e]*$/;

/** The canonical form of a raw path, or nothing if it has none. Percent-encoding is decoded exactly once. */
export function canonicalPath(raw: string): CanonicalPath | undefined {
  if (raw.length > MAX_PATH || !RAW.test(raw)) return;
  const parts = raw.slice(1).split("/");
  const folder = parts.at(-1) === "";
  if (folder) parts.pop();
  const names: string[] = [];
  for (const part of parts) {
    const name = decodeOnce(part);
    if (name === undefined || !isPlainName(name)) return;
    names.push(name);
  }
  return { names, folder };
}

/** Whether a name is that of an ordinary visible file on every platform. */
export function isPlainName(name: string): boolean {
  if (name === "" || name.startsWith(".") || /[. ]$/.test(name)) return false;
  if (FORBIDDEN.test(name) || SHORT_NAME.test(name) || RESERVED.test(name)) return false;
  return new TextEncoder().encode(name).byteLength <= MAX_NAME;
}

function decodeOnce(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
