/**
 * Where logs go: LogTape, one category a module, structured properties, no secrets.
 *
 * @module
 */
import { getLogger, type Logger as LogTapeLogger } from "@logtape/logtape";

/** A structured logger; `with` adds properties to every line. */
export type Logger = LogTapeLogger;

/**
 * The logger of a module.
 *
 * @param path Category below `alknet`, such as `"endpoint"` or `"quic", "supervisor"`.
 */
export function logger(...path: string[]): Logger {
  return getLogger(["alknet", ...path]);
}

/** Longest text of foreign origin that a log line carries, in characters. */
const MAX_FOREIGN_TEXT = 256;

/**
 * Makes text that a peer controls safe for a log line: control characters, quotes and anything outside ASCII are
 * escaped, and the length is capped.
 */
export function foreign(text: string): string {
  const cut = text.length > MAX_FOREIGN_TEXT ? `${text.slice(0, MAX_FOREIGN_TEXT)}…` : text;
  return cut.replace(/[^\x20-\x7e]|["\\]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
