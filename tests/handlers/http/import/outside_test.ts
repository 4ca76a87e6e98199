import assert from "node:assert/strict";
import { fromMcp, OutboundClient } from "@alknet/handlers/http";
import { WAYS } from "../fronts.ts";
import { Asker } from "../mcp/clients.ts";
import { testApi, Tokens, WRITER } from "../operations.ts";
import { McpService } from "./mcp_service.ts";
import { composing } from "./service.ts";

for (const way of WAYS.filter(({ alpn }) => alpn === "alknet/http")) {
  Deno.test(`${way.name}: an imported tool is not there for HTTP, nor for MCP (http.md §15 row 93)`, async () => {
    await using service = new McpService();
    using client = new OutboundClient();
    await using office = await fromMcp({ url: service.url, namespace: "office", client });
    const dispatcher = composing(office.registrations);
    await using served = await way.serve(testApi({ dispatcher, mcp: true }), new Tokens());
    using asker = new Asker(way, served);
    const headers = { authorization: `Bearer ${WRITER}`, "content-type": "application/json" };
    const ask = async (path: string, body?: unknown) => {
      const init = body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
      const answer = await asker.fetch(`${served.base}${path}`, init);
      return { status: answer.status, text: await answer.text() };
    };
    const input = { a: 1, b: 2 };
    const inside = await ask("/call", { operation: "compose/any", input: { name: "office/add", input } });
    assert.deepEqual(JSON.parse(inside.text).output, { sum: 3 }, "a local operation composes it");

    const named = await ask("/call", { operation: "office/add", input });
    const unknown = await ask("/call", { operation: "office/nil", input });
    assert.deepEqual([named.status, JSON.parse(named.text).code], [404, "NOT_FOUND"]);
    assert.equal(named.text.replace("office/add", "office/nil"), unknown.text, "as one that nobody knows");
    assert.equal((await ask("/schema?name=office/add")).status, 404);
    assert.deepEqual(await ask("/office/add", input), await ask("/office/nil", input), "the decoy for both");
    assert.ok(!(await ask("/search")).text.includes("office/"));

    await using caller = await asker.connect(WRITER);
    for (
      const [tool, args] of [["call", { operation: "office/add", input }], ["schema", { name: "office/add" }]] as const
    ) {
      const { isError, structuredContent } = await caller.tool(tool, args);
      assert.deepEqual([isError, structuredContent?.code], [true, "NOT_FOUND"]);
    }
    assert.ok(!JSON.stringify(await caller.tool("search", {})).includes("office/"));
  });
}
