import assert from "node:assert/strict";
import { capabilitiesOf } from "@alknet/core/operations";
import { fromMcp, type McpServiceConfig, OutboundClient } from "@alknet/handlers/http";
import { McpService } from "./mcp_service.ts";
import { compose, composing } from "./service.ts";

const TOKEN = "token-of-the-service";
const CAPABILITIES = capabilitiesOf({ office: TOKEN });

/** An import with an HTTP client of its own, which ends with it. */
async function imported(service: McpService, config: Partial<McpServiceConfig> = {}) {
  const client = new OutboundClient();
  const office = await fromMcp({ url: service.url, namespace: "office", client, ...config }).catch((error) => {
    client[Symbol.dispose]();
    throw error;
  });
  return {
    registrations: office.registrations,
    async [Symbol.asyncDispose]() {
      await office[Symbol.asyncDispose]();
      client[Symbol.dispose]();
    },
  };
}

Deno.test("fromMcp makes an internal mutation of each tool, on whatever page (http.md §11.4, §15 row 92)", async () => {
  await using service = new McpService();
  await using office = await imported(service);
  const names = ["add", "say", "say_json", "blocks", "fail", "fail_structured", "refuse", "wait"];
  assert.deepEqual(office.registrations.map(({ spec }) => spec.name), names.map((name) => `office/${name}`));
  for (const { spec, provenance, authority, scope } of office.registrations) {
    assert.deepEqual([spec.op_type, spec.visibility, provenance], ["mutation", "internal", "from_mcp"]);
    assert.deepEqual([authority, scope, spec.error_schemas, spec.access_control], [undefined, undefined, [], {
      required_scopes: [],
    }]);
  }
  const [add, say] = office.registrations;
  assert.deepEqual(add.spec.output_schema, { type: "object", properties: { sum: { type: "number" } } });
  assert.deepEqual(say.spec.output_schema, {});
  await using bare = await imported(service, { namespace: undefined });
  assert.equal(bare.registrations[0].spec.name, "add");
});

Deno.test("an imported tool answers with structure, text, JSON or blocks, and fails as it says (http.md §15 row 92)", async () => {
  await using service = new McpService();
  await using office = await imported(service);
  const dispatcher = composing(office.registrations);
  const call = (tool: string, input: unknown = {}) => compose(dispatcher, `office/${tool}`, input);
  assert.deepEqual(await call("add", { a: 2, b: 3 }), { sum: 5 });
  assert.equal(await call("say"), "plain text");
  assert.deepEqual(await call("say_json"), { n: 1 });
  assert.deepEqual(await call("blocks"), [{ type: "text", text: "one" }, { type: "text", text: "two" }]);
  await assert.rejects(call("add", { a: "2" }), { code: "INVALID_INPUT" });
  await assert.rejects(call("fail"), { code: "INTERNAL", message: "no more paper" });
  // The composing operation does not declare it: its caller finds it inside INTERNAL (call.md §8.3).
  await assert.rejects(call("fail_structured"), {
    code: "INTERNAL",
    message: "no more",
    details: { code: "PAPER", details: { left: 0 } },
  });
  await assert.rejects(call("refuse"), { code: "INTERNAL" });
  assert.equal(service.begun, 1, "what a server answers ends no session");
  await assert.rejects(dispatcher.call({ operation: "office/add", input: { a: 1, b: 1 } }), { code: "NOT_FOUND" });
});

Deno.test("an imported tool takes its credential from capabilities alone (http.md §11.1, §15 rows 83, 84)", async () => {
  await using service = new McpService(TOKEN);
  const auth = { type: "bearer" } as const;
  await using office = await imported(service, { auth, capabilities: CAPABILITIES });
  assert.equal(await compose(composing(office.registrations, CAPABILITIES), "office/say", {}), "plain text");
  assert.ok(service.tokens.every((token) => token === `Bearer ${TOKEN}`));
  const asked = service.tokens.length;
  await assert.rejects(compose(composing(office.registrations), "office/say", {}), {
    code: "INTERNAL",
    message: /no credential for service office/,
  });
  assert.equal(service.tokens.length, asked, "nothing was sent");
});

Deno.test("fromMcp says why it failed (http.md §11.4, §15 row 92)", async () => {
  await using service = new McpService(TOKEN);
  await assert.rejects(imported(service), { name: "ImportError", code: "UNAUTHORIZED" });
  const wrong = { auth: { type: "bearer" } as const, capabilities: capabilitiesOf({ office: "wrong" }) };
  await assert.rejects(imported(service, wrong), (error: Error) => !error.message.includes("wrong"));
  await assert.rejects(imported(service, { url: service.url.replace("/mcp", ":1/mcp") }), { code: "SCHEMA_PARSE" });
  await assert.rejects(imported(service, { namespace: "a b" }), { code: "SCHEMA_PARSE" });
  await assert.rejects(imported(service, { namespace: undefined, auth: wrong.auth }), { code: "SCHEMA_PARSE" });
  const tool = { name: "a b", inputSchema: { type: "object" as const } };
  await using twice = new McpService(undefined, [[tool, { ...tool, name: "a_b" }]]);
  await assert.rejects(imported(twice), { code: "SCHEMA_PARSE", message: /office\/a_b/ });
  await using other = await closedService();
  await assert.rejects(imported(other), { name: "ImportError", code: "DISCOVERY_FAILED" });
});

Deno.test("an imported tool begins another session when its server lost the one it had (http.md §11.4)", async () => {
  await using service = new McpService();
  await using office = await imported(service);
  const dispatcher = composing(office.registrations);
  await service.forget();
  await assert.rejects(compose(dispatcher, "office/say", {}), { code: "INTERNAL" });
  assert.equal(await compose(dispatcher, "office/say", {}), "plain text");
  assert.equal(service.begun, 2);
});

Deno.test("an abort reaches the tool that runs (http.md §11.4, call.md §15)", async () => {
  await using service = new McpService();
  await using office = await imported(service);
  const stop = new AbortController();
  const dispatcher = composing(office.registrations);
  const call = compose(dispatcher, "office/wait", {}, stop.signal);
  const failed = assert.rejects(call, { message: "request cancelled" });
  await service.waiting.promise;
  stop.abort();
  await Promise.all([failed, service.aborted.promise]);
  assert.equal(await compose(dispatcher, "office/say", {}), "plain text");
  assert.equal(service.begun, 1, "the session goes on");
});

/** One whose port nobody listens on any more. */
async function closedService(): Promise<McpService> {
  const service = new McpService();
  await service[Symbol.asyncDispose]();
  return service;
}
