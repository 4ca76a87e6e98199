import assert from "node:assert/strict";
import { Dispatcher, nodeRegistry, operation, provide } from "@alknet/core/operations";
import Type from "typebox";
import { WAYS } from "../fronts.ts";
import { testApi, TestClock, Tokens, Witness, WRITER } from "../operations.ts";
import { Asker, events } from "./clients.ts";

const WAY = WAYS.find(({ name }) => name === "alknet/http (HTTP/1.1) over a pair in memory")!;
/** A way on which leaving one request is told at once. */
const H2 = WAYS.find(({ name }) => name === "alknet/http (h2) over a pair in memory")!;

const slow = operation({ name: "slow/answer", type: "query", input: Type.Unknown(), output: Type.Unknown() });

/** An operation that answers when the test says so, and the handler that serves it to clients of MCP. */
function slowApi(witness: Witness, options: Parameters<typeof testApi>[0] = {}, clock?: TestClock) {
  const answer = Promise.withResolvers<null>();
  const registry = nodeRegistry([
    provide(slow, (_, { signal }) => {
      signal.addEventListener("abort", () => witness.note("aborted"));
      witness.note("started");
      return answer.promise;
    }),
  ]);
  return {
    api: testApi({ dispatcher: new Dispatcher({ registry, clock, timeout: 3_600_000 }), mcp: true, ...options }),
    answer,
  };
}

const LIST = { jsonrpc: "2.0", id: 5, method: "tools/list" };
const CALL = {
  jsonrpc: "2.0",
  id: 7,
  method: "tools/call",
  params: { name: "call", arguments: { operation: slow.spec.name } },
};
const EVENTS = { accept: "text/event-stream" };

/** What a page may read of an answer (http.md §3). */
const EXPOSED = "Mcp-Session-Id, X-Request-Id, Retry-After, WWW-Authenticate";

Deno.test("mcp: a client that lost its stream comes back for the answer (MCP, Resumability; http.md §10)", async () => {
  const witness = new Witness();
  const { api, answer } = slowApi(witness);
  await using served = await WAY.serve(api, new Tokens());
  using asker = new Asker(WAY, served);
  const session = await asker.begin();
  const [{ id }] = await events(await asker.post(CALL, session), 1);
  await witness.until("started");
  const early = events(await asker.ask({ headers: { ...session, ...EVENTS, "last-event-id": id } }), 1);
  answer.resolve(null);
  const [event] = await early;
  assert.deepEqual(JSON.parse(event.data).result.structuredContent, { value: null });
  // And once more, when all is over: the stream ends with the answer, and after it there is nothing.
  const late = await events(await asker.ask({ headers: { ...session, ...EVENTS, "last-event-id": id } }));
  assert.deepEqual(late, [event]);
  const over = await asker.ask({ headers: { ...session, ...EVENTS, "last-event-id": event.id } });
  assert.deepEqual([over.status, await over.text()], [204, ""]);
  const unknown = await asker.ask({ headers: { ...session, ...EVENTS, "last-event-id": "99" } });
  assert.equal(unknown.status, 400);
  await unknown.text();
  assert.ok(!witness.events.includes("aborted"));
});

Deno.test("mcp: a client that cannot come back aborts its call by leaving (http.md §10, §15 row 73)", async () => {
  const witness = new Witness();
  const { api, answer } = slowApi(witness);
  await using served = await H2.serve(api, new Tokens());
  using asker = new Asker(H2, served);
  const session = await asker.begin({}, "2025-06-18");
  const leave = new AbortController();
  const posted = await asker.fetch(`${served.base}/mcp`, {
    method: "POST",
    headers: { ...session, "content-type": "application/json", accept: "application/json, text/event-stream" },
    body: JSON.stringify(CALL),
    signal: leave.signal,
  });
  await witness.until("started");
  leave.abort();
  await assert.rejects(posted.text());
  await witness.until("aborted");
  answer.resolve(null);
});

Deno.test("mcp: DELETE ends a session and what it runs; its id is then nobody's (http.md §10)", async () => {
  const witness = new Witness();
  const { api, answer } = slowApi(witness);
  await using served = await WAY.serve(api, new Tokens());
  using asker = new Asker(WAY, served);
  const session = await asker.begin();
  const posted = await asker.post(CALL, session);
  await witness.until("started");
  const ended = await asker.ask({ method: "DELETE", headers: session });
  assert.equal(ended.status, 200);
  await Promise.all([ended.text(), posted.text(), witness.until("aborted")]);
  const gone = await asker.post(LIST, session);
  assert.deepEqual([gone.status, (await gone.json()).code], [404, "NOT_FOUND"]);
  answer.resolve(null);
});

Deno.test("mcp: one session too many ends the one unused for longest, and none that runs a call (HttpLimits)", async () => {
  const witness = new Witness();
  const { api, answer } = slowApi(witness, { limits: { mcpSessions: 2 } });
  await using served = await WAY.serve(api, new Tokens());
  using asker = new Asker(WAY, served);
  const status = async (session: Record<string, string>) => {
    const listed = await asker.post(LIST, session);
    await listed.text();
    return listed.status;
  };
  const [first, second] = [await asker.begin(), await asker.begin()];
  const other = await asker.begin({ authorization: `Bearer ${WRITER}` });
  assert.deepEqual([await status(second), await status(first)], [200, 200], "others have sessions of their own");
  const third = await asker.begin();
  assert.deepEqual([await status(second), await status(first), await status(other)], [404, 200, 200]);
  const running = [await asker.post(CALL, first), await asker.post(CALL, third)];
  await witness.until("started");
  await assert.rejects(asker.begin(), /503 .*too many sessions/);
  answer.resolve(null);
  await Promise.all(running.map((call) => call.text()));
});

Deno.test("mcp: a session that nobody uses ends; one that runs a call or is listened to does not (HttpLimits)", async () => {
  const witness = new Witness();
  const clock = new TestClock();
  const { api, answer } = slowApi(witness, { limits: { mcpIdle: 60_000 } }, clock);
  await using served = await WAY.serve(api, new Tokens());
  using asker = new Asker(WAY, served);
  const status = async (session: Record<string, string>) => {
    const listed = await asker.post(LIST, session);
    await listed.text();
    return listed.status;
  };
  const [unused, used, running, heard] = [
    await asker.begin(),
    await asker.begin(),
    await asker.begin(),
    await asker.begin(),
  ];
  const call = await asker.post(CALL, running);
  const stream = await asker.ask({ headers: { ...heard, ...EVENTS } });
  await witness.until("started");
  clock.advance(30_000);
  assert.equal(await status(used), 200);
  clock.advance(30_000);
  const statuses = await Promise.all([unused, used, running, heard].map(status));
  // Before it is asserted: a call that runs on would hold the end of the test up.
  answer.resolve(null);
  await Promise.allSettled([call.text(), stream.body?.cancel()]);
  assert.deepEqual(statuses, [404, 200, 200, 200]);
});

Deno.test("mcp: what is wrong with a request has the status that it has elsewhere (http.md §2, §3, §5, §10)", async () => {
  const api = testApi({ mcp: true, origins: ["https://page.example"], limits: { body: 1000 } });
  await using served = await WAY.serve(api, new Tokens());
  using asker = new Asker(WAY, served);
  const session = await asker.begin();
  const host = new URL(served.base).host;
  const cases: [string, Promise<Response>, number, string?][] = [
    ["no session", asker.post(LIST), 400, "INVALID_INPUT"],
    ["a stream without a session", asker.ask({ headers: EVENTS }), 400, "INVALID_INPUT"],
    ["an unknown session", asker.post(LIST, { ...session, "mcp-session-id": "x" }), 404, "NOT_FOUND"],
    ["no JSON", asker.post("{", session), 400, "INVALID_INPUT"],
    ["another media type", asker.post(LIST, { ...session, "content-type": "text/plain" }), 415, "INVALID_INPUT"],
    ["a body too long", asker.post("1".repeat(1001), session), 413, "INVALID_INPUT"],
    ["an unacceptable answer", asker.post(LIST, { ...session, accept: "text/html" }), 406, "INVALID_INPUT"],
    ["a stream that takes no events", asker.ask({ headers: { ...session, accept: "application/json" } }), 406],
    ["a page of another origin", asker.post(LIST, { ...session, origin: "https://evil.example" }), 403, "FORBIDDEN"],
    ["a page of its own", asker.post(LIST, { ...session, origin: `https://${host}` }), 200],
    ["a page that is named", asker.post(LIST, { ...session, origin: "https://page.example" }), 200],
    ["another method", asker.ask({ method: "PUT" }), 405],
    ["HEAD", asker.ask({ method: "HEAD" }), 405],
  ];
  for (const [title, asked, status, code] of cases) {
    const answer = await asked;
    const text = await answer.text();
    assert.equal(answer.status, status, `${title}: ${text}`);
    if (code) assert.equal(JSON.parse(text).code, code, title);
    if (status !== 405) assert.equal(answer.headers.get("cache-control"), "no-store", title);
    const named = title === "a page that is named";
    assert.equal(answer.headers.get("access-control-allow-origin"), named ? "https://page.example" : null, title);
    assert.equal(answer.headers.get("access-control-expose-headers"), named ? EXPOSED : null, title);
  }
});

Deno.test("mcp: unless switched on, the path is the decoy's (http.md §3)", async () => {
  for (const options of [{}, { mcp: true, dispatcher: undefined }]) {
    await using served = await WAY.serve(testApi(options), new Tokens());
    using asker = new Asker(WAY, served);
    const answer = await asker.post(LIST);
    assert.deepEqual([answer.status, (await answer.text()).length], [404, 146]);
  }
});

Deno.test("mcp: a shutdown ends idle streams, and waits for calls (http.md §10)", async () => {
  const witness = new Witness();
  const { api, answer } = slowApi(witness);
  await using served = await WAY.serve(api, new Tokens());
  using asker = new Asker(WAY, served);
  const session = await asker.begin();
  const idle = await asker.ask({ headers: { ...session, ...EVENTS } });
  const call = await asker.post(CALL, session);
  await witness.until("started");
  const down = served.shutdown();
  assert.equal(await idle.text(), "");
  answer.resolve(null);
  const sent = await events(call);
  assert.deepEqual(JSON.parse(sent.at(-1)!.data).result.structuredContent, { value: null });
  await down;
});
