import assert from "node:assert/strict";
import openapiTypescript, { astToString } from "openapi-typescript";
import { needs } from "../../support/programs.ts";
import { runProgram } from "../../support/process.ts";
import { PYTHON, ROOT, VENV } from "../../support/python.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { WAYS } from "./fronts.ts";
import { testApi, Tokens, WRITER } from "./operations.ts";

const WAY = WAYS.find(({ name }) => name === "alknet/http (HTTP/1.1) over TLS")!;

/** A program that calls through a client whose types are the document's. */
const PROGRAM = `
import createClient from "openapi-fetch";
import type { paths } from "./schema.d.ts";

const client = createClient<paths>({ baseUrl: Deno.args[0] });
const { data } = await client.POST("/call", { body: { operation: "math/add", input: { a: 2, b: 3 } } });
const ok: "ok" | undefined = data?.result;
const found = await client.GET("/search", { params: { query: { query: "adds" } } });
const name: string | undefined = found.data?.output.operations[0].name;
const { error, response } = await client.POST("/call", { body: { operation: "notes/create" } });
const code: string | undefined = error?.code;
// @ts-expect-error operation is required
void (() => client.POST("/call", { body: { input: 1 } }));
console.log(JSON.stringify([ok, data?.output, name, response.status, code]));
`;

/** Where http.md asks for what schemathesis takes for a fault. */
const SCHEMATHESIS = `
# What a caller may not know of is not in the document, so it cannot say which input an operation takes.
[checks]
positive_data_acceptance.enabled = false

# GET serves EventSource and is not described (http.md §5.5, §8.2), but Allow names it.
[[operations]]
include-path = "/subscribe"
checks.allow_header_conformance.enabled = false
checks.unsupported_method.enabled = false

# An entry that is no call is answered among the others, not by a status (http.md §5.4).
[[operations]]
include-path = "/batch"
checks.negative_data_rejection.enabled = false
`;

Deno.test("/openapi.json makes a typed client of openapi-typescript and openapi-fetch, which calls", async () => {
  await using served = await WAY.serve(testApi(), new Tokens());
  await using folder = await temporaryFolder();
  const document = await (await fetch(`${served.base}/openapi.json`)).json();
  await folder.write("schema.d.ts", astToString(await openapiTypescript(document)));
  const program = await folder.write("client.ts", PROGRAM);
  const args = ["run", "--check", "--allow-net=127.0.0.1", "--config", `${ROOT}deno.json`, program, served.base];
  const { code, stdout, stderr } = await runProgram(Deno.execPath(), args);
  assert.equal(code, 0, stderr);
  assert.deepEqual(JSON.parse(stdout), ["ok", 5, "math/add", 401, "FORBIDDEN"]);
});

Deno.test({
  name: "/openapi.json passes an independent validator (http.md §15 row 2)",
  ...needs("python"),
  async fn() {
    await using served = await WAY.serve(testApi(), new Tokens());
    await using folder = await temporaryFolder();
    const text = await (await fetch(`${served.base}/openapi.json`)).text();
    const file = await folder.write("openapi.json", text);
    const good = await runProgram(PYTHON, ["-m", "openapi_spec_validator", file]);
    assert.equal(good.code, 0, good.stdout + good.stderr);
    const broken = await folder.write("broken.json", text.replace('"title"', '"titel"'));
    assert.notEqual((await runProgram(PYTHON, ["-m", "openapi_spec_validator", broken])).code, 0, "the validator sees");
  },
});

Deno.test({
  name: "schemathesis finds no answer that the document does not describe (http.md §8.2)",
  ...needs("python"),
  async fn() {
    await using served = await WAY.serve(testApi(), new Tokens());
    await using folder = await temporaryFolder();
    const config = await folder.write("schemathesis.toml", SCHEMATHESIS);
    for (const headers of [[], ["--header", `Authorization: Bearer ${WRITER}`]]) {
      const { code, stdout, stderr } = await runProgram(`${VENV}/bin/schemathesis`, [
        `--config-file=${config}`,
        "run",
        `${served.base}/openapi.json`,
        ...headers,
        "--max-examples=25",
        "--seed=4",
        "--request-timeout=5",
        "--no-color",
      ], { cwd: folder.path });
      assert.equal(code, 0, stdout + stderr);
    }
  },
});
