import assert from "node:assert/strict";
import { Dispatcher, nodeRegistry } from "@alknet/core/operations";
import { once } from "../call/fixtures.ts";
import { type ApiCase, apiSuite, assertError, END, told } from "./api.ts";
import { READER, WRITER } from "./operations.ts";

const DECOY = [404, "text/html; charset=utf-8", "146"];

const ON: ApiCase[] = [
  {
    title: "a query by GET, by one parameter input, by POST (http.md §15 row 95)",
    async run({ ask }) {
      assert.deepEqual(told(await ask("/math/add?a=2&b=3")), [200, 5]);
      assert.deepEqual(told(await ask(`/math/add?input=${encodeURIComponent('{"a":2,"b":3}')}`)), [200, 5]);
      assert.deepEqual(told(await ask("/math/add", { body: { a: 2, b: 3 } })), [200, 5]);
      assert.deepEqual(told(await ask("/clock/now")), [200, { iso: "2026-07-18T09:30:00Z" }]);
      const { headers } = await ask("/clock/now");
      assert.match(headers["x-request-id"], /^[0-9a-f-]{36}$/);
      assert.equal(headers["cache-control"], "no-store");
      assert.deepEqual((await ask("/clock/now", { method: "HEAD" })).body, "");
    },
  },
  {
    title: "query parameters become what the schema says (http.md §12)",
    async run({ ask }) {
      const query = "flag=true&count=-3&nothing=null&list=1&list=2&object=%7B%22x%22%3A1%7D&either=1.5&text=1&extra=7";
      assert.deepEqual(told(await ask(`/echo/typed?${query}`)), [200, {
        flag: true,
        count: -3,
        nothing: null,
        list: [1, 2],
        object: { x: 1 },
        either: 1.5,
        text: "1",
        extra: "7",
      }]);
      assert.deepEqual(told(await ask("/echo/typed?either=null&list=5")), [200, { either: null, list: [5] }]);
      for (const wrong of ["count=1.5", "count=x", "flag=yes", "list=x", "object=%7B", "text=a&text=b"]) {
        assertError(await ask(`/echo/typed?${wrong}`), 422, "INVALID_INPUT");
      }
      assertError(await ask("/math/add?input=%7B"), 400, "INVALID_INPUT");
      const { body } = await ask("/echo/typed?__proto__=x&constructor=y");
      assert.equal(body, '{"__proto__":"x","constructor":"y"}');
    },
  },
  {
    title: "a mutation by POST gives the bare output (http.md §15 row 96)",
    async run({ ask }) {
      const answer = await ask("/notes/create", { body: { title: "List" }, token: WRITER });
      assert.deepEqual(told(answer), [200, { noteId: "n-4" }]);
      assertError(await ask("/notes/create", { body: { title: 1 }, token: WRITER }), 422, "INVALID_INPUT");
      assertError(await ask("/notes/create", { body: "{", token: WRITER }), 400, "INVALID_INPUT");
      assertError(await ask("/notes/create", { body: "{" }), 401, "FORBIDDEN");
    },
  },
  {
    title: "GET on a mutation tells its method to those with rights alone (http.md §15 row 97)",
    async run({ ask }) {
      const { status, headers } = await ask("/notes/create", { token: WRITER });
      assert.deepEqual([status, headers.allow], [405, "POST"]);
      assertError(await ask("/notes/create"), 401, "FORBIDDEN");
      assertError(await ask("/notes/create", { token: READER }), 403, "FORBIDDEN");
      assert.equal((await ask("/math/add", { method: "DELETE" })).headers.allow, "GET, HEAD, POST");
    },
  },
  {
    title: "internal, imported and unknown operations are the decoy's, to the byte (http.md §15 rows 93, 98)",
    async run({ ask }) {
      const answers = [];
      for (
        const target of [
          "/notes/reindex",
          "/shop/pets",
          "/notes/nosuch",
          "/math",
          "/math/add/",
          "/Math/add",
          "/%6dath/add",
        ]
      ) {
        for (const body of [undefined, {}]) {
          const { headers: { date: _, ...headers }, ...rest } = await ask(target, { body });
          answers.push({ ...rest, headers });
        }
      }
      const [first] = answers;
      assert.deepEqual([first.status, first.headers["content-type"], first.headers["content-length"]], DECOY);
      for (const answer of answers) assert.deepEqual(answer, first);
    },
  },
  {
    title: "a subscription by GET and by POST (http.md §15 row 99)",
    async run({ ask }) {
      const values = 'data: {"n":1}\n\ndata: {"n":2}\n\n';
      for (const asked of [{}, { headers: ["Accept: text/event-stream"] }]) {
        const { status, headers, body } = await ask("/stream/count?to=2", asked);
        assert.deepEqual([status, headers["content-type"], body], [200, "text/event-stream", `${values}${END}`]);
      }
      for (const id of ["end", "other"]) {
        const again = await ask("/stream/count?to=2", { headers: [`Last-Event-ID: ${id}`] });
        assert.deepEqual([again.status, again.body], id === "end" ? [204, ""] : [200, `${values}${END}`]);
      }
      assert.equal((await ask("/stream/count", { body: { to: 2 } })).body, values);
      assertError(await ask("/stream/count?to=2", { headers: ["Accept: application/json"] }), 406, "INVALID_INPUT");
      assertError(await ask("/log/follow"), 401, "FORBIDDEN");
      assertError(await ask("/log/follow", { headers: ["Accept: application/json"] }), 401, "FORBIDDEN");
    },
  },
  {
    title: "declared errors have their status (http.md §7, §12)",
    async run({ ask }) {
      assertError(await ask("/files/read?path=/x", { token: READER }), 404, "FILE_NOT_FOUND");
      assertError(await ask("/errors/fail?code=HTTP_418"), 418, "HTTP_418");
    },
  },
];

const OFF: ApiCase[] = [{
  title: "every operation's path is the decoy's (http.md §15 row 94)",
  async run({ ask }) {
    const { status, headers } = await ask("/clock/now");
    assert.deepEqual([status, headers["content-type"], headers["content-length"]], DECOY);
    assert.equal((await ask("/call", { body: { operation: "clock/now", input: {} } })).status, 200);
  },
}];

const ROUTES: ApiCase[] = [{
  title: "custom routes see the identity and never stand over fixed paths (http.md §15 rows 12, 13)",
  async run({ ask }) {
    assert.deepEqual(told(await ask("/v1/echo", { token: READER })), [200, "reader"]);
    assert.deepEqual(told(await ask("/v1/echo", { token: "alk_wrong" })), [200, null]);
    assert.deepEqual(told(await ask("/v1/echo")), [200, null]);
    assert.equal((await ask("/call")).status, 405);
    assert.deepEqual(told(await ask("/clock/now")), [200, "mine"]);
    for (const target of ["/search", "/openapi.json"]) assert.doesNotMatch((await ask(target)).body, /v1\/echo/);
  },
}];

const CORS: ApiCase[] = [{
  title: "named origins may ask, and nobody is told who else may (http.md §3)",
  async run({ ask }) {
    const preflight = ["Access-Control-Request-Method: POST"];
    const good = await ask("/call", { method: "OPTIONS", headers: ["Origin: https://good.example", ...preflight] });
    assert.deepEqual([good.status, good.headers["access-control-allow-methods"]], [204, "GET, POST"]);
    const mcp = await ask("/mcp", { method: "OPTIONS", headers: ["Origin: https://good.example", ...preflight] });
    assert.equal(mcp.headers["access-control-allow-methods"], "GET, POST, DELETE");
    assert.match(mcp.headers["access-control-allow-headers"]!, /Mcp-Protocol-Version/);
    assert.match(mcp.headers["access-control-expose-headers"]!, /X-Request-Id, Retry-After/);
    const bad = await ask("/call", { method: "OPTIONS", headers: ["Origin: https://evil.example", ...preflight] });
    assert.deepEqual([bad.status, bad.headers["access-control-allow-origin"]], [405, undefined]);
    for (const target of ["/search", "/math/add?a=1&b=2"]) {
      const { headers } = await ask(target, { headers: ["Origin: https://good.example"] });
      assert.deepEqual([headers["access-control-allow-origin"], headers.vary], ["https://good.example", "Origin"]);
      assert.equal(headers["access-control-allow-credentials"], undefined);
      const stranger = await ask(target, { headers: ["Origin: https://good.example.evil"] });
      assert.equal(stranger.headers["access-control-allow-origin"], undefined);
    }
    assert.equal((await ask("/nope", { headers: ["Origin: https://good.example"] })).headers.vary, undefined);
  },
}];

const ON_FIXED_PATHS: ApiCase[] = [{
  title: "the WebSocket's path is no operation's (http.md §15 row 100)",
  async run({ ask }) {
    for (const asked of [{}, { body: {} }]) {
      const { status, headers } = await ask("/alknet/call", asked);
      assert.deepEqual([status, headers["content-type"], headers["content-length"]], DECOY);
    }
    const { output } = JSON.parse((await ask("/call", { body: { operation: "alknet/call" } })).body);
    assert.equal(output, "the operation");
  },
}];

apiSuite("an operation at a fixed path", ON_FIXED_PATHS, () => ({
  dispatcher: new Dispatcher({ registry: nodeRegistry([once("alknet/call", () => "the operation")]) }),
}));
apiSuite("the direct surface", ON);
apiSuite("the direct surface switched off", OFF, () => ({ direct: false }));
apiSuite("custom routes", ROUTES, () => ({
  routes(app) {
    app.get("/v1/echo", (c) => Response.json(c.env.identity?.id ?? null));
    app.post("/call", () => new Response("never"));
    app.get("/call", () => new Response("never"));
    app.get("/clock/now", () => Response.json("mine"));
  },
}));
apiSuite("pages of other origins", CORS, () => ({ origins: ["https://good.example"] }));
