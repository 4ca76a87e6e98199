import assert from "node:assert/strict";
import { AlknetError } from "@alknet/core/handler";
import { http, staticSite } from "@alknet/handlers/http";
import { needs } from "../../support/programs.ts";
import { runProgram } from "../../support/process.ts";
import { type TemporaryFolder, temporaryFolder } from "../../support/temp.ts";
import { type Way, WAYS } from "./fronts.ts";
import { curl, type CurlAnswer, parseAnswer, plainFront, rawExchange } from "./support.ts";

const CANARY = "CANARY: this file is not part of the site";
const PAGE = "<h1>home</h1>";
const TEXT = "0123456789abcdef";

interface Site extends AsyncDisposable {
  readonly folder: TemporaryFolder;
  readonly get: Get;
}

/** Asks for a target, sent as it is. */
type Get = (target: string, headers?: Record<string, string>, method?: string) => Promise<CurlAnswer>;

/** The ways over TLS that other people's clients take. */
const BOTH = WAYS.filter(({ alpn }) => alpn !== "alknet/http");

/** `root` holds the site; canaries lie beside it and, hidden, in it. */
async function site(way?: Way): Promise<Site> {
  const folder = await temporaryFolder();
  for (const name of ["root/sub/deep", "root/.git", "root/empty", "root-twin"]) {
    await Deno.mkdir(folder.join(name), { recursive: true });
  }
  await folder.write("canary.txt", CANARY);
  await folder.write("root-twin/canary.txt", CANARY);
  await folder.write("root/.git/config", CANARY);
  await folder.write("root/.env", CANARY);
  await folder.write("root/sub/.hidden", CANARY);
  await folder.write("root/index.html", PAGE);
  await folder.write("root/sub/index.html", "<h1>sub</h1>");
  await folder.write("root/sub/deep/note.txt", TEXT);
  await folder.write("root/grüße.txt", "grüße");
  await folder.write("root/nothing.css", "");
  await Deno.symlink("sub/deep/note.txt", folder.join("root/inside.txt"));
  await Deno.symlink("../canary.txt", folder.join("root/outside.txt"));
  await Deno.symlink(folder.join("canary.txt"), folder.join("root/absolute.txt"));
  await Deno.symlink("..", folder.join("root/up"));
  await Deno.symlink("../root-twin", folder.join("root/twin"));
  await Deno.symlink(".git/config", folder.join("root/unhide.txt"));
  await Deno.symlink("loop", folder.join("root/loop"));
  await Deno.symlink("/dev/zero", folder.join("root/zero"));
  await Deno.symlink("/etc", folder.join("root/etc"));
  await runProgram("mkfifo", [folder.join("root/pipe")]);
  const handler = http({ decoy: staticSite({ root: folder.join("root") }) });
  const stack = new AsyncDisposableStack();
  stack.use(folder);
  let get: Get;
  if (way) {
    const served = stack.use(await way.serve(handler));
    get = (target, headers = {}, method = "GET") => {
      const lines = Object.entries({ host: "site.example", ...headers });
      const fields = lines.flatMap(([name, value]) => ["--header", `${name}: ${value}`]);
      const verb = method === "HEAD" ? ["--head"] : ["--request", method];
      return curl([...way.curl, ...fields, ...verb, "--request-target", target, served.base]);
    };
  } else {
    const front = stack.use(plainFront(handler));
    get = async (target, headers = {}, method = "GET") => {
      const lines = Object.entries({ host: "site.example", connection: "close", ...headers });
      const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
      return parseAnswer(await rawExchange(front.port, `${method} ${target} HTTP/1.1\r\n${head}\r\n`));
    };
  }
  return { folder, get, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** In h2 a target is a path: its other form is for proxies of HTTP/1.1 (RFC 9112 §3.2.2). */
function fits(target: string, way: Way): boolean {
  return way.version === "1.1" || target.startsWith("/");
}

const ESCAPES = [
  "/../canary.txt",
  "/../../canary.txt",
  "/sub/../../canary.txt",
  "/sub/../index.html",
  "/./index.html",
  "/%2e%2e/canary.txt",
  "/.%2e/canary.txt",
  "/%2E%2E%2Fcanary.txt",
  "/..%2fcanary.txt",
  "/..%5ccanary.txt",
  "/\\..\\canary.txt",
  "/sub\\..\\..\\canary.txt",
  "/%252e%252e/canary.txt",
  "/%252e%252e%252fcanary.txt",
  "/%c0%ae%c0%ae/canary.txt",
  "/%c0%ae%c0%ae%c0%afcanary.txt",
  "/%e0%80%ae%e0%80%ae/canary.txt",
  "/%uff0e%uff0e/canary.txt",
  "/%ef%bc%8e%ef%bc%8e/canary.txt",
  "/%ef%bc%8e%ef%bc%8e%ef%bc%8fcanary.txt",
  "/..;/canary.txt",
  "/.../canary.txt",
  "/....//canary.txt",
  "//canary.txt",
  "//../canary.txt",
  "///etc/passwd",
  "/%2fetc%2fpasswd",
  "//etc/passwd",
  "/etc/passwd",
  "/zero",
  "/pipe",
  "/loop",
  "/outside.txt",
  "/absolute.txt",
  "/up/canary.txt",
  "/up/",
  "/twin/canary.txt",
  "/unhide.txt",
  "/.git/config",
  "/.git/",
  "/.git",
  "/%2egit/config",
  "/.env",
  "/sub/.hidden",
  "/sub/%2ehidden",
  "/index.html%00",
  "/index.html%00.txt",
  "/%00/index.html",
  "/index.html/",
  "/index.html/..",
  "/index.html/x",
  "/index.html.",
  "/index.html%20",
  "/index.html::$DATA",
  "/C:/canary.txt",
  "/NUL",
  "/empty/",
  "/missing",
  "/sub/missing/",
  "/-twin/canary.txt",
  "/proc/self/environ",
  `/${"a/".repeat(3000)}`,
  `/${"a".repeat(300)}`,
  "http://site.example/../canary.txt",
  "http://site.example/%2e%2e/canary.txt",
];

for (const way of BOTH) {
  Deno.test({
    name: `${way.name}: staticSite cannot be left: every escape gets the 404 of a missing file (http.md §15 row 8)`,
    ...needs("curl", "linux"),
    async fn() {
      await using served = await site(way);
      const missing = await served.get("/no-such-file");
      assert.equal(missing.status, 404);
      for (const target of ESCAPES.filter((target) => fits(target, way))) {
        const answer = await served.get(target);
        assert.deepEqual([answer.status, answer.body], [404, missing.body], target);
        assert.deepEqual(Object.keys(answer.headers), Object.keys(missing.headers), target);
      }
    },
  });
}

Deno.test("staticSite cannot be left through a Host header that looks like a path", async () => {
  await using served = await site();
  for (const host of ["a/../..", "..", "/../..", "a\\..", "a?x", "a#x", "root/.."]) {
    const answer = await served.get("/canary.txt", { host });
    assert.ok(answer.status === 404 || answer.status === 400, host);
    assert.ok(!answer.body.includes(CANARY), host);
  }
});

const FOUND: [target: string, type: string, body: string][] = [
  ["/", "text/html; charset=utf-8", PAGE],
  ["/index.html", "text/html; charset=utf-8", PAGE],
  ["/index.html?x=/../../y", "text/html; charset=utf-8", PAGE],
  ["/sub/", "text/html; charset=utf-8", "<h1>sub</h1>"],
  ["/sub/deep/note.txt", "text/plain; charset=utf-8", TEXT],
  ["/inside.txt", "text/plain; charset=utf-8", TEXT],
  // Out by a link and in again: what counts is where it ends.
  ["/up/root/index.html", "text/html; charset=utf-8", PAGE],
  ["/gr%C3%BC%C3%9Fe.txt", "text/plain; charset=utf-8", "grüße"],
  ["/nothing.css", "text/css; charset=utf-8", ""],
  ["http://site.example/sub/deep/note.txt", "text/plain; charset=utf-8", TEXT],
];

for (const way of BOTH) {
  Deno.test({
    name: `${way.name}: staticSite serves files and folders with their media types (http.md §15 row 7)`,
    ...needs("curl"),
    async fn() {
      await using served = await site(way);
      for (const [target, type, body] of FOUND.filter(([target]) => fits(target, way))) {
        const got = await served.get(target);
        assert.deepEqual([got.status, got.headers["content-type"], got.body], [200, type, body], target);
        assert.equal(got.headers["content-length"], `${new TextEncoder().encode(body).byteLength}`, target);
        const head = await served.get(target, {}, "HEAD");
        assert.equal(head.body, "", target);
        const { date: _, ...rest } = got.headers;
        const { date: __, ...same } = head.headers;
        assert.deepEqual(same, rest, target);
      }
    },
  });
}

Deno.test("staticSite sends a folder without its slash to the one with it, on the same host", async () => {
  await using served = await site();
  for (const [target, location] of [["/sub", "/sub/"], ["/sub/deep?q=1", "/sub/deep/?q=1"]]) {
    const answer = await served.get(target);
    assert.deepEqual([answer.status, answer.headers.location], [301, location]);
  }
});

Deno.test("staticSite allows GET and HEAD alone, and says so (RFC 9110 §15.5.6)", async () => {
  await using served = await site();
  for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"]) {
    const answer = await served.get("/", { "content-length": "0" }, method);
    assert.deepEqual([answer.status, answer.headers.allow, answer.body], [405, "GET, HEAD", ""], method);
  }
});

Deno.test("staticSite answers 304 for a version that the client has (RFC 9110 §15.4.5)", async () => {
  await using served = await site();
  const { headers } = await served.get("/index.html");
  const validators: Record<string, string>[] = [{ "if-none-match": headers.etag }, {
    "if-modified-since": headers["last-modified"],
  }];
  for (const known of validators) {
    const answer = await served.get("/index.html", known);
    assert.deepEqual([answer.status, answer.body, answer.headers.etag], [304, "", headers.etag]);
  }
  await served.folder.write("root/index.html", "another page");
  const changed = await served.get("/index.html", { "if-none-match": headers.etag });
  assert.deepEqual([changed.status, changed.body], [200, "another page"]);
});

Deno.test("staticSite answers single ranges (RFC 9110 §14)", async () => {
  await using served = await site();
  const table: [range: string, status: number, body: string, contentRange: string | undefined][] = [
    ["bytes=0-3", 206, "0123", "bytes 0-3/16"],
    ["bytes=10-", 206, "abcdef", "bytes 10-15/16"],
    ["bytes=-2", 206, "ef", "bytes 14-15/16"],
    ["bytes=16-", 416, "", "bytes */16"],
    ["bytes=0-1,4-5", 200, TEXT, undefined],
  ];
  for (const [range, status, body, contentRange] of table) {
    const answer = await served.get("/sub/deep/note.txt", { range });
    assert.deepEqual(
      [answer.status, answer.body, answer.headers["content-range"]],
      [status, body, contentRange],
      range,
    );
  }
});

Deno.test("staticSite follows the link that names its folder at each request", async () => {
  await using folder = await temporaryFolder();
  for (const release of ["one", "two"]) {
    await Deno.mkdir(folder.join(release));
    await folder.write(`${release}/index.html`, release);
  }
  await Deno.symlink("one", folder.join("current"));
  const decoy = staticSite({ root: folder.join("current") });
  const read = async () => await (await decoy(new Request("http://site.example/"))).text();
  assert.equal(await read(), "one");
  await Deno.remove(folder.join("current"));
  await Deno.symlink("two", folder.join("current"));
  assert.equal(await read(), "two");
});

Deno.test("staticSite fails a response whose file became shorter, and closes the file", async () => {
  await using folder = await temporaryFolder();
  await folder.write("big.txt", new Uint8Array(200_000));
  const response = await staticSite({ root: folder.path })(new Request("http://site.example/big.txt"));
  await Deno.truncate(folder.join("big.txt"), 100_000);
  await assert.rejects(response.bytes(), /shorter/);
});

Deno.test("staticSite refuses a folder that is none: FOLDER_NOT_FOUND", async () => {
  await using folder = await temporaryFolder();
  const file = await folder.write("file", "");
  for (const path of [file, folder.join("missing")]) {
    assert.throws(
      () => staticSite({ root: path }),
      (error) => error instanceof AlknetError && error.code === "FOLDER_NOT_FOUND" && error.message.includes(path),
    );
  }
});
