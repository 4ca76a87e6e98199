import assert from "node:assert/strict";
import { memoryPair } from "@alknet/core/handler";
import { connect, type IncomingHttpHeaders } from "node:http2";
import { keepLogs } from "../../support/logs.ts";
import { needs } from "../../support/programs.ts";
import { contextOf } from "../context.ts";
import { ask, assertError } from "./api.ts";
import { WAYS } from "./fronts.ts";
import { NOBODY, testApi, testDispatcher, Tokens, Witness, WRITER } from "./operations.ts";
import { parseAnswer, plainFront, rawExchange } from "./support.ts";

const CREATE = { operation: "notes/create", input: { title: "x" } };
const BOTH = WAYS.filter(({ alpn }) => alpn !== "alknet/http");

for (const way of WAYS) {
  Deno.test({
    name: `${way.name}: a body over the limit is 413, and the next request is served (http.md §15 row 32)`,
    ...needs("curl"),
    async fn() {
      await using served = await way.serve(testApi({ limits: { body: 1000 } }), new Tokens());
      const body = (size: number) => JSON.stringify({ operation: "echo/value", input: "x".repeat(size) });
      for (const headers of [[], ["Transfer-Encoding: chunked"]]) {
        if (headers.length > 0 && way.version === "2") continue;
        assert.equal((await ask(way, served, "/call", { body: body(900), headers })).status, 200);
        for (const size of [1000, 100_000]) {
          const asked = { body: body(size), headers: ["Expect:", ...headers] };
          assertError(await ask(way, served, "/call", asked), 413, "INVALID_INPUT");
        }
      }
      assert.equal((await ask(way, served, "/healthz")).status, 200);
    },
  });
}

for (const way of BOTH) {
  Deno.test({
    name: `${way.name}: of somebody unknown a shorter body and fewer members are taken (core.md §13)`,
    ...needs("curl"),
    async fn() {
      await using served = await way.serve(testApi({ limits: { body: 2000, anonymousBody: 1000 } }), new Tokens());
      const echo = (input: unknown, token?: string) => {
        const body = JSON.stringify({ operation: "echo/value", input });
        return ask(way, served, "/call", { body, token, headers: ["Expect:"] });
      };
      assert.equal((await echo("x".repeat(900))).status, 200);
      assertError(await echo("x".repeat(1500)), 413, "INVALID_INPUT");
      assert.equal((await echo("x".repeat(1500), WRITER)).status, 200);
      assertError(await echo("x".repeat(2500), WRITER), 413, "INVALID_INPUT");
    },
  });

  Deno.test({
    name: `${way.name}: whoever guesses tokens is told 429, and nobody else (http.md §15 row 23b, core.md §13)`,
    // Addresses of one's own other than 127.0.0.1 are there on Linux alone.
    ...needs("curl", "linux"),
    async fn() {
      await using served = await way.serve(testApi(), new Tokens());
      const call = (token?: string) => ask(way, served, "/call", { body: CREATE, token });
      // Five failures a minute are allowed; the sixth refuses the address.
      for (let i = 0; i < 6; i++) assertError(await call("alk_wrong"), 401, "FORBIDDEN");
      for (const token of ["alk_wrong", WRITER, NOBODY]) {
        const answer = await call(token);
        assertError(answer, 429, "FORBIDDEN");
        assert.equal(answer.headers["retry-after"], "60");
      }
      for (const target of ["/search", "/math/add?a=1&b=2", "/openapi.json", "/healthz"]) {
        assert.equal((await ask(way, served, target)).status, 200, target);
      }
      assertError(await call(), 401, "FORBIDDEN", "authentication required");
      // A direct path refuses as well; a path that is nobody's does not tell.
      assert.equal((await ask(way, served, "/math/add?a=1&b=2", { token: WRITER })).status, 429);
      assert.equal((await ask(way, served, "/nope", { token: WRITER })).status, 404);
      const elsewhere = { ...way, curl: [...way.curl, "--interface", "127.0.0.2"] };
      assert.equal((await ask(elsewhere, served, "/call", { body: CREATE, token: WRITER })).status, 200);
      assertError(await ask(elsewhere, served, "/call", { body: CREATE, token: "alk_wrong" }), 401, "FORBIDDEN");
      assertError(await call(WRITER), 429, "FORBIDDEN");
    },
  });
}

Deno.test({
  name: "h2 over TLS: each of two streams of a connection has its own rights (http.md §15 row 21)",
  ...needs("curl"),
  async fn() {
    const witness = new Witness();
    const way = WAYS.find(({ name }) => name === "h2 over TLS")!;
    await using served = await way.serve(testApi({ dispatcher: testDispatcher(witness) }), new Tokens());
    const one = (token: string, output: string) => [
      ...way.curl,
      ...["--header", `Authorization: Bearer ${token}`, "--header", "Content-Type: application/json"],
      ...[
        "--data-binary",
        JSON.stringify(CREATE),
        "--output",
        output,
        "--write-out",
        "%{http_code} %{num_connects}\\n",
      ],
      `${served.base}/call`,
    ];
    const { stdout } = await new Deno.Command("curl", {
      args: [
        "--silent",
        "--parallel",
        "--parallel-max",
        "2",
        ...one(WRITER, "/dev/null"),
        "--next",
        "--silent",
        ...one(NOBODY, "/dev/null"),
      ],
      stdin: "null",
    }).output();
    const lines = new TextDecoder().decode(stdout).trim().split("\n").toSorted();
    assert.deepEqual(lines.map((line) => line.split(" ")[0]), ["200", "403"]);
    assert.equal(lines.reduce((sum, line) => sum + Number(line.split(" ")[1]), 0), 1, "one connection");
  },
});

Deno.test("http: a header block over the limit is 431 (http.md §2)", async () => {
  await using front = plainFront(testApi({ limits: { headers: 30_000 } }));
  const get = async (size: number) => {
    const lines = Array.from({ length: 20 }, (_, i) => `X-${i}: ${"x".repeat(size / 20)}\r\n`).join("");
    return parseAnswer(
      await rawExchange(front.port, `GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${lines}\r\n`),
    );
  };
  assert.equal((await get(29_000)).status, 200);
  const { status, headers } = await get(31_000);
  assert.deepEqual([status, headers.server], [431, "nginx"]);
});

Deno.test("http: more requests at a time than a conversation may have are 503 (http.md §2)", async () => {
  const witness = new Witness();
  await using front = plainFront(testApi({ dispatcher: testDispatcher(witness), limits: { requests: 1 } }), {
    alpn: "h2",
  });
  const session = connect(`http://127.0.0.1:${front.port}`);
  const first = session.request({ ":path": "/hang/query" });
  first.on("error", () => {});
  await witness.until("query started");
  const second = session.request({ ":path": "/healthz" });
  const headers = await new Promise<IncomingHttpHeaders>((resolve) => second.on("response", resolve));
  assert.deepEqual([headers[":status"], headers["retry-after"]], [503, "1"]);
  second.close();
  first.close();
  await witness.until("query aborted");
  await new Promise<void>((resolve) => session.close(resolve));
});

Deno.test("alknet/http: a stream that is reset aborts its call, and the other streams go on (http.md §4, §15 row 43)", async () => {
  const witness = new Witness();
  const shutdown = new AbortController();
  const [client, server] = memoryPair("alknet/http");
  const handled = testApi({ dispatcher: testDispatcher(witness) }).handle(server, contextOf(shutdown.signal));
  const body = JSON.stringify({ operation: "hang/query" });
  const stream = await client.open();
  const writer = stream.writable.getWriter();
  const head =
    `POST /call HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`;
  await writer.write(new TextEncoder().encode(head + body));
  await Promise.all([witness.until("query started"), witness.until("child started")]);
  stream.reset(0);
  stream.stop(0);
  await Promise.all([witness.until("query aborted"), witness.until("child aborted")]);
  await writer.closed.catch(() => {});
  const other = await client.open();
  const asking = other.writable.getWriter();
  await asking.write(new TextEncoder().encode("GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  assert.match(await new Response(other.readable).text(), / 200 /);
  await asking.close().catch(() => {});
  client.close();
  shutdown.abort("shutdown");
  await handled;
});

Deno.test({
  name: "http: no token is logged, whoever shows it and wherever (http.md §15 row 23)",
  ...needs("curl"),
  async fn() {
    await using logs = await keepLogs();
    const { lines } = logs;
    for (const way of BOTH) {
      await using served = await way.serve(testApi(), new Tokens());
      const secret = "alk_very-secret";
      for (const token of [secret, WRITER, NOBODY]) {
        await ask(way, served, "/call", { body: CREATE, token });
        await ask(way, served, "/errors/throw", { token });
        await ask(way, served, `/search?access_token=${token}`, { headers: [`Cookie: t=${token}`] });
        await ask(way, served, "/call", { body: { operation: token, auth_token: token } });
      }
    }
    assert.ok(lines.some((line) => line.includes("errors/throw")), "something is logged");
    for (const line of lines) assert.doesNotMatch(line, /alk_/);
  },
});
