/**
 * What strangers see: an answer for every path that nothing else claims, as an ordinary web server would give it.
 * Nothing in it names this software.
 *
 * @module
 */

/** Answers a request that no route claims. Bodies of requests are not read. */
export type Decoy = (request: Request) => Response | Promise<Response>;

/** Options of {@linkcode redirect}. */
export interface RedirectOptions {
  /** Where to send every visitor: an `http` or `https` URL, or a path that begins with one slash. */
  readonly to: string;
}

/** A second slash, or what browsers take for one, would name another host. */
const PATH = /^\/(?![/\\])[\x21-\x7e]*$/;

/** Byte for byte what nginx sends with version tokens off (http.md §8.4): 146 bytes. */
const NOT_FOUND_PAGE = new TextEncoder().encode(
  [
    "<html>",
    "<head><title>404 Not Found</title></head>",
    "<body>",
    "<center><h1>404 Not Found</h1></center>",
    "<hr><center>nginx</center>",
    "</body>",
    "</html>",
    "",
  ].join("\r\n"),
);

/** Answers `404` with the page of nginx that has nothing here. */
export function notFound(): Decoy {
  return (request) => notFoundResponse(request.method);
}

/** The `404` itself, which the static site shares. */
export function notFoundResponse(method: string): Response {
  return new Response(method === "HEAD" ? null : NOT_FOUND_PAGE, {
    status: 404,
    headers: { "content-type": "text/html; charset=utf-8", "content-length": `${NOT_FOUND_PAGE.byteLength}` },
  });
}

/**
 * Answers `302` with one fixed location.
 *
 * @throws {TypeError} The location is neither a URL of the web nor a path.
 */
export function redirect(options: RedirectOptions): Decoy {
  const location = checkedLocation(options.to);
  return () => new Response(null, { status: 302, headers: { location } });
}

function checkedLocation(location: string): string {
  if (PATH.test(location)) return location;
  const url = URL.parse(location);
  if (url && (url.protocol === "http:" || url.protocol === "https:")) return url.href;
  throw new TypeError(
    `redirect to ${JSON.stringify(location)} is neither an http(s) URL nor a path that begins with one slash`,
  );
}
