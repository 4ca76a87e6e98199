import assert from "node:assert/strict";
import { redirect } from "@alknet/handlers/http";
import { WAYS } from "../fronts.ts";
import { testApi, Tokens, WRITER } from "../operations.ts";
import { Asker, events } from "./clients.ts";

const WAY = WAYS.find(({ name }) => name === "alknet/http (HTTP/1.1) over a pair in memory")!;
const LIST = { jsonrpc: "2.0", id: 5, method: "tools/list" };
const INITIALIZE = {
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "test", version: "1" } },
};

/** The message that an answer holds, in either form. */
async function message(answer: Response): Promise<Record<string, unknown>> {
  const text = await answer.text();
  const data = text.split("\n").findLast((line) => line.startsWith("data: {"));
  return JSON.parse(data?.slice(6) ?? text);
}

Deno.test("mcp: Accept is read as RFC 9110 has it; who takes JSON alone gets JSON", async () => {
  await using served = await WAY.serve(testApi({ mcp: true }), new Tokens());
  using asker = new Asker(WAY, served);
  const types = new Map<string, string | undefined>([
    ["*/*", "text/event-stream"],
    ["application/json, */*", "text/event-stream"],
    ["Application/JSON, Text/Event-Stream", "text/event-stream"],
    ["text/event-stream", "text/event-stream"],
    ["text/*;q=0.1", "text/event-stream"],
    ["application/*", "application/json"],
    ["application/json", "application/json"],
    ["text/event-stream;q=0, */*", "application/json"],
    ["text/html, image/*", undefined],
    ["*/*;q=0", undefined],
  ]);
  for (const [accept, type] of types) {
    const begun = await asker.post(INITIALIZE, { accept });
    assert.deepEqual([begun.status, begun.headers.get("content-type")], type ? [200, type] : [406, "application/json"]);
    const answer = await message(begun);
    if (!type) continue;
    assert.equal((answer.result as { protocolVersion: string }).protocolVersion, "2025-06-18", accept);
    const session = { "mcp-session-id": begun.headers.get("mcp-session-id")!, "mcp-protocol-version": "2025-06-18" };
    const listed = await asker.post(LIST, { ...session, accept });
    assert.equal(listed.headers.get("content-type"), type, accept);
    assert.equal(((await message(listed)).result as { tools: unknown[] }).tools.length, 4);
    const noted = await asker.post({ jsonrpc: "2.0", method: "notifications/initialized" }, { ...session, accept });
    assert.deepEqual([noted.status, await noted.text()], [202, ""]);
  }
});

Deno.test("mcp: a token that is not valid any more is 401 at once, whatever is asked (RFC 6750 §3.1)", async () => {
  const tokens = new Tokens();
  await using served = await WAY.serve(testApi({ mcp: true }), tokens);
  using asker = new Asker(WAY, served);
  const authorization = `Bearer ${WRITER}`;
  const session = await asker.begin({ authorization });
  tokens.revoked.add(WRITER);
  for (
    const asked of [
      asker.post(LIST, session),
      asker.post(INITIALIZE, { authorization }),
      asker.ask({ headers: session }),
    ]
  ) {
    const answer = await asked;
    assert.deepEqual([answer.status, answer.headers.get("www-authenticate")], [401, 'Bearer error="invalid_token"']);
    await answer.text();
  }
});

Deno.test("mcp: what a client leaves out as null is absent, and its mistakes are never the server's (JSON-RPC 2.0 §5.1)", async () => {
  await using served = await WAY.serve(testApi({ mcp: true }), new Tokens());
  using asker = new Asker(WAY, served);
  const session = await asker.begin({}, "2025-06-18");
  const ask = async (method: string, params: unknown) =>
    await message(await asker.post({ jsonrpc: "2.0", id: 9, method, params }, session));
  for (
    const [method, params] of [
      ["tools/list", null],
      ["tools/list", { cursor: null, _meta: null }],
      ["ping", null],
      ["tools/call", { name: "search", arguments: null }],
      ["tools/call", { name: "search", arguments: {}, _meta: null }],
    ] as const
  ) {
    const answer = await ask(method, params);
    assert.ok(answer.result, `${method} ${JSON.stringify(params)}: ${JSON.stringify(answer)}`);
  }
  for (
    const [method, params, code] of [
      ["tools/call", null, -32602],
      ["tools/call", {}, -32602],
      ["tools/call", { name: 5 }, -32602],
      ["tools/call", { name: "search", arguments: "{}" }, -32602],
      ["tools/call", { name: "search", arguments: [1] }, -32602],
      ["tools/list", { cursor: 5 }, -32602],
      ["prompts/list", null, -32601],
      ["resources/read", { uri: null }, -32601],
    ] as const
  ) {
    const { error } = await ask(method, params) as { error: { code: number; message: string } };
    assert.equal(error.code, code, `${method} ${JSON.stringify(params)}`);
    assert.doesNotMatch(error.message, /[\n{]/);
  }
});

Deno.test("mcp: before there is a session, and after a restart, a client is told how to go on", async () => {
  await using served = await WAY.serve(testApi({ mcp: true }), new Tokens());
  using asker = new Asker(WAY, served);
  const lost = { "mcp-session-id": "of-an-earlier-process" };
  for (
    const [asked, status] of [
      [asker.post({ jsonrpc: "2.0", id: 1, method: "ping" }), 400],
      [asker.post({ jsonrpc: "2.0", method: "notifications/initialized" }), 400],
      [asker.post("null"), 400],
      [asker.post("[]"), 400],
      [asker.ask({ method: "DELETE" }), 400],
      [asker.ask({ method: "DELETE", headers: lost }), 404],
      [asker.post(LIST, lost), 404],
      [asker.ask({ headers: { ...lost, accept: "text/event-stream", "last-event-id": "7" } }), 404],
    ] as const
  ) {
    const answer = await asked;
    assert.equal(answer.status, status, await answer.text());
  }
  // Who begins anew begins, with the old id too.
  const begun = await asker.post(INITIALIZE, lost);
  assert.equal(begun.status, 200);
  assert.notEqual(begun.headers.get("mcp-session-id"), lost["mcp-session-id"]);
  await begun.text();
  for (const params of [undefined, null, {}, { protocolVersion: 5 }]) {
    const answer = await asker.post({ ...INITIALIZE, params });
    assert.equal(answer.status, 400);
    const { error, id } = await answer.json();
    assert.deepEqual([error.code, id], [-32602, 1]);
  }
});

Deno.test("mcp: who listens anew takes the seat of a stream whose client has vanished", async () => {
  await using served = await WAY.serve(testApi({ mcp: true }), new Tokens());
  using asker = new Asker(WAY, served);
  const session = { ...await asker.begin({}, "2025-06-18"), accept: "text/event-stream" };
  const seats: Response[] = [];
  for (let i = 0; i < 3; i++) {
    seats.push(await asker.ask({ headers: session }));
    assert.equal(seats[i].status, 200);
  }
  // The earlier ones end; the last one is open.
  for (const seat of seats.slice(0, 2)) assert.deepEqual(await events(seat), []);
  await seats[2].body!.cancel();
});

Deno.test("mcp: where clients look for a server to log in there is none, whatever the decoy is", async () => {
  const decoy = redirect({ to: "https://example.com/" });
  const probes = [
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp",
    "/.well-known/oauth-authorization-server",
    "/mcp/.well-known/openid-configuration",
    "/register",
    "/authorize",
  ];
  for (const mcp of [true, false]) {
    await using served = await WAY.serve(testApi({ mcp, decoy }), new Tokens());
    using asker = new Asker(WAY, served);
    const status = async (path: string) => {
      const answer = await asker.fetch(`${served.base}${path}`, { redirect: "manual" });
      await answer.body?.cancel();
      return answer.status;
    };
    for (const path of probes) assert.equal(await status(path), mcp ? 404 : 302, path);
    for (const path of ["/.well-known/acme", "/registered", "/.well-known/openid-configurations"]) {
      assert.equal(await status(path), 302, path);
    }
  }
});
