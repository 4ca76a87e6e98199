import assert from "node:assert/strict";
import { needs } from "../../support/programs.ts";
import { ask } from "./api.ts";
import { WAYS } from "./fronts.ts";
import { testApi, Tokens, WRITER } from "./operations.ts";
import { curl, plainFront, rawExchange } from "./support.ts";

/** The status of a raw answer, or its absence. */
const statusOf = (text: string): string => /^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? JSON.stringify(text.slice(0, 40));

Deno.test("http/1.1: a Host that is none is 400, on whatever path (RFC 9112 §3.2)", async () => {
  await using front = plainFront(testApi({ mcp: true }));
  const request = (host: string, path: string) =>
    `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nOrigin: https://x.example\r\nConnection: close\r\n\r\n`;
  for (const path of ["/mcp", "/search", "/healthz", "/nope", "/alknet/call"]) {
    for (const host of ["a b", "[::1", "a:99999", "%zz", "a@b", "999.1.1.1", "a:b", "x:1:2", "a".repeat(300)]) {
      assert.equal(statusOf(await rawExchange(front.port, request(host, path))), "400", `${host} ${path}`);
    }
  }
  for (const host of ["localhost", "a.example:4433", "[::1]:4433", "127.0.0.1:", "xn--bcher-kva.example", ""]) {
    assert.equal(statusOf(await rawExchange(front.port, request(host, "/healthz"))), "200", host);
    // The page's origin is another than this host's.
    assert.equal(statusOf(await rawExchange(front.port, request(host, "/mcp"))), "403", host);
  }
});

Deno.test("http/1.1: a body whose chunks are none is 400, then the end (RFC 9112 §7.1)", async () => {
  await using front = plainFront(testApi());
  const head = "POST /call HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (
    const chunks of ["0x1\r\nx\r\n0\r\n\r\n", "10000000000000001\r\nx", "-1\r\nx\r\n0\r\n\r\n", "1;\r\nxy\r\n0\r\n\r\n"]
  ) {
    const answer = await rawExchange(front.port, head + chunks);
    assert.equal(statusOf(answer), "400", JSON.stringify(chunks));
    assert.equal(answer.split("HTTP/1.1 ").length, 2, "one answer");
    assert.match(answer, /connection: close|^HTTP/i);
  }
  // What is well formed is answered as ever, and nothing is said after it.
  const good = await rawExchange(front.port, `${head}1\r\n{\r\n0\r\n\r\n`, true);
  assert.equal(statusOf(good), "400");
  assert.match(good, /INVALID_INPUT/);
  assert.equal(good.split("HTTP/1.1 ").length, 2);
});

Deno.test({
  name:
    "http/1.1: who asks before sending a body (Expect) gets the answer, whether or not the body was wanted (RFC 9110 §10.1.1)",
  ...needs("curl"),
  async fn() {
    const way = WAYS.find(({ name }) => name === "http/1.1 over TLS")!;
    await using served = await way.serve(testApi({ limits: { body: 100_000 } }), new Tokens());
    const status = async (path: string, size: number) => {
      const body = JSON.stringify({ operation: "echo/value", input: "x".repeat(size) });
      const headers = ["Expect: 100-continue", "Content-Type: application/json", `Authorization: Bearer ${WRITER}`];
      const { body: text } = await curl([
        ...way.curl,
        ...headers.flatMap((header) => ["-H", header]),
        ...["--expect100-timeout", "30", "--data-binary", body, "-w", "\n%{http_code}", `${served.base}${path}`],
      ]);
      return text.slice(text.lastIndexOf("\n") + 1);
    };
    const answers = [["/nowhere", 50_000], ["/call", 120_000], ["/healthz", 50_000], ["/call", 50_000]] as const;
    assert.deepEqual(await Promise.all(answers.map(([path, size]) => status(path, size))), [
      "404",
      "413",
      "405",
      "200",
    ]);
  },
});

Deno.test({
  name: "WebSocket: an upgrade that the client would refuse is refused first, with what is wanted (RFC 6455 §4)",
  ...needs("curl"),
  async fn() {
    const way = WAYS.find(({ name }) => name === "alknet/http (HTTP/1.1) over a pair in memory")!;
    await using served = await way.serve(testApi(), new Tokens());
    const upgrade = ["Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
    const cases: [headers: string[], status: number, header?: string][] = [
      [["Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: chat"], 400],
      [["Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: alknet.Call, mqtt"], 400],
      [["Sec-WebSocket-Version: 8", "Sec-WebSocket-Protocol: alknet.call"], 426, "13"],
      [["Sec-WebSocket-Protocol: alknet.call"], 426, "13"],
    ];
    for (const [headers, status, version] of cases) {
      const answer = await ask(way, served, "/alknet/call", { headers: [...upgrade, ...headers], token: WRITER });
      assert.equal(answer.status, status, `${headers}`);
      assert.equal(answer.headers["sec-websocket-version"], version);
      if (status === 400) assert.match(answer.body, /alknet\.call/);
    }
  },
});
