/**
 * The console: a page at `/` that lists, describes and calls the operations of the node (http.md §3).
 *
 * The page is a client of the gateway like any other and knows nothing that the gateway does not tell its visitor. It is
 * one document, one style sheet and one script of the node's own; the policy it is sent with lets the browser run and
 * fetch nothing else, and lets no text become markup.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { consolePage } from "./page.ts";
import { CONSOLE_SCRIPT } from "./script.ts";
import { CONSOLE_STYLE } from "./style.ts";
import { notAllowed } from "../answers/negotiation.ts";
import type { HttpApp } from "../request/env.ts";

/** Where the page and its parts are. */
export const CONSOLE_PATHS = { page: "/", script: "/console.js", style: "/console.css" } as const;

/** Nothing inline, nothing foreign, in no frame; `trusted-types 'none'` keeps the script from ever writing markup. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/** On the page and on its parts. */
const COMMON: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
};

const PAGE: Readonly<Record<string, string>> = {
  ...COMMON,
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": POLICY,
  "x-frame-options": "DENY",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};

/** A text as it is sent. */
interface Part {
  readonly text: Uint8Array<ArrayBuffer>;
  /** The same for those who take gzip: a quarter of it. */
  readonly gzipped: Uint8Array<ArrayBuffer>;
  /** Changes when the text does. */
  readonly version: string;
}

/** Adds the page and its parts, and `405` for methods that they do not have. */
export function addConsole(app: HttpApp): void {
  const script = partOf(CONSOLE_SCRIPT);
  const style = partOf(CONSOLE_STYLE);
  const page = partOf(consolePage({
    script: `${CONSOLE_PATHS.script}?${script.version}`,
    style: `${CONSOLE_PATHS.style}?${style.version}`,
  }));
  add(app, CONSOLE_PATHS.page, page, PAGE);
  add(app, CONSOLE_PATHS.script, script, { ...COMMON, "content-type": "text/javascript; charset=utf-8" });
  add(app, CONSOLE_PATHS.style, style, { ...COMMON, "content-type": "text/css; charset=utf-8" });
}

function add(
  app: HttpApp,
  path: string,
  { text, gzipped, version }: Part,
  headers: Readonly<Record<string, string>>,
): void {
  const etag = `"${version}"`;
  app.get(path, (c) => {
    // The page names its parts by their versions: those never change, while the page itself is asked for each time.
    const kept = c.req.raw.url.endsWith(`?${version}`) ? "public, max-age=31536000, immutable" : "no-cache";
    const all: Record<string, string> = { ...headers, etag, "cache-control": kept, vary: "Accept-Encoding" };
    const known = c.req.header("if-none-match")?.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
    if (known) return new Response(null, { status: 304, headers: all });
    const gzip = /(?:^|[\s,])gzip\s*(?:,|$)/.test(c.req.header("accept-encoding") ?? "");
    if (gzip) all["content-encoding"] = "gzip";
    return new Response(c.req.method === "HEAD" ? null : gzip ? gzipped : text, { headers: all });
  });
  app.all(path, () => notAllowed(["GET", "HEAD"]));
}

function partOf(text: string): Part {
  const version = createHash("sha256").update(text).digest("hex").slice(0, 16);
  return { text: new TextEncoder().encode(text), gzipped: new Uint8Array(gzipSync(text)), version };
}
