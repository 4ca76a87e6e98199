/**
 * The one idea of a path that all routes share. A proxy in front compares what was written, byte by byte, and so does this:
 * `/%6dcp` is not `/mcp`, whatever it would decode to.
 *
 * @module
 */

/** Where MCP is. */
export const MCP_PATH = "/mcp";

/** The path of a request's URL, exactly as the client wrote it: no normalisation, no query, no fragment. */
export function rawPath(url: string): string {
  const start = url.indexOf("/", url.indexOf("//") + 2);
  if (start < 0) return "/";
  const end = url.slice(start).search(/[?#]/);
  return end < 0 ? url.slice(start) : url.slice(start, start + end);
}
