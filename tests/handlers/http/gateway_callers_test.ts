import assert from "node:assert/strict";
import type { HttpOptions } from "@alknet/handlers/http";
import { runProgram } from "../../support/process.ts";
import { type ApiCase, apiSuite, assertError } from "./api.ts";
import { NOBODY, testApi, WRITER } from "./operations.ts";

const ADD = { operation: "math/add", input: { a: 2, b: 3 } };
const CREATE = { operation: "notes/create", input: { title: "x" } };
const WAYS_TO_BE_NOBODY = [
  [],
  ["Authorization: Basic YTpi"],
  ['Authorization: Digest username="a", realm="bearer"'],
];
/** What means a bearer token and is none; the first is looked up, and so counted. */
const WAYS_TO_BE_WRONG = [
  ["Authorization: Bearer wrong"],
  ["Authorization: Bearer"],
  ["Authorization: bearer alk writer"],
  ["Authorization: Bearer alk_writer", "Authorization: Bearer alk_writer"],
  ["Authorization: Basic YTpi", "Authorization: Bearer alk_writer"],
];

const CASES: ApiCase[] = [
  {
    title: "whoever shows no token is nobody, and a token that counts for nothing is told so (http.md §15 row 16)",
    async run({ ask }) {
      for (const headers of WAYS_TO_BE_NOBODY) {
        assert.equal((await ask("/call", { body: ADD, headers })).status, 200, `${headers}`);
      }
      for (const headers of WAYS_TO_BE_WRONG) {
        const paths = headers === WAYS_TO_BE_WRONG[0]
          ? ["/search"]
          : ["/search", "/math/add?a=2&b=3", "/schema?name=x"];
        for (const path of paths) {
          const answer = await ask(path, { headers });
          assertError(answer, 401, "FORBIDDEN", "the bearer token is not valid here");
          assert.equal(answer.headers["www-authenticate"], 'Bearer error="invalid_token"', `${path} ${headers}`);
        }
        assert.equal((await ask("/healthz", { headers })).status, 200);
        assert.equal((await ask("/openapi.json", { headers })).status, 200);
        assert.equal((await ask("/nope", { headers })).status, 404);
      }
    },
  },
  {
    title: "a restricted operation without identity is 401 (http.md §15 row 17, X3)",
    async run({ ask }) {
      for (const headers of WAYS_TO_BE_NOBODY) {
        const answer = await ask("/call", { body: CREATE, headers });
        assertError(answer, 401, "FORBIDDEN", "authentication required");
        assert.equal(answer.headers["www-authenticate"], "Bearer", `${headers}`);
      }
    },
  },
  {
    title: "a restricted operation with an identity is 403 or served (http.md §15 row 18)",
    async run({ ask }) {
      assertError(await ask("/call", { body: CREATE, token: NOBODY }), 403, "FORBIDDEN");
      const { status, body } = await ask("/call", { body: CREATE, token: WRITER });
      assert.deepEqual([status, JSON.parse(body).output], [200, { noteId: "n-1" }]);
      for (const scheme of ["bearer", "BEARER"]) {
        const headers = [`Authorization: ${scheme} ${WRITER}`];
        assert.equal((await ask("/call", { body: CREATE, headers })).status, 200, scheme);
      }
    },
  },
  {
    title: "a token revoked between two requests of one connection (http.md §15 row 20)",
    async run({ way, tokens }) {
      // curl does not use a connection again on which it spoke h2 without asking.
      if (way.alpn === "alknet/http" && way.version === "2") return;
      const options: HttpOptions = {
        routes: (app) =>
          void app.get("/revoke", (c) => {
            tokens.revoked.add(WRITER);
            return c.text("");
          }),
      };
      await using served = await way.serve(testApi(options), tokens);
      const body = ["--data-binary", JSON.stringify(CREATE), "--header", "Content-Type: application/json"];
      const one = (target: string, ...args: string[]) => {
        const token = ["--header", `Authorization: Bearer ${WRITER}`];
        return [...way.curl, "--silent", "--output", "/dev/null", ...token, ...args, served.base + target];
      };
      const report = ["--write-out", "%{http_code} %{num_connects}\\n"];
      const call = one("/call", ...body, ...report);
      const args = [...call, "--next", ...one("/revoke", ...report), "--next", ...call];
      const { stdout } = await runProgram("curl", args);
      assert.deepEqual(stdout.trim().split("\n"), ["200 1", "200 0", "401 0"]);
      tokens.revoked.clear();
    },
  },
  {
    title: "a token revoked, and given back (http.md §15 row 20)",
    async run({ ask, tokens }) {
      assert.equal((await ask("/call", { body: CREATE, token: WRITER })).status, 200);
      tokens.revoked.add(WRITER);
      assertError(await ask("/call", { body: CREATE, token: WRITER }), 401, "FORBIDDEN");
      tokens.revoked.clear();
      assert.equal((await ask("/call", { body: CREATE, token: WRITER })).status, 200);
    },
  },
];

apiSuite("the gateway and its callers", CASES);
