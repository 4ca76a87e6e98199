/**
 * Imports from peers, routing to them, and what forwarding tells: call.md §19, §21, §26 rows 96, 130, 131, 133, 134 and
 * 136 to 141.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  CallError,
  type HandlerRegistration,
  type JsonValue,
  type OperationContext,
  type PeerRef,
} from "@alknet/core/operations";
import { fromCall, type FromCallOptions } from "@alknet/handlers/call";
import { authority, identity, once, reaching, schemaAnswer, stream, TablePeer } from "./fixtures.ts";
import { type Hub, HUB_WAYS } from "./hub.ts";

const failsWith = (code: string, message?: string) => (error: unknown) =>
  error instanceof CallError && error.code === code && (message === undefined || error.message === message);
const refusedAs = (code: string) => ({ name: "ImportError", code });

/** Composes what its input names, at the peer that it names. */
const ROUTING = once("hub/run", (input, context) => {
  const { name, peer, input: given = null } = input as { name: string; peer?: string; input?: JsonValue };
  return context.invoke(name, given, peer === undefined ? {} : { peer: { peer } as PeerRef });
}, { ...reaching("container/exec", "base/only", "b/container/exec", "wait/long"), ...authority("hub") });

/** Joins as a peer, is imported from, and attached. */
async function attach(hub: Hub, id: string, offers: readonly HandlerRegistration[], options?: FromCallOptions) {
  const joined = await hub.join(id, offers);
  joined.peer.registerImported(await fromCall(joined.peer, options));
  hub.peers.attach(joined.peer);
  return joined;
}

const exec = (says: string) => once("container/exec", () => says);

for (const way of HUB_WAYS) {
  const title = (text: string) => `fromCall() over ${way.name}: ${text}`;

  Deno.test(title("any goes to the first peer, a name to its own (call.md §26 rows 130 and 131)"), async () => {
    await using hub = await way.start([ROUTING, once("base/only", () => "base")]);
    await attach(hub, "first", [exec("first")]);
    await attach(hub, "second", [exec("second")]);
    const { hub: node } = await hub.join();
    const run = (name: string, peer?: string) => node.call("hub/run", peer === undefined ? { name } : { name, peer });
    assert.equal(await run("container/exec"), "first");
    assert.equal(await run("container/exec", "second"), "second");
    await assert.rejects(run("container/exec", "nobody"), failsWith("NOT_FOUND"));
    assert.equal(await run("base/only"), "base");
    await assert.rejects(run("base/only", "second"), failsWith("NOT_FOUND"));
  });

  Deno.test(title("a peer with another key keeps name and place (call.md §26 row 133)"), async () => {
    await using hub = await way.start([ROUTING]);
    await attach(hub, "first", [exec("old key")]);
    await attach(hub, "second", [exec("second")]);
    await attach(hub, "first", [exec("new key")]);
    const { hub: node } = await hub.join();
    assert.deepEqual([...hub.peers.current().keys()], ["first", "second"]);
    assert.equal(await node.call("hub/run", { name: "container/exec" }), "new key");
  });

  Deno.test(title("with the connection go its operations (call.md §26 row 134)"), async () => {
    await using hub = await way.start([ROUTING]);
    const started = Promise.withResolvers<void>();
    const wait = once("wait/long", (_input, { signal }) => {
      started.resolve();
      return new Promise((resolve) => signal.addEventListener("abort", () => resolve(null)));
    });
    const { hub: worker, peer } = await attach(hub, "worker", [wait]);
    const { hub: node } = await hub.join();
    const inFlight = assert.rejects(node.call("hub/run", { name: "wait/long" }), failsWith("INTERNAL"));
    await started.promise;
    await worker.close();
    await inFlight;
    await peer.closed;
    await assert.rejects(node.call("hub/run", { name: "wait/long" }), failsWith("NOT_FOUND"));
    assert.equal(hub.peers.current().size, 0);
  });

  Deno.test(title("a prefix and a choice (call.md §26 row 136)"), async () => {
    await using hub = await way.start([ROUTING]);
    const seen: string[] = [];
    const offered = once("container/exec", (_input, { operation }) => (seen.push(operation), "ran"));
    const options = { prefix: "b", only: new Set(["container/exec"]) };
    const { peer } = await attach(hub, "worker", [offered, once("container/other", () => null)], options);
    const [registration, ...others] = await fromCall(peer, options);
    assert.equal(others.length, 0);
    assert.equal(registration.spec.name, "b/container/exec");
    assert.equal(registration.spec.namespace, "b");
    assert.equal(registration.spec.visibility, "internal");
    assert.equal(registration.provenance, "from_call");
    assert.equal(registration.authority ?? registration.scope, undefined);
    assert.equal(registration.capabilities.get("worker"), undefined);
    const { hub: node } = await hub.join();
    assert.equal(await node.call("hub/run", { name: "b/container/exec" }), "ran");
    assert.deepEqual(seen, ["container/exec"], "the wire carries the remote name");
    const all = await fromCall(peer);
    assert.deepEqual(all.map(({ spec }) => spec.name), ["container/exec", "container/other"], "nothing of services/");
  });

  Deno.test(title("what the remote says of a failure passes through (call.md §26 row 139)"), async () => {
    const failing = once("container/exec", () => {
      throw new CallError("FULL", "no room", { retryable: true, details: { free: 0 } });
    }, { errors: { FULL: { description: "no room" } } });
    const ids: string[] = [];
    const asking = once("hub/ask", async (_input, context) => {
      ids.push(context.requestId);
      return await context.invoke("container/exec", null).catch(({ code, message, retryable, details }) => {
        return { code, message, retryable, details };
      });
    }, reaching("container/exec"));
    await using hub = await way.start([asking]);
    const { peer } = await attach(hub, "worker", [failing]);
    assert.deepEqual(peer.layer.find("container/exec")?.spec.error_schemas.map(({ code }) => code), ["FULL"]);
    const { hub: node } = await hub.join();
    assert.deepEqual(await node.call("hub/ask"), {
      code: "FULL",
      message: "no room",
      retryable: true,
      details: { free: 0 },
    });
    assert.equal(ids.length, 1);
  });

  Deno.test(title("a subscription comes whole (call.md §26 row 140)"), async () => {
    const hundred = Array.from({ length: 100 }, (_, n) => n);
    const counting = stream("count/up", async function* () {
      yield* hundred;
    });
    await using hub = await way.start([]);
    const { peer } = await attach(hub, "worker", [counting]);
    const { handler } = peer.layer.find("count/up")!;
    assert.ok(handler.kind === "stream");
    const context = { rootIdentity: undefined, timeLeft: undefined, signal: new AbortController().signal };
    const values: JsonValue[] = [];
    for await (const value of handler.fn(null, context as unknown as OperationContext)) values.push(value);
    assert.deepEqual(values, hundred);
  });

  Deno.test(title("the remote sees the hub, and the user as a claim (call.md §26 row 141)"), async () => {
    const seen: OperationContext[] = [];
    const offered = once("container/exec", (_input, context) => {
      seen.push(context);
      return null;
    });
    await using hub = await way.start([ROUTING]);
    hub.users.set("alk_mara", identity("mara", ["ui:use"]));
    await attach(hub, "worker", [offered]);
    const { hub: node } = await hub.join();
    await node.call("hub/run", { name: "container/exec" }, { token: "alk_mara" });
    await node.call("hub/run", { name: "container/exec" });
    const [told, untold] = seen;
    assert.deepEqual(told.forwardedFor, { id: "mara", scopes: ["ui:use"], resources: {} });
    assert.notEqual(told.identity?.id, "mara", "a claim is no identity");
    assert.equal(untold.forwardedFor, undefined);
    assert.ok((told.timeLeft ?? Infinity) <= 30_000, "the time left goes along");
  });

  Deno.test(
    title("what goes over the wire for the user, and its abort (call.md §26 rows 96, 136 and 141)"),
    async () => {
      await using hub = await way.start([ROUTING]);
      hub.users.set("alk_mara", identity("mara", ["ui:use"]));
      const operations = [{ name: "container/exec", op_type: "query" }];
      const worker = await hub.joinScripted("worker", {
        "services/list": () => ({ operations }),
        "services/schema": () => schemaAnswer("container/exec"),
        "container/exec": () => undefined,
      });
      worker.peer.registerImported(await fromCall(worker.peer, { prefix: "b" }));
      hub.peers.attach(worker.peer);
      const { hub: node } = await hub.join();
      const stop = new AbortController();
      const asked = worker.next("call.requested");
      const call = node.call("hub/run", { name: "b/container/exec" }, { token: "alk_mara", signal: stop.signal });
      const ended = assert.rejects(call);
      const { id, payload } = await asked;
      assert.deepEqual(payload, {
        operationId: "/container/exec",
        input: null,
        forwarded_for: { id: "mara", scopes: ["ui:use"], resources: {} },
        timeout_ms: payload.timeout_ms,
      });
      assert.ok(!JSON.stringify(worker.received).includes("alk_mara"));
      assert.ok(worker.received.every(({ type }) => type !== "call.aborted"));
      const aborted = worker.next("call.aborted");
      stop.abort();
      assert.deepEqual(await aborted, { type: "call.aborted", id, payload: {} });
      await ended;
    },
  );

  Deno.test(title("an abort reaches the remote (call.md §26 row 96)"), async () => {
    const started = Promise.withResolvers<void>();
    const aborted = Promise.withResolvers<void>();
    const wait = once("wait/long", (_input, { signal }) => {
      started.resolve();
      return new Promise((resolve) =>
        signal.addEventListener("abort", () => {
          aborted.resolve();
          resolve(null);
        })
      );
    });
    await using hub = await way.start([ROUTING]);
    await attach(hub, "worker", [wait]);
    const { hub: node } = await hub.join();
    const stop = new AbortController();
    const call = node.call("hub/run", { name: "wait/long" }, { signal: stop.signal });
    const ended = assert.rejects(call);
    await started.promise;
    stop.abort();
    await ended;
    await aborted.promise;
  });
}

const ENTRY = { name: "a/b", op_type: "query" };

/** What a peer answers to `services/list` and `services/schema`, and how the import ends. */
const REFUSED: readonly [what: string, list: JsonValue | undefined, schema: JsonValue | undefined, code: string][] = [
  ["no list", undefined, null, "DISCOVERY_FAILED"],
  ["no operations", {}, null, "SCHEMA_PARSE"],
  ["a name listed twice", { operations: [ENTRY, ENTRY] }, schemaAnswer("a/b"), "SAME_PEER_COLLISION"],
  ["operations that are no array", { operations: {} }, null, "SCHEMA_PARSE"],
  ["an entry that is none", { operations: [null] }, null, "SCHEMA_PARSE"],
  ["an entry without a name", { operations: [{ op_type: "query" }] }, null, "SCHEMA_PARSE"],
  ["an entry without op_type", { operations: [{ name: "a/b" }] }, null, "SCHEMA_PARSE"],
  ["an unknown op_type", { operations: [{ name: "a/b", op_type: "event" }] }, null, "SCHEMA_PARSE"],
  ["a name that is none", { operations: [{ name: "../b", op_type: "query" }] }, null, "SCHEMA_PARSE"],
  ...([
    ["no schema", undefined, "DISCOVERY_FAILED"],
    ["a schema that is none", 5, "SCHEMA_PARSE"],
    ["another's schema", schemaAnswer("c/d"), "SCHEMA_PARSE"],
    ["a schema of an unknown type", schemaAnswer("a/b", { op_type: "event" }), "SCHEMA_PARSE"],
    ["an input schema that is none", schemaAnswer("a/b", { input_schema: 5 }), "SCHEMA_PARSE"],
    ["an input schema in a circle", schemaAnswer("a/b", { input_schema: { $ref: "#" } }), "SCHEMA_PARSE"],
    ["no access control", schemaAnswer("a/b", { access_control: null }), "SCHEMA_PARSE"],
    [
      "an access control that is none",
      schemaAnswer("a/b", { access_control: { required_scopes: "all" } }),
      "SCHEMA_PARSE",
    ],
    ["errors that are none", schemaAnswer("a/b", { error_schemas: [{}] }), "SCHEMA_PARSE"],
    ["an error of the protocol", schemaAnswer("a/b", { error_schemas: [{ code: "TIMEOUT" }] }), "SCHEMA_PARSE"],
  ] as const).map(([what, schema, code]): typeof REFUSED[number] => [
    what,
    { operations: [ENTRY] },
    schema,
    code,
  ]),
];

for (const way of HUB_WAYS) {
  Deno.test(`fromCall() over ${way.name}: what cannot be imported (call.md §21, §26 rows 137 and 138)`, async (t) => {
    await using hub = await way.start([]);
    for (const [what, list, schema, code] of REFUSED) {
      await t.step(`${what} is ${code}`, async () => {
        const { peer } = await hub.joinScripted("worker", {
          ...(list !== undefined && { "services/list": () => list }),
          ...(schema !== undefined && { "services/schema": () => schema }),
        });
        await assert.rejects(fromCall(peer), refusedAs(code));
        assert.deepEqual([...peer.layer.list()], []);
      });
    }
  });
}

Deno.test("fromCall(): asks for its own part alone, and takes no more than it was told", async () => {
  const operations = Array.from({ length: 11 }, (_, n) => ({ name: `a/${n}`, op_type: "query" }));
  const peer = new TablePeer("p", {
    "services/list": () => ({ operations }),
    "services/schema": (input) => schemaAnswer((input as { name: string }).name),
  });
  await assert.rejects(fromCall(peer, { most: 10 }), refusedAs("DISCOVERY_FAILED"));
  assert.equal((await fromCall(peer, { most: 11 })).length, 11);
  assert.equal((await fromCall(peer, { only: new Set(["a/3"]), most: 1 })).length, 1);
  await assert.rejects(fromCall(peer, { prefix: "/x" }), TypeError);
});
