/**
 * The name that every answer says in `server` (http.md §8.4).
 *
 * @module
 */
/** The most common web server, without its version. */
const SERVER = "nginx";

/** Answers made with the name: to ask a response for its headers costs as much as a short call. */
const named = new WeakSet<Response>();

/** Makes an answer with the name, from headers that do not have it yet. */
export function namedResponse(body: string, status: number, headers: Readonly<Record<string, string>>): Response {
  const response = new Response(body, { status, headers: { ...headers, server: SERVER } });
  named.add(response);
  return response;
}

/** The answer with the name; an answer to an upgrade is the runtime's own and stays as it is. */
export function withServerName(response: Response): Response {
  if (response.status === 101 || named.has(response)) return response;
  try {
    response.headers.set("server", SERVER);
    return response;
  } catch {
    // Answers of a fetch and of `Response.redirect` cannot be changed.
    const copy = new Response(response.body, response);
    copy.headers.set("server", SERVER);
    return copy;
  }
}
