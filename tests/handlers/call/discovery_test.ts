/**
 * What discovery shows to whom: call.md §20, §26 rows 46, 108 to 114.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CallError, type JsonValue } from "@alknet/core/operations";
import { type CallOptions, fromCall } from "@alknet/handlers/call";
import Type from "typebox";
import { identity, imported, once, schemaAnswer, stream } from "./fixtures.ts";
import { HUB_WAYS, WEBSOCKET_HUB } from "./hub.ts";

const nothing = () => null;
const failsWith = (code: string, message?: string) => (error: unknown) =>
  error instanceof CallError && error.code === code && (message === undefined || error.message === message);
const listing = (...names: string[]): JsonValue[] =>
  names.map((name) => ({
    name,
    namespace: name.split("/")[0],
    op_type: name === "log/follow" ? "subscription" : "query",
  }));

const NODE = [
  once("files/read", nothing, {
    input: Type.Object({ path: Type.String() }),
    access: { scopes: ["files:read"], resourceIdPath: "$.path" },
    errors: { FILE_NOT_FOUND: { description: "path does not exist", httpStatus: 404 } },
  }),
  once("clock/now", nothing),
  once("clock/tick", nothing, { visibility: "internal" }),
  stream("log/follow", async function* () {}),
];
const OPEN = ["clock/now", "log/follow", "services/list", "services/list-peers", "services/schema"];

for (const way of [...HUB_WAYS, WEBSOCKET_HUB]) {
  const title = (text: string) => `alknet/call over ${way.name}: ${text}`;

  Deno.test(title("services/list shows what the caller may call (call.md §26 rows 108 and 109)"), async () => {
    await using hub = await way.start(NODE);
    hub.users.set("alk_reader", identity("reader", ["files:read"]));
    const { hub: node, peer } = await hub.join("worker");
    peer.registerImported([imported("far/run", nothing)]);
    if (peer.isPeer) hub.peers.attach(peer);
    assert.deepEqual(await node.call("services/list"), { operations: listing(...OPEN) });
    const permitted = await node.call("services/list", { any: "input" }, { token: "alk_reader" });
    assert.deepEqual(permitted, { operations: listing("clock/now", "files/read", ...OPEN.slice(1)) });
  });

  Deno.test(title("services/schema describes one operation (call.md §26 rows 46 and 110 to 113)"), async () => {
    await using hub = await way.start(NODE);
    hub.users.set("alk_reader", identity("reader", ["files:read"]));
    const { hub: node } = await hub.join();
    const schema = (input: JsonValue, options?: CallOptions) => node.call("services/schema", input, options);
    const described = schemaAnswer("files/read", {
      input_schema: { type: "object", required: ["path"], properties: { path: { type: "string" } } },
      error_schemas: [{ code: "FILE_NOT_FOUND", description: "path does not exist", schema: {}, http_status: 404 }],
      access_control: {
        required_scopes: ["files:read"],
        required_scopes_any: null,
        resource_type: null,
        resource_action: null,
      },
    });
    const token = "alk_reader";
    assert.deepEqual(await schema({ name: "files/read" }, { token }), described);
    assert.deepEqual(await schema({ name: "/files/read" }, { token }), described);
    assert.deepEqual(await schema({ name: "clock/now" }), schemaAnswer("clock/now"));
    const missing = failsWith("INVALID_INPUT", "missing required field: name");
    const nameless: JsonValue[] = [null, {}, { name: 5 }, [], "clock/now"];
    for (const input of nameless) await assert.rejects(schema(input), missing);
    for (const name of ["clock/tick", "clock/none", "//clock/now"]) {
      await assert.rejects(schema({ name }), failsWith("NOT_FOUND"), name);
    }
    const denied = way === WEBSOCKET_HUB ? "missing required scope: files:read" : "authentication required";
    await assert.rejects(schema({ name: "files/read" }), failsWith("FORBIDDEN", denied));
  });
}

for (const way of HUB_WAYS) {
  const title = (text: string) => `alknet/call over ${way.name}: ${text}`;

  Deno.test(title("services/list-peers shows peers as imported (call.md §26 row 114)"), async () => {
    await using hub = await way.start(NODE);
    hub.users.set("alk_reader", identity("reader", ["files:read"]));
    const first = await hub.join("worker-b");
    first.peer.registerImported([imported("secret/run", nothing, { access: { scopes: ["files:read"] } })]);
    const second = await hub.join("worker-c");
    second.peer.registerImported([imported("container/exec", nothing, { type: "mutation" })]);
    for (const { peer } of [first, second]) hub.peers.attach(peer);
    const exec = { name: "container/exec", namespace: "container", op_type: "mutation" };
    const { hub: node } = await hub.join();
    assert.deepEqual(await node.call("services/list-peers"), {
      peers: [
        { peer_id: "local", operations: listing(...OPEN) },
        { peer_id: "worker-c", operations: [exec] },
      ],
    });
    const permitted = await node.call("services/list-peers", null, { token: "alk_reader" });
    assert.deepEqual((permitted as { peers: JsonValue[] }).peers.slice(1), [
      { peer_id: "worker-b", operations: listing("secret/run") },
      { peer_id: "worker-c", operations: [exec] },
    ]);
  });
}

Deno.test("alknet/call over WebSocket: what a client offers is its own connection's alone (call.md §26 row 135)", async () => {
  const run = once("hub/run", (input, context) => {
    const { peer } = input as { peer?: string };
    return context.invoke("page/title", null, peer === undefined ? {} : { peer: { peer } });
  }, { scope: { allowedOps: new Set(["page/title"]), peerPinned: new Set() } });
  await using hub = await WEBSOCKET_HUB.start([run]);
  const page = await hub.join("page", [once("page/title", () => "Home")]);
  const { hub: other } = await hub.join("other");
  page.peer.registerImported(await fromCall(page.peer));
  assert.throws(() => hub.peers.attach(page.peer), { code: "NOT_A_PEER" });
  assert.equal(await page.hub.call("hub/run", {}), "Home");
  await assert.rejects(other.call("hub/run", {}), failsWith("NOT_FOUND"));
  for (const caller of [page.hub, other]) {
    await assert.rejects(caller.call("hub/run", { peer: "page" }), failsWith("NOT_FOUND"));
    const { peers } = await caller.call("services/list-peers") as { peers: { peer_id: string }[] };
    assert.deepEqual(peers.map(({ peer_id }) => peer_id), ["local"]);
    assert.doesNotMatch(JSON.stringify(await caller.call("services/list")), /page\/title/);
  }
  // Whoever holds the connection reaches it.
  assert.equal(await page.peer.call("page/title"), "Home");
});
