/**
 * Blobs and branches over HTTP, asked by curl and shown by a browser (fs.md §8, HTTP; §11 rows 48 to 50).
 *
 * @module
 */
import { hashOf } from "@alknet/handlers/fs/bao";
import { deepEqual, equal, match, ok } from "node:assert/strict";
import { MemoryOutboard } from "../../../handlers/fs/bao/outboard.ts";
import { startBrowser } from "../../support/chromium.ts";
import { runProgram, start } from "../../support/process.ts";
import { needs } from "../../support/programs.ts";
import { Random } from "../../support/random.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { initHome, type ServingNode, type TestHome } from "../home.ts";

/** What curl got. */
interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** A node with files in `main`, and tokens for it. */
async function webNode(files: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>) {
  await using started = new AsyncDisposableStack();
  const home: TestHome = started.use(await initHome());
  const folder = started.use(await temporaryFolder());
  for (const [name, content] of Object.entries(files)) await folder.write(name, content);
  for (const name of Object.keys(files)) {
    const { code, stderr } = await home.run("fs", "add", folder.join(name), `main:/${name}`);
    equal(code, 0, stderr);
  }
  const token = async (...scopes: string[]): Promise<readonly string[]> => {
    const { code, stdout, stderr } = await home.run("token", "create", ...scopes.flatMap((one) => ["--scope", one]));
    equal(code, 0, stderr);
    return ["-H", `Authorization: Bearer ${stdout.trim()}`];
  };
  const reader = await token("fs:read:main");
  const other = await token("fs:read:other");
  const writer = await token("fs:write:main", "fs:read:stat");
  const node: ServingNode = started.use(await home.serve());
  const stack = started.move();
  return {
    home,
    node,
    reader,
    other,
    writer,
    url: `https://127.0.0.1:${node.port}`,
    /** Asks, as the path is written. */
    async curl(path: string, ...options: readonly string[]): Promise<Got> {
      const url = `https://127.0.0.1:${node.port}${path}`;
      const args = ["-sk", "--path-as-is", "-i", "--raw", ...options, url];
      const { code, stdout, stderr } = await runProgram("curl", args);
      equal(code, 0, `curl ${options.join(" ")} ${path}: ${code} ${stderr}`);
      const end = stdout.indexOf("\r\n\r\n");
      const [first, ...lines] = stdout.slice(0, end).split("\r\n");
      const headers = new Headers(lines.map((line) => line.split(/: (.*)/, 2) as [string, string]));
      return { status: Number(first.split(" ")[1]), headers, body: stdout.slice(end + 4) };
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

Deno.test({
  name:
    "GET /fs/…, /blobs/…: whole, ranges, HEAD, 304, 412, 416, as RFC 9110 has them; fixed ones may be kept (row 48)",
  ...needs("curl"),
  async fn() {
    await using web = await webNode({ "a b.txt": "0123456789" });
    const { curl, reader } = web;
    const { hash } = JSON.parse((await web.home.run("fs", "stat", "main:/a b.txt", "--json")).stdout);
    for (const path of ["/fs/main/a%20b.txt", `/blobs/${hash}`]) {
      for (const version of ["--http1.1", "--http2"]) {
        const ask = (...options: string[]) => curl(path, version, ...reader, ...options);
        const whole = await ask();
        deepEqual([whole.status, whole.body], [200, "0123456789"]);
        const seen = Object.fromEntries(whole.headers);
        deepEqual([seen.etag, seen["content-length"], seen["accept-ranges"]], [`"${hash}"`, "10", "bytes"]);
        equal(seen["x-content-type-options"], "nosniff");
        equal(seen["content-security-policy"], "sandbox; default-src 'none'");
        equal(
          seen["cache-control"],
          path.startsWith("/fs") ? "private, no-cache" : "private, immutable, max-age=31536000",
        );
        equal(seen["content-type"], path.startsWith("/fs") ? "text/plain; charset=utf-8" : "application/octet-stream");
        const head = await ask("-I");
        deepEqual([head.status, head.headers.get("content-length"), head.body], [200, "10", ""]);
        for (
          const [range, body, content] of [
            ["0-0", "0", "bytes 0-0/10"],
            ["3-5", "345", "bytes 3-5/10"],
            ["7-", "789", "bytes 7-9/10"],
            ["-4", "6789", "bytes 6-9/10"],
            ["5-99", "56789", "bytes 5-9/10"],
            ["-99", "0123456789", "bytes 0-9/10"],
          ]
        ) {
          const got = await ask("-r", range);
          deepEqual([got.status, got.body, got.headers.get("content-range")], [206, body, content], range);
        }
        for (const range of ["10-", "99-100", "-0"]) {
          const got = await ask("-H", `Range: bytes=${range}`);
          deepEqual([got.status, got.headers.get("content-range")], [416, "bytes */10"], range);
        }
        // Several, malformed, of another unit or version: the whole.
        for (const range of ["bytes=0-1,3-4", "bytes=5-3", "bytes=x-", "lines=0-1", "bytes=-"]) {
          equal((await ask("-H", `Range: ${range}`)).body, "0123456789", range);
        }
        equal((await ask("-r", "0-0", "-H", `If-Range: "${hash}"`)).status, 206);
        for (const other of ['"other"', `W/"${hash}"`, "Tue, 01 Jan 2030 00:00:00 GMT"]) {
          equal((await ask("-r", "0-0", "-H", `If-Range: ${other}`)).status, 200, other);
        }
        for (const tag of [`"${hash}"`, `W/"${hash}"`, `"x", "${hash}"`, "*"]) {
          const got = await ask("-H", `If-None-Match: ${tag}`);
          deepEqual([got.status, got.body, got.headers.get("etag")], [304, "", `"${hash}"`], tag);
        }
        equal((await ask("-H", 'If-None-Match: "x"')).status, 200);
        equal((await ask("-H", 'If-Match: "x"')).status, 412);
        equal((await ask("-H", `If-Match: "${hash}"`)).status, 200);
        for (const method of ["POST", "PUT", "DELETE"]) {
          const got = await ask("-X", method);
          deepEqual([got.status, got.headers.get("allow")], [405, "GET, HEAD"], method);
        }
      }
    }
    // A version by its number is the same for ever; anyone may keep what anyone may read.
    const fixed = await curl("/fs/main@1/a%20b.txt", ...reader);
    equal(fixed.headers.get("cache-control"), "private, immutable, max-age=31536000");
    equal((await web.home.run("fs", "snapshot", "create", "main", "first")).code, 0);
    equal((await curl("/fs/main@first/a%20b.txt", ...reader)).headers.get("cache-control"), "private, no-cache");
    equal((await web.home.run("fs", "branch", "publish", "main")).code, 0);
    equal((await curl("/fs/main/a%20b.txt")).headers.get("cache-control"), "public, no-cache");
    equal((await curl(`/blobs/${hash}`)).headers.get("cache-control"), "public, immutable, max-age=31536000");
  },
});

Deno.test({
  name: "GET /blobs/<hash>.obao4: the pairs of the blob, whole and in ranges; large files come whole (row 48)",
  ...needs("curl"),
  async fn() {
    const large = new Random(7).bytes(3_000_001);
    await using web = await webNode({ large, small: "x" });
    const { root, pairs } = MemoryOutboard.of(large);
    const base = `${web.url}/blobs/${root.toHex()}.obao4`;
    await using folder = await temporaryFolder();
    const get = async (url: string, ...options: string[]): Promise<Uint8Array> => {
      const path = folder.join("got");
      const { code, stderr } = await runProgram("curl", ["-skf", "-o", path, ...web.reader, ...options, url]);
      equal(code, 0, stderr);
      return new Uint8Array(await Deno.readFile(path));
    };
    deepEqual(await get(base), pairs);
    for (
      const [first, last] of [[0, 63], [64, 127], [1, 1], [100, 5000], [pairs.byteLength - 65, pairs.byteLength - 1]]
    ) {
      deepEqual(await get(base, "-r", `${first}-${last}`), pairs.subarray(first, last + 1), `${first}-${last}`);
    }
    deepEqual(await get(`${web.url}/fs/main/large`), large);
    deepEqual(await get(`${web.url}/fs/main/large`, "-r", "1048575-2097153"), large.subarray(1_048_575, 2_097_154));
    // Of a blob of one group there is none.
    const one = await web.curl(`/blobs/${hashOf(new TextEncoder().encode("x")).toHex()}.obao4`, ...web.reader);
    deepEqual([one.status, one.headers.get("content-length"), one.body], [200, "0", ""]);
  },
});

Deno.test({
  name: "GET /fs/…: clients that leave in the middle leave no file open behind them",
  ...needs("curl", "linux"),
  async fn() {
    await using web = await webNode({ large: new Random(8).bytes(20_000_000) });
    const open = (): number => {
      const folder = `/proc/${web.node.child.pid}/fd`;
      const files = [...Deno.readDirSync(folder)].map(({ name }) => {
        try {
          return Deno.readLinkSync(`${folder}/${name}`);
        } catch {
          return "";
        }
      });
      return files.filter((path) => /\.(?:data|obao4)$/.test(path)).length;
    };
    equal(open(), 0);
    {
      await using clients = new AsyncDisposableStack();
      for (let n = 0; n < 10; n++) {
        const version = n % 2 === 0 ? "--http2" : "--http1.1";
        const args = [
          "-skv",
          version,
          "--limit-rate",
          "20k",
          "-o",
          "/dev/null",
          ...web.reader,
          `${web.url}/fs/main/large`,
        ];
        const client = clients.use(start("curl", args, { signal: "SIGKILL" }));
        await client.errorLine(/^< HTTP\/\S+ 200/);
      }
      ok(open() >= 10, `${open()} files are open`);
    }
    // Each answer notices by itself that nobody takes it; without that this would never end.
    while (open() > 0) await web.curl("/healthz");
  },
});

Deno.test({
  name: "GET /fs/…: folders are pages, links what they lead to; without a right all is as nothing there (rows 47, 50)",
  ...needs("curl"),
  async fn() {
    await using web = await webNode({ "a.txt": "a", "b.txt": "b", "c.txt": "c" });
    const { curl, reader, other, writer, home } = web;
    equal((await home.run("fs", "branch", "create", "stat", "main")).code, 0);
    const page = await curl("/fs/main/?limit=2", ...reader);
    const { entries, next } = JSON.parse(page.body);
    deepEqual([page.status, page.headers.get("content-type")], [200, "application/json"]);
    deepEqual([entries.map(({ name }: { name: string }) => name), next], [["a.txt", "b.txt"], "b.txt"]);
    const rest = JSON.parse((await curl("/fs/main/?after=b.txt", ...reader)).body);
    deepEqual([rest.entries.map(({ name }: { name: string }) => name), rest.next], [["c.txt"], undefined]);
    for (const limit of ["0", "1001", "x", "-1"]) {
      equal((await curl(`/fs/main/?limit=${limit}`, ...reader)).status, 400, limit);
    }
    const link = { branch: "main", path: "/link", target: "/a.txt" };
    const linked = await curl("/call", ...[
      ...writer,
      ...["-H", "content-type: application/json"],
      ...["-d", JSON.stringify({ operation: "fs/symlink", input: link })],
    ]);
    equal(linked.status, 200, linked.body);
    equal((await curl("/fs/main/link", ...reader)).body, "a");
    equal((await curl("/fs/main/link/", ...reader)).status, 404);
    // As nothing there, byte for byte: no branch, no right to it, no file, no blob, no right to it.
    const { hash } = JSON.parse((await home.run("fs", "stat", "main:/a.txt", "--json")).stdout);
    const nothing = await curl("/fs/none/a.txt");
    equal(nothing.status, 404);
    const plain = (got: Got) => [got.status, got.body, [...got.headers].filter(([name]) => name !== "date")];
    for (
      const [path, who] of [
        ["/fs/main/a.txt", []],
        ["/fs/main/a.txt", other],
        ["/fs/main/", other],
        ["/fs/main@1/a.txt", other],
        ["/fs/main@99/a.txt", reader],
        ["/fs/main/none", reader],
        ["/fs/main/a.txt/b", reader],
        [`/blobs/${hash}`, []],
        [`/blobs/${hash}`, other],
        [`/blobs/${hash}.obao4`, other],
        [`/blobs/${"0".repeat(64)}`, reader],
        ["/fs/stat/a.txt", reader],
      ] as const
    ) deepEqual(plain(await curl(path, ...who)), plain(nothing), path);
    const wrong = await curl("/fs/main/a.txt", "-H", "Authorization: Bearer alk_wrong");
    equal(wrong.status, 401);
    // Nothing leads out, however it is written; a name is what it is after one decoding.
    for (
      const path of [
        "/fs/main/../../etc/passwd",
        "/fs/main/%2e%2e/%2e%2e/etc/passwd",
        "/fs/main/..%2fa.txt",
        "/fs/main/x%2fa.txt",
        "/fs/main/%00",
        "/fs/main/a.txt%00",
        "/fs/main/%ff",
        "/fs/main/%252e%252e/",
        "/fs/../main/a.txt",
        "/fs/%2e%2e/a.txt",
        "/fs/main%40/a.txt",
      ]
    ) ok([400, 404].includes((await curl(path, ...reader)).status), path);
    // Within the branch they are what POSIX has.
    equal((await curl("/fs/main/x/%2e%2e/a.txt", ...reader)).status, 404);
    equal((await curl("/fs/main/%2e/a.txt", ...reader)).body, "a");
    // A branch of an operation's name, and the operation.
    equal((await curl("/fs/stat/a.txt", ...writer)).body, "a");
    const operation = await curl("/call", ...[
      ...reader,
      ...["-H", "content-type: application/json"],
      ...["-d", JSON.stringify({ operation: "fs/stat", input: { branch: "main", path: "/a.txt" } })],
    ]);
    match(operation.body, new RegExp(hash));
    equal((await curl("/fs/stat", ...reader)).status === 405, false);
  },
});

Deno.test({
  name: "GET /fs/…: HTML, SVG, XML and script of others are saved by a browser, and nothing of them runs (row 49)",
  ...needs("chromium"),
  async fn() {
    const script = "globalThis.ran = true; document.title = 'ran'";
    const page = `<!doctype html><title>page</title><script>${script}</script><img src=x onerror="${script}">`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg"><script>${script}</script></svg>`;
    const names = ["x.html", "x.HTM", "x.xhtml", "x.svg", "x.xml", "x.js", "x.mjs", "noext", "x.txt"];
    const contents: Record<string, string> = {};
    for (const name of names) contents[name] = /svg|xml/.test(name) ? svg : /js$/.test(name) ? script : page;
    await using web = await webNode(contents);
    equal((await web.home.run("fs", "branch", "publish", "main")).code, 0);
    await using browser = await startBrowser();
    const tab = await browser.open("about:blank");
    await tab.until("document.readyState === 'complete'");
    for (const name of names) {
      const { errorText } = await tab.send("Page.navigate", { url: `${web.url}/fs/main/${name}` });
      const isShown = name === "x.txt";
      equal(errorText === undefined, isShown, `${name}: ${errorText}`);
      if (isShown) await tab.until("document.body?.innerText.includes('<!doctype html>')");
      deepEqual(await tab.evaluate("[globalThis.ran, document.title]"), [null, ""], name);
    }
    const { hash } = JSON.parse((await web.home.run("fs", "stat", "main:/x.html", "--json")).stdout);
    const { errorText } = await tab.send("Page.navigate", { url: `${web.url}/blobs/${hash}` });
    equal(typeof errorText, "string");
  },
});
