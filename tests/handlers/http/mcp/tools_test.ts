import assert from "node:assert/strict";
import type { Tool } from "@modelcontextprotocol/sdk/types.js";
import { WAYS } from "../fronts.ts";
import { NOBODY, READER, testApi, testDispatcher, Tokens, Witness, WRITER } from "../operations.ts";
import { Asker, type ToolAnswer } from "./clients.ts";

/** What the official client can reach: it cannot be told to trust a certificate that a node made itself. */
const PLAIN = WAYS.filter(({ alpn }) => alpn === "alknet/http");

/** Asserts that a tool failed with a code, and says so in both forms. */
function assertFailed({ isError, structuredContent, content }: ToolAnswer, code: string, message?: RegExp): void {
  assert.equal(isError, true);
  assert.equal(structuredContent?.code, code);
  assert.deepEqual(JSON.parse(content[0].text), structuredContent);
  if (message) assert.match(String(structuredContent?.message), message);
}

/** What a tool gave, the same in both forms. */
function output({ isError, structuredContent, content }: ToolAnswer): Record<string, unknown> {
  assert.ok(!isError, content[0]?.text);
  assert.equal(content.length, 1);
  assert.deepEqual(JSON.parse(content[0].text), structuredContent);
  return structuredContent!;
}

function names(answer: ToolAnswer): string[] {
  return (output(answer).operations as { name: string }[]).map(({ name }) => name);
}

for (const way of PLAIN) {
  Deno.test(`${way.name}: the four tools, through the official client (http.md §10, §15)`, async (t) => {
    const witness = new Witness();
    const api = testApi({ dispatcher: testDispatcher(witness), mcp: true });
    await using served = await way.serve(api, new Tokens());
    using asker = new Asker(way, served);
    await using anonymous = await asker.connect();
    await using writer = await asker.connect(WRITER);
    await using reader = await asker.connect(READER);
    await using nobody = await asker.connect(NOBODY);

    await t.step("there are exactly four (row 66)", async () => {
      const tools: Tool[] = (await anonymous.client.listTools()).tools;
      assert.deepEqual(tools.map(({ name }) => name), ["search", "schema", "call", "batch"]);
      const readOnly = tools.filter(({ annotations }) => annotations?.readOnlyHint).map(({ name }) => name);
      assert.deepEqual(readOnly, ["search", "schema"]);
      assert.deepEqual(anonymous.client.getServerVersion(), { name: "alknet", version: "1.0.0" });
    });
    await t.step("search shows what the caller may call, and no subscription (row 67)", async () => {
      const found = names(await anonymous.tool("search"));
      assert.ok(found.includes("math/add"));
      for (const hidden of ["files/read", "notes/create", "notes/reindex", "stream/count"]) {
        assert.ok(!found.includes(hidden), hidden);
      }
      assert.deepEqual(names(await reader.tool("search", { query: "FILE" })), ["files/read"]);
      assert.deepEqual(names(await nobody.tool("search", { query: "FILE" })), []);
      const adds = { operations: [{ name: "math/add", description: "adds two numbers" }] };
      assert.deepEqual(output(await anonymous.tool("search", { query: "adds two" })), adds);
      assertFailed(await anonymous.tool("search", { query: 5 }), "INVALID_INPUT");
    });
    await t.step("schema describes what the caller may call (row 68)", async () => {
      const spec = output(await writer.tool("schema", { name: "notes/create" }));
      assert.deepEqual([spec.name, spec.op_type, spec.visibility], ["notes/create", "mutation", "external"]);
      assert.deepEqual(output(await writer.tool("schema", { name: "/notes/create" })), spec);
      assertFailed(await nobody.tool("schema", { name: "notes/create" }), "FORBIDDEN");
      assertFailed(await writer.tool("schema", { name: "notes/reindex" }), "NOT_FOUND");
      assertFailed(await writer.tool("schema"), "INVALID_INPUT", /name/);
    });
    await t.step("call gives an object as it is, and anything else as value (row 69)", async () => {
      assert.deepEqual(output(await anonymous.tool("call", { operation: "/clock/now", input: {} })), {
        iso: "2026-07-18T09:30:00Z",
      });
      assert.deepEqual(output(await anonymous.tool("call", { operation: "math/add", input: { a: 2, b: 3 } })), {
        value: 5,
      });
      assert.deepEqual(output(await anonymous.tool("call", { operation: "echo/value" })), { value: null });
      assert.deepEqual(output(await anonymous.tool("call", { operation: "echo/value", input: [1] })), { value: [1] });
    });
    await t.step("an input that came as text is read as JSON where text would not do", async () => {
      const add = { operation: "math/add", input: '{"a":2,"b":3}' };
      assert.deepEqual(output(await anonymous.tool("call", add)), { value: 5 });
      const { results } = output(await anonymous.tool("batch", { calls: JSON.stringify([add]) }));
      assert.deepEqual(results, [{ isError: false, output: 5 }]);
      // Text is what this operation takes.
      assert.deepEqual(output(await anonymous.tool("call", { operation: "echo/value", input: "[1]" })), {
        value: "[1]",
      });
      for (const input of ["{", "2", '{"a":2}']) {
        assertFailed(await anonymous.tool("call", { operation: "math/add", input }), "INVALID_INPUT");
      }
      const tools: Tool[] = (await anonymous.client.listTools()).tools;
      const call = tools.find(({ name }) => name === "call")!;
      const { type } = call.inputSchema.properties!.input as { type: string[] };
      assert.ok(type.includes("object") && type.includes("string"));
    });
    await t.step("call takes a name with and without a slash", async () => {
      const create = { operation: "notes/create", input: { title: "x" } };
      assert.deepEqual(output(await writer.tool("call", create)), { noteId: "n-1" });
    });
    await t.step("what fails is a result (rows 70, 93)", async () => {
      const create = { operation: "notes/create", input: { title: "x" } };
      const forbidden = await anonymous.tool("call", create);
      assertFailed(forbidden, "FORBIDDEN", /authentication required/);
      assertFailed(await nobody.tool("call", create), "FORBIDDEN");
      assertFailed(await anonymous.tool("call", { input: {} }), "INVALID_INPUT", /operation/);
      assertFailed(await anonymous.tool("call", { operation: "math/add", input: { a: "2" } }), "INVALID_INPUT");
      assertFailed(
        await anonymous.tool("call", { operation: "stream/count", input: { to: 1 } }),
        "INVALID_OPERATION_TYPE",
      );
      for (const operation of ["notes/reindex", "shop/pets"]) {
        assertFailed(await writer.tool("call", { operation, input: {} }), "NOT_FOUND");
      }
      assertFailed(await anonymous.tool("subscribe"), "NOT_FOUND", /subscribe/);
      assertFailed(await anonymous.tool("call", { operation: "errors/throw", input: {} }), "INTERNAL", /^(?!.*42)/);
    });
    await t.step("batch gives two shapes, in order (row 71)", async () => {
      const calls = [{ operation: "math/add", input: { a: 2, b: 3 } }, { operation: "math/sub" }, { input: 1 }];
      const { results } = output(await anonymous.tool("batch", { calls })) as { results: Record<string, unknown>[] };
      assert.deepEqual(results[0], { isError: false, output: 5 });
      const codes = results.slice(1).map(({ isError, error }) => [isError, (error as { code: string }).code]);
      assert.deepEqual(codes, [[true, "NOT_FOUND"], [true, "INVALID_INPUT"]]);
      assert.deepEqual(output(await anonymous.tool("batch", { calls: [] })), { results: [] });
      assertFailed(await anonymous.tool("batch", {}), "INVALID_INPUT");
      assertFailed(await anonymous.tool("batch", { calls: Array(101).fill(calls[0]) }), "INVALID_INPUT", /100/);
    });
    await t.step("a session is its opener's alone (row 72)", async () => {
      const list = { jsonrpc: "2.0", id: 77, method: "tools/list" };
      for (const authorization of [undefined, `Bearer ${READER}`, "Bearer wrong"]) {
        const answer = await asker.post(list, { ...writer.session, ...authorization && { authorization } });
        assert.equal(answer.status, authorization?.endsWith("wrong") ? 401 : 403);
        assert.equal((await answer.json()).code, "FORBIDDEN");
      }
      const own = await asker.post(list, { ...writer.session, authorization: `Bearer ${WRITER}` });
      assert.equal(own.status, 200);
      await own.text();
    });
    await t.step("a cancelled request aborts its call, and what that composed (row 73)", async () => {
      const cancel = new AbortController();
      const call = anonymous.tool("call", { operation: "hang/query", input: null }, cancel.signal);
      await Promise.all([witness.until("query started"), witness.until("child started")]);
      cancel.abort();
      await assert.rejects(call);
      await Promise.all([witness.until("query aborted"), witness.until("child aborted")]);
    });
  });
}
