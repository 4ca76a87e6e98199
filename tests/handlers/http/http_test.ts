import assert from "node:assert/strict";
import { http, type HttpOptions, redirect } from "@alknet/handlers/http";
import { needs } from "../../support/programs.ts";
import { runProgram } from "../../support/process.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { WAYS } from "./fronts.ts";
import { curl, type CurlAnswer, parseAnswer, plainFront, rawExchange, until } from "./support.ts";

interface Case {
  readonly title: string;
  readonly options?: HttpOptions;
  run(get: (target: string, ...args: string[]) => Promise<CurlAnswer>, way: typeof WAYS[number]): Promise<void>;
}

const CASES: Case[] = [
  {
    title: "GET /healthz with and without a bad token (http.md §15 row 1)",
    async run(get) {
      for (const args of [[], ["-H", "Authorization: Bearer alk_wrong"]]) {
        const answer = await get("/healthz", ...args);
        assert.deepEqual([answer.status, answer.headers["content-type"], answer.body], [200, "text/plain", "ok"]);
      }
      const head = await get("/healthz", "--head");
      assert.deepEqual([head.status, head.body], [200, ""]);
      const post = await get("/healthz", "--data", "x");
      assert.deepEqual([post.status, post.headers.allow], [405, "GET, HEAD"]);
    },
  },
  {
    title: "the default decoy answers everything else, and names nobody (http.md §15 rows 5, 6, 11)",
    async run(get) {
      const requests = [["/"], ["/nope"], ["/nope", "--data", "x"], ["/a/b/c", "-X", "DELETE"], ["/healthz/"], [
        "//healthz",
      ]];
      for (const [target, ...args] of [...requests, ["/Healthz"], ["/%00"], ["/../x"]]) {
        const answer = await get(target, ...args);
        const { date: _, ...headers } = answer.headers;
        assert.equal(answer.status, 404, target);
        const expected = { "content-type": "text/html; charset=utf-8", "content-length": "146", "server": "nginx" };
        assert.deepEqual(headers, expected, target);
        assert.match(answer.body, /<h1>404 Not Found<\/h1>.*<hr><center>nginx<\/center>/s);
        assert.equal(answer.body.length, 146);
        assert.doesNotMatch(JSON.stringify(answer), /alknet|deno|hono/i);
      }
    },
  },
  {
    title: "the redirect decoy (http.md §15 row 9)",
    options: { decoy: redirect({ to: "https://example.org/x" }) },
    async run(get) {
      const answer = await get("/anything");
      assert.deepEqual([answer.status, answer.headers.location, answer.body], [302, "https://example.org/x", ""]);
    },
  },
  {
    title: "routes see who asks; fixed paths win over them (http.md §15 row 12)",
    options: {
      routes(app) {
        app.get("/who", ({ env: { peer } }) => Response.json({ alpn: peer.alpn, host: peer.remoteAddress.hostname }));
        app.get("/healthz", () => new Response("never"));
      },
    },
    async run(get, { alpn }) {
      assert.deepEqual(JSON.parse((await get("/who")).body), { alpn, host: "127.0.0.1" });
      assert.equal((await get("/healthz")).body, "ok");
    },
  },
  {
    title: "a route that throws is answered 500 and told nothing else",
    options: {
      routes(app) {
        app.get("/throws", () => {
          throw new Error("secret");
        });
      },
    },
    async run(get) {
      const answer = await get("/throws");
      assert.deepEqual([answer.status, answer.body], [500, ""]);
      assert.equal((await get("/healthz")).status, 200);
    },
  },
  {
    title: "a body that nobody reads costs its client nothing; one of 32 MiB costs nobody else anything",
    async run(get) {
      await using folder = await temporaryFolder();
      const upload = async (size: number) => {
        const file = await folder.write("body", new Uint8Array(size));
        return await get("/upload", "--data-binary", `@${file}`, "--header", "Expect:");
      };
      for (const size of [1, 1000, 70_000, 4 * 1024 * 1024]) assert.equal((await upload(size)).status, 404, `${size}`);
      // What is too long is cut off: with h2 the answer may be lost with the stream.
      await upload(32 * 1024 * 1024).catch(() => {});
      assert.equal((await get("/healthz")).status, 200);
    },
  },
];

for (const way of WAYS) {
  for (const { title, options, run } of CASES) {
    Deno.test({
      name: `${way.name}: ${title}`,
      ...needs("curl"),
      async fn() {
        await using served = await way.serve(http(options));
        await run(async (target, ...args) => {
          const answer = await curl([...way.curl, ...args, served.base + target]);
          assert.equal(answer.version, way.version);
          return answer;
        }, way);
      },
    });
  }

  Deno.test({
    name: `${way.name}: 100 requests on one connection are all answered (http.md §15 rows 14, 15)`,
    ...needs("curl", "h2load"),
    async fn() {
      const answered: string[] = [];
      const handler = http({
        routes(app) {
          app.get("/n/:n", (c) => {
            answered.push(c.req.param("n"));
            return c.text("ok");
          });
        },
      });
      await using served = await way.serve(handler);
      const urls = Array.from({ length: 100 }, (_, i) => `${served.base}/n/${i}`);
      const options = way.version === "2" ? ["-m", "100"] : ["--h1"];
      const { stdout } = await runProgram("h2load", ["-n", "100", "-c", "1", ...options, ...urls]);
      assert.match(stdout, /100 succeeded, 0 failed/);
      const numbers = answered.map(Number);
      assert.deepEqual(numbers.toSorted((a, b) => a - b), urls.map((_, i) => i));
      if (way.version === "1.1") assert.deepEqual(numbers, urls.map((_, i) => i));
    },
  });

  Deno.test({
    name: `${way.name}: a request that runs when the shutdown begins is answered (core.md §14, §18 row 67)`,
    ...needs("curl"),
    async fn() {
      const began = Promise.withResolvers<void>();
      const finish = Promise.withResolvers<void>();
      const handler = http({
        routes(app) {
          app.get("/slow", async (c) => {
            began.resolve();
            await finish.promise;
            return c.text("done");
          });
        },
      });
      await using served = await way.serve(handler);
      const answer = curl([...way.curl, `${served.base}/slow`]);
      await began.promise;
      const shutdown = served.shutdown();
      finish.resolve();
      assert.equal((await answer).body, "done");
      await shutdown;
    },
  });
}

const SLOW: HttpOptions = {
  routes(app) {
    app.get("/turns", async (c) => {
      for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 1));
      return c.text(JSON.stringify(c.env.peer.identity ?? null));
    });
  },
};

Deno.test("alknet/http and http/1.1: a client that half-closes after its request is answered (core.md §6.1)", async () => {
  for (const [alpn, singleStream] of [["alknet/http", false], ["alknet/http", true], ["http/1.1", true]] as const) {
    await using front = plainFront(http(SLOW), { alpn, singleStream });
    for (const path of ["/turns", "/healthz", "/nope"]) {
      const text = await rawExchange(front.port, `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`, true);
      assert.match(text, /^HTTP\/1\.1 (200|404)/, `${alpn} ${path}`);
      const length = Number(parseAnswer(text).headers["content-length"]);
      assert.equal(parseAnswer(text).body.length, length, "the whole body");
    }
  }
});

Deno.test("http: the framing is told by the bytes: h1 on an h2 connection, h2 on an http/1.1 one", async () => {
  for (const [alpn, version] of [["h2", "--http1.1"], ["http/1.1", "--http2-prior-knowledge"]]) {
    await using front = plainFront(http(), { alpn });
    assert.equal((await curl([version, `http://127.0.0.1:${front.port}/healthz`])).body, "ok");
  }
});

Deno.test("http: identity and address are those of the connection that carried the request", async () => {
  const identity = { id: "alice", scopes: ["a"], resources: {} };
  await using known = plainFront(http(SLOW), { identity });
  await using stranger = plainFront(http(SLOW));
  const [first, second] = await Promise.all([known, stranger].map(async ({ port }) => {
    const text = await rawExchange(port, "GET /turns HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    return JSON.parse(parseAnswer(text).body);
  }));
  assert.deepEqual(first, identity);
  assert.equal(second, null);
});

Deno.test({
  name: "http: the inner server refuses whoever does not come through the endpoint",
  ...needs("linux"),
  async fn() {
    const before = loopbackListeners();
    await using front = plainFront(http());
    const get = (port: number) => rawExchange(port, "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    assert.match(await get(front.port), / 200 /);
    const inner = loopbackListeners().filter((port) => !before.includes(port) && port !== front.port);
    assert.equal(inner.length, 1, "one inner server, on loopback");
    const refused = parseAnswer(await get(inner[0]));
    assert.deepEqual([refused.status, refused.body], [403, ""]);
    assert.doesNotMatch(JSON.stringify(refused), /alknet|deno|hono/i);
  },
});

Deno.test({
  name: "http: the inner server is started once, and gone after the shutdown (core.md §18 row 72)",
  ...needs("linux"),
  async fn() {
    const before = loopbackListeners();
    {
      await using front = plainFront(http());
      const request = "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
      await Promise.all(Array.from({ length: 20 }, () => rawExchange(front.port, request)));
      assert.equal(loopbackListeners().length, before.length + 2);
      await front.drain();
      // The runtime gives a listener's descriptor back a moment after the server has ended.
      await until(() => loopbackListeners().length === before.length + 1, "the inner server's listener is gone");
    }
    assert.deepEqual(loopbackListeners(), before);
  },
});

Deno.test("http: a path is what was written: an encoded letter of a fixed path names nothing", async () => {
  await using front = plainFront(http({ routes: (app) => app.get("/own", (c) => c.text("own")) }));
  const ask = async (path: string) => {
    return parseAnswer(await rawExchange(front.port, `GET ${path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n`))
      .status;
  };
  assert.deepEqual([await ask("/healthz"), await ask("/own"), await ask("/own?x=/%6d")], [200, 200, 200]);
  assert.deepEqual([await ask("/%68ealthz"), await ask("/%6fwn"), await ask("/own%2f")], [404, 404, 404]);
});

Deno.test("http: one handler serves two endpoints, and outlives the first", async () => {
  const handler = http();
  const request = "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
  await using second = plainFront(handler);
  {
    await using first = plainFront(handler);
    assert.match(await rawExchange(first.port, request), / 200 /);
    assert.match(await rawExchange(second.port, request), / 200 /);
  }
  assert.match(await rawExchange(second.port, request), / 200 /);
});

Deno.test("http: idle and half-asked conversations do not hold up a shutdown (core.md §14)", async () => {
  await using front = plainFront(http());
  const sent = ["", "GET /healthz HT", "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"];
  const sockets = await Promise.all(sent.map(async (text) => {
    const socket = await Deno.connect({ hostname: "127.0.0.1", port: front.port });
    await socket.write(new TextEncoder().encode(text));
    return socket;
  }));
  await sockets[2].read(new Uint8Array(1000));
  while (front.connections.size < 3) await new Promise((resolve) => setTimeout(resolve, 0));
  await front.drain();
  for (const socket of sockets) socket.close();
});

Deno.test("http: garbage costs its own conversation (core.md §6)", async () => {
  await using front = plainFront(http());
  const garbage = [
    "GARBAGE\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nnonsense and more of it",
    "\0".repeat(1000),
  ];
  for (const bytes of [...garbage, `GET / HTTP/1.1\r\nX: ${"x".repeat(500_000)}\r\n\r\n`]) {
    const text = await rawExchange(front.port, bytes, true);
    assert.doesNotMatch(text, / 200 |alknet|deno/i);
    assert.match(await rawExchange(front.port, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n", true), / 200 /);
  }
});

Deno.test("http: a client that says nothing is let go (security.md §6, slow clients)", async () => {
  await using front = plainFront(http({ limits: { firstRequest: 1 } }));
  assert.equal(await rawExchange(front.port, ""), "");
  await until(() => front.connections.size === 0, "the connection is over");
});

Deno.test("InnerServer does not listen where the environment would move it: INCOMPATIBLE_OPTIONS", async () => {
  const code = `
    import { InnerServer } from "./handlers/http/front/inner_server.ts";
    try {
      new InnerServer({ signal: new AbortController().signal });
      console.log("listening");
    } catch (error) {
      console.log(error.code);
    }`;
  const { stdout } = await runProgram(Deno.execPath(), ["eval", "--no-check", code], {
    cwd: new URL("../../../", import.meta.url).pathname,
    env: { DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0" },
  });
  assert.equal(stdout.trim(), "INCOMPATIBLE_OPTIONS");
});

Deno.test("http: a limit that is no positive whole number is a RangeError; a redirect to nowhere a TypeError", () => {
  for (const idle of [0, -1, 1.5, NaN]) assert.throws(() => http({ limits: { idle } }), RangeError);
  for (
    const to of [
      "",
      "x",
      "//evil.example",
      "/\\evil.example",
      "javascript:alert(1)",
      "ftp://x",
      "/a b",
      "/\r\nX: y",
    ]
  ) {
    assert.throws(() => redirect({ to }), TypeError, to);
  }
  for (const to of ["/", "/x?y=1#z", "http://x", "https://x/y"]) redirect({ to });
});

/** Ports of 127.0.0.1 on which this process listens. */
function loopbackListeners(): number[] {
  const own = new Set<string>();
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    own.add(/^socket:\[(\d+)\]$/.exec(linkTarget(`/proc/self/fd/${name}`))?.[1] ?? "");
  }
  const rows = Deno.readTextFileSync("/proc/net/tcp").split("\n").slice(1).map((row) => row.trim().split(/\s+/));
  return rows.filter((row) => row[3] === "0A" && row[1].startsWith("0100007F") && own.has(row[9]))
    .map((row) => parseInt(row[1].split(":")[1], 16)).toSorted((a, b) => a - b);
}

/** Where a link points; nowhere if it has just gone. */
function linkTarget(path: string): string {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return "";
  }
}
