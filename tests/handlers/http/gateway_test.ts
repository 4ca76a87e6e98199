import assert from "node:assert/strict";
import { Dispatcher, nodeRegistry } from "@alknet/core/operations";
import { type ApiCase, apiSuite, ask as askOf, assertError, told } from "./api.ts";
import { NOBODY, READER, testApi, Tokens, WRITER } from "./operations.ts";

const OK = "1d7c9d5e-0000-4000-8000-000000000000";
const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const ADD = { operation: "math/add", input: { a: 2, b: 3 } };
const CREATE = { operation: "notes/create", input: { title: "x" } };
/** The names that a search finds. */
function names(body: string): string[] {
  return JSON.parse(body).output.operations.map(({ name }: { name: string }) => name);
}

const CASES: ApiCase[] = [
  {
    title: "/openapi.json is the same for everyone and names no operation (http.md §15 rows 2, 3, 4)",
    async run({ ask, way }) {
      const { status, body, headers } = await ask("/openapi.json");
      assert.deepEqual([status, headers["content-type"]], [200, "application/json"]);
      const document = JSON.parse(body);
      assert.deepEqual(Object.keys(document.paths), ["/search", "/schema", "/call", "/batch", "/subscribe"]);
      assert.deepEqual([document.info.title, document.info.version], ["alknet gateway", "1.0.0"]);
      assert.equal((await ask("/openapi.json", { token: WRITER })).body, body);
      const dispatcher = new Dispatcher({ registry: nodeRegistry([]) });
      await using other = await way.serve(testApi({ dispatcher }), new Tokens());
      assert.equal((await askOf(way, other, "/openapi.json")).body, body, "whatever is registered");
      for (const name of names((await ask("/search", { token: WRITER })).body)) assert.ok(!body.includes(name), name);
    },
  },
  {
    title: "a known path with another method is 405 with Allow (http.md §15 row 10)",
    async run({ ask }) {
      const cases: [string, string, string][] = [
        ["GET", "/call", "POST"],
        ["POST", "/search", "GET, HEAD"],
        ["PUT", "/batch", "POST"],
        ["DELETE", "/subscribe", "GET, POST"],
        ["HEAD", "/subscribe", "GET, POST"],
        ["POST", "/openapi.json", "GET, HEAD"],
        ["OPTIONS", "/call", "POST"],
      ];
      for (const [method, target, allow] of cases) {
        const { status, headers } = await ask(target, { method });
        assert.deepEqual([status, headers.allow], [405, allow], `${method} ${target}`);
      }
      assert.equal((await ask("/search", { method: "HEAD" })).status, 200);
    },
  },
  {
    title: "another spelling of a known path is the decoy's (http.md §15 row 11)",
    async run({ ask }) {
      for (const target of ["/call/", "/Call", "//call", "/search/x", "/openapi.json/"]) {
        const { status, headers } = await ask(target, { body: ADD });
        assert.deepEqual([status, headers.server, headers["content-length"]], [404, "nginx", "146"], target);
      }
    },
  },
  {
    title: "a token in the query, a cookie or the body is no token (http.md §15 row 19)",
    async run({ ask }) {
      assertError(await ask(`/call?access_token=${WRITER}`, { body: CREATE }), 401, "FORBIDDEN");
      assertError(await ask("/call", { body: CREATE, headers: [`Cookie: token=${WRITER}`] }), 401, "FORBIDDEN");
      assertError(await ask("/call", { body: { ...CREATE, auth_token: WRITER } }), 401, "FORBIDDEN");
      const inside = { operation: "notes/create", input: { title: "x", auth_token: WRITER } };
      assertError(await ask("/call", { body: inside }), 401, "FORBIDDEN");
    },
  },
  {
    title: "a handler sees a root call of its own (http.md §15 row 22)",
    async run({ ask }) {
      const { body, headers } = await ask("/call", { body: { operation: "context/show", input: {} }, token: READER });
      const { request_id, output } = JSON.parse(body);
      assert.match(request_id, UUID_V4);
      assert.equal(headers["x-request-id"], request_id);
      const { requestId, internal, forwardedFor, timeLeft, identity, abortPolicy } = output;
      assert.deepEqual([requestId, internal, forwardedFor, abortPolicy], [
        request_id,
        false,
        undefined,
        "abort-dependents",
      ]);
      assert.ok(timeLeft > 20_000 && timeLeft <= 30_000, `${timeLeft} ms left`);
      assert.equal(identity.id, "reader");
    },
  },
  {
    title: "GET /search lists what the caller may call (http.md §15 rows 24, 25, X1)",
    async run({ ask }) {
      const anonymous = names((await ask("/search")).body);
      assert.ok(anonymous.includes("math/add") && anonymous.includes("stream/count"));
      assert.ok(!anonymous.includes("files/read") && !anonymous.includes("notes/reindex"));
      assert.deepEqual(anonymous, anonymous.toSorted());
      const writer = names((await ask("/search", { token: WRITER })).body);
      assert.ok(writer.includes("files/read") && writer.includes("notes/create") && !writer.includes("notes/reindex"));
      const { status, body, headers } = await ask("/search?query=FILE", { token: READER });
      assert.equal(status, 200);
      const { request_id, ...rest } = JSON.parse(body);
      assert.match(request_id, UUID_V4);
      const description = "query operation `files/read` in namespace `files`";
      const found = { name: "files/read", namespace: "files", op_type: "query", description };
      assert.deepEqual(rest, { result: "ok", output: { operations: [found] } });
      assert.equal(headers["cache-control"], "no-store");
      assert.equal(headers["x-content-type-options"], "nosniff");
      assert.deepEqual(names((await ask("/search?query=ADDS%20two&unknown=1")).body), ["math/add"]);
    },
  },
  {
    title: "GET /schema gives the spec as services/schema does (http.md §15 row 26, call.md §20.2)",
    async run({ ask }) {
      const bodies = [];
      for (const name of ["files/read", "/files/read"]) {
        const { status, body } = await ask(`/schema?name=${name}`, { token: READER });
        assert.equal(status, 200, body);
        bodies.push(JSON.parse(body).output);
      }
      assert.deepEqual(bodies[0], bodies[1]);
      assert.deepEqual(Object.keys(bodies[0]).toSorted(), [
        "access_control",
        "error_schemas",
        "input_schema",
        "name",
        "namespace",
        "op_type",
        "output_schema",
        "visibility",
      ]);
    },
  },
  {
    title: "GET /schema refuses (http.md §15 row 27)",
    async run({ ask }) {
      assertError(await ask("/schema"), 422, "INVALID_INPUT");
      assertError(await ask("/schema?name="), 422, "INVALID_INPUT");
      assertError(await ask("/schema?name=no/such"), 404, "NOT_FOUND");
      assertError(await ask("/schema?name=notes/reindex"), 404, "NOT_FOUND");
      assertError(await ask("/schema?name=files/read"), 401, "FORBIDDEN");
      assertError(await ask("/schema?name=files/read", { token: NOBODY }), 403, "FORBIDDEN");
    },
  },
  {
    title: "POST /call, with and without leading slash (http.md §15 row 28, X2)",
    async run({ ask }) {
      for (const operation of ["math/add", "/math/add"]) {
        const { status, body, headers } = await ask("/call", { body: { ...ADD, operation, unknown: 1 } });
        const { request_id, ...rest } = JSON.parse(body);
        assert.deepEqual([status, headers["content-type"], rest], [200, "application/json", {
          result: "ok",
          output: 5,
        }]);
        assert.equal(headers["x-request-id"], request_id);
      }
    },
  },
  {
    title: "POST /call without input gives null (http.md §15 row 29)",
    async run({ ask }) {
      assert.equal(JSON.parse((await ask("/call", { body: { operation: "echo/value" } })).body).output, null);
    },
  },
  {
    title: "bodies of another shape (http.md §15 row 30)",
    async run({ ask }) {
      const cases: [string, number][] = [
        ['{"a":', 400],
        ["", 400],
        ["[".repeat(300) + "]".repeat(300), 400],
        ["[]", 422],
        ["{}", 422],
        ["null", 422],
        ['{"operation":5}', 422],
        ['{"operation":""}', 422],
        ['{"operation":"math/add","timeout_ms":-1}', 422],
      ];
      for (const [body, status] of cases) assertError(await ask("/call", { body }), status, "INVALID_INPUT");
      const nested = (depth: number) => `{"operation":"echo/value","input":${"[".repeat(depth)}${"]".repeat(depth)}}`;
      assert.equal((await ask("/call", { body: nested(255) })).status, 200);
      assertError(await ask("/call", { body: nested(256) }), 400, "INVALID_INPUT");
    },
  },
  {
    title: "media types (http.md §15 row 31)",
    async run({ ask }) {
      const types: [string, number][] = [
        ["Content-Type;", 415],
        ["Content-Type:", 415],
        ["Content-Type: text/plain", 415],
        ["Content-Type: application/jsonx", 415],
        ["Content-Type: application/json; charset=utf-8", 200],
        ["Content-Type: Application/JSON", 200],
      ];
      for (const [header, status] of types) {
        const answer = await ask("/call", { body: ADD, headers: [header] });
        assert.equal(answer.status, status, header);
        if (status === 415) assertError(answer, 415, "INVALID_INPUT");
      }
    },
  },
  {
    title: "unknown, internal and imported operations look alike (http.md §15 rows 33, 93)",
    async run({ ask }) {
      const bodies: string[] = [];
      for (const operation of ["notes/nosuch", "notes/reindex", "shop/pets"]) {
        const answer = await ask("/call", { body: { operation, input: {} }, token: WRITER });
        assertError(answer, 404, "NOT_FOUND");
        bodies.push(answer.body.replace(operation, "").replace(/;.*?"/, '"'));
      }
      assert.deepEqual(bodies, bodies.map(() => bodies[0]));
      assert.doesNotMatch((await ask("/search", { token: WRITER })).body, /shop|reindex/);
    },
  },
  {
    title: "input that breaks its schema names the path (http.md §15 row 34, X6)",
    async run({ ask }) {
      const answer = await ask("/call", { body: { operation: "math/add", input: { a: "2", b: 3 } } });
      assertError(answer, 422, "INVALID_INPUT", /\/a\b/);
    },
  },
  {
    title: "a subscription through /call is 400 (http.md §15 row 35)",
    async run({ ask }) {
      const answer = await ask("/call", { body: { operation: "stream/count", input: { to: 1 } } });
      assertError(answer, 400, "INVALID_OPERATION_TYPE");
    },
  },
  {
    title: "a handler that throws tells nothing (http.md §15 row 37)",
    async run({ ask }) {
      const answer = await ask("/call", { body: { operation: "errors/throw", input: {} } });
      assertError(answer, 500, "INTERNAL");
      assert.doesNotMatch(answer.body, /42/);
    },
  },
  {
    title: "declared errors and their status (http.md §15 rows 38, 39, X4)",
    async run({ ask }) {
      const cases: [string, number][] = [
        ["FILE_NOT_FOUND", 404],
        ["PLAIN", 500],
        ["ODD", 500],
        ["HTTP_418", 418],
        ["HTTP_200", 502],
      ];
      for (const [code, status] of cases) {
        assertError(await ask("/call", { body: { operation: "errors/fail", input: { code } } }), status, code);
      }
      const undeclared = await ask("/call", { body: { operation: "errors/fail", input: { code: "HTTP_419" } } });
      assertError(undeclared, 500, "INTERNAL");
      const missing = { operation: "files/read", input: { path: "/no/such" } };
      assert.deepEqual(told(await ask("/call", { body: missing, token: READER })), [404, {
        code: "FILE_NOT_FOUND",
        message: "no such file",
        retryable: false,
        details: { path: "/no/such" },
      }]);
    },
  },
  {
    title: "Retry-After (http.md §15 row 40, X5)",
    async run({ ask }) {
      const date = "Sat, 18 Jul 2026 09:30:00 GMT";
      const cases: [string, boolean, unknown, string | undefined][] = [
        ["RATE_LIMITED", true, 20, "20"],
        ["RATE_LIMITED", true, "20", "20"],
        ["RATE_LIMITED", true, date, date],
        ["RATE_LIMITED", true, 0, "0"],
        ["RATE_LIMITED", false, 20, undefined],
        ["RATE_LIMITED", true, -1, undefined],
        ["RATE_LIMITED", true, 1.5, undefined],
        ["RATE_LIMITED", true, "soon\r\nX: y", undefined],
        ["BROKEN", true, 20, undefined],
      ];
      for (const [code, retryable, retry_after, header] of cases) {
        const input = { code, retryable, details: { retry_after } };
        const { headers } = await ask("/call", { body: { operation: "errors/fail", input } });
        assert.equal(headers["retry-after"], header, JSON.stringify(input));
      }
    },
  },
  {
    title: "POST /batch answers each entry (http.md §15 row 41)",
    async run({ ask }) {
      const body = [ADD, { operation: "math/sub" }, {}, { operation: "stream/count", input: { to: 1 } }, CREATE];
      const answer = await ask("/batch", { body });
      assert.equal(answer.status, 200);
      const { results } = JSON.parse(answer.body);
      assert.deepEqual(results.map(({ request_id }: { request_id: unknown }) => typeof request_id), [
        "string",
        "string",
        "object",
        "string",
        "string",
      ]);
      assert.deepEqual({ ...results[0], request_id: OK }, { request_id: OK, result: "ok", output: 5 });
      assert.deepEqual(results.slice(1).map(({ error }: { error: { code: string } }) => error.code), [
        "NOT_FOUND",
        "INVALID_INPUT",
        "INVALID_OPERATION_TYPE",
        "FORBIDDEN",
      ]);
      assert.equal(results[2].error.message, "missing required field: operation");
      assert.deepEqual(Object.keys(results[4]), ["request_id", "result", "error"]);
    },
  },
  {
    title: "POST /batch of nothing, of no array, of too many (http.md §15 row 42)",
    async run({ ask }) {
      assert.deepEqual(told(await ask("/batch", { body: [] })), [200, { results: [] }]);
      assertError(await ask("/batch", { body: {} }), 422, "INVALID_INPUT");
      assertError(await ask("/batch", { body: Array(101).fill(ADD) }), 422, "INVALID_INPUT");
      const { results } = JSON.parse((await ask("/batch", { body: Array(100).fill(ADD) })).body);
      assert.equal(results.length, 100);
    },
  },
];

apiSuite("the gateway", CASES);
