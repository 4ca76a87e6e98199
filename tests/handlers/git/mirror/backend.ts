/**
 * `git http-backend` behind a server of the test, and a `fetch` that finds it under `https://origin.test`.
 *
 * @module
 */
import { GIT_ENV } from "../repositories.ts";

/** The repositories of a folder, over smart HTTP. */
export interface Backend extends AsyncDisposable {
  /** As the runtime's, but that `https://origin.test` is this server. */
  readonly fetch: typeof fetch;
  /** Requests so far. */
  readonly asked: () => number;
  /** Who may ask, `user:password`; everybody while there is none. */
  credential?: string;
  /** Changes what the server answers. */
  spoil?: (request: Request, response: Response) => Response | Promise<Response>;
}

/** Where the server is. */
export const ORIGIN = "https://origin.test";

/** Starts one. */
export function backend(root: string): Backend {
  let asked = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    asked++;
    const authorization = request.headers.get("authorization");
    if (self.credential !== undefined && authorization !== `Basic ${btoa(self.credential)}`) {
      return new Response("who?", { status: 401 });
    }
    const response = await cgi(root, request);
    return self.spoil?.(request, response) ?? response;
  });
  const self: Backend = {
    asked: () => asked,
    fetch: (input, init) => {
      const { pathname, search } = new URL(`${input}`);
      return fetch(`http://127.0.0.1:${server.addr.port}${pathname}${search}`, init);
    },
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
  return self;
}

async function cgi(root: string, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const program = new Deno.Command("git", {
    args: ["http-backend"],
    env: {
      ...GIT_ENV,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers.get("content-type") ?? "",
      GIT_PROTOCOL: request.headers.get("git-protocol") ?? "",
    },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const [{ stdout }] = await Promise.all([
    program.output(),
    (async () => {
      const writer = program.stdin.getWriter();
      await writer.write(new Uint8Array(await request.arrayBuffer())).catch(() => {});
      await writer.close().catch(() => {});
    })(),
  ]);
  const end = indexOf(stdout, "\r\n\r\n");
  const headers = new Headers();
  let status = 200;
  for (const line of new TextDecoder().decode(stdout.subarray(0, end)).split("\r\n")) {
    const [name, value] = [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()];
    if (name.toLowerCase() === "status") status = Number(value.split(" ")[0]);
    else if (name !== "") headers.set(name, value);
  }
  return new Response(stdout.slice(end + 4), { status, headers });
}

function indexOf(bytes: Uint8Array, text: string): number {
  const wanted = new TextEncoder().encode(text);
  for (let at = 0; at <= bytes.byteLength - wanted.byteLength; at++) {
    if (wanted.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  throw new Error("git http-backend gave no headers");
}
