/**
 * The built-in operations of a node, over the dispatcher that every projection uses.
 *
 * @module
 */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { type ConfigDocument, watchConfig } from "@alknet/core/config";
import { router } from "@alknet/core";
import { connect } from "@alknet/core/dial";
import { type CallError, Dispatcher, type JsonObject, type JsonValue, nodeRegistry } from "@alknet/core/operations";
import { configProvider, hashToken } from "@alknet/core/identity";
import { echo } from "@alknet/handlers/echo";
import { Feed } from "../../../cli/operations/feed.ts";
import { Observer, type ServeEvent } from "../../../cli/operations/observe.ts";
import { builtInOperations } from "../../../cli/operations/mod.ts";
import type { RunningNode } from "../../../cli/operations/running_node.ts";
import { temporaryFolder } from "../../support/temp.ts";

const ADMIN = "alk_" + "a".repeat(43);
const HASH = hashToken(ADMIN);

/** Every built-in operation, and the scopes of which one is enough; none where it is open. */
const ACCESS: Readonly<Record<string, readonly string[]>> = {
  "node/info": [],
  "node/stats": ["node:read", "admin"],
  "node/connections": ["node:read", "admin"],
  "config/show": ["config:read", "admin"],
  "config/reload": ["config:write", "admin"],
  "tokens/create": ["admin"],
  "tokens/list": ["admin"],
  "tokens/revoke": ["admin"],
  "log/tail": ["log:read", "admin"],
};

/** A node with a configuration file and an echo handler over TLS. */
async function running() {
  const folder = await temporaryFolder();
  const file = await folder.write(
    "config.json",
    JSON.stringify(
      {
        handlers: { echo: {} },
        auth: {
          peers: [{ peer_id: "laptop", auth_token_hash: hashToken("alk_peer"), scopes: ["notes:read"] }],
          api_keys: [{ prefix: "alk_aaaa", hash: HASH, scopes: ["admin"] }],
        },
      } satisfies ConfigDocument,
    ),
  );
  const config = await watchConfig(file, { watch: false });
  const events = new Feed<ServeEvent>();
  const observer = new Observer((event) => events.publish(event));
  const endpoint = await router().use(observer.watch(echo())).listen({ transports: ["tls"] });
  const log = new Feed<string>({ keep: 1000 });
  const node: RunningNode = { config, observer, events, log, startedAt: new Date(0), endpoint };
  const registrations = builtInOperations(node);
  const dispatcher = new Dispatcher({ registry: nodeRegistry(registrations) });
  const as = (...scopes: string[]) => ({ id: "tester", scopes, resources: {} });
  return {
    node,
    file,
    registrations,
    as,
    provider: configProvider(() => config.snapshot()),
    call: async (operation: string, input?: JsonValue, scopes: string[] = ["admin"]) =>
      await dispatcher.call({ operation, input, identity: as(...scopes) }) as JsonObject,
    anonymous: (operation: string, input?: JsonValue) => dispatcher.call({ operation, input }),
    subscribe: (operation: string, input?: JsonValue) =>
      dispatcher.subscribe({ operation, input, identity: as("admin") }) as AsyncIterableIterator<JsonObject>,
    dial: () =>
      connect(`${endpoint.nodeId}@127.0.0.1:${endpoint.addresses[0].port}`, "alknet/echo", { transport: "tls" }),
    async [Symbol.asyncDispose]() {
      await endpoint.shutdown({ drain: 0 });
      await config[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function next(values: AsyncIterator<JsonObject>): Promise<JsonObject> {
  const { done, value } = await values.next();
  ok(!done);
  return value;
}

Deno.test("built-in operations: what each asks for, without and with the wrong scope", async () => {
  await using it = await running();
  deepEqual(it.registrations.map(({ spec }) => spec.name).sort(), Object.keys(ACCESS).sort());
  for (const { spec } of it.registrations) {
    const { required_scopes, required_scopes_any = [] } = spec.access_control;
    deepEqual([...required_scopes, ...required_scopes_any], ACCESS[spec.name], spec.name);
    ok(spec.description, spec.name);
    if (ACCESS[spec.name].length === 0) continue;
    await rejects(it.anonymous(spec.name), { code: "FORBIDDEN", message: "authentication required" });
    await rejects(it.call(spec.name, null, ["tokens", "notes:read"]), { code: "FORBIDDEN" });
  }
});

Deno.test("node/info tells strangers who the node is, and readers where and what it runs", async () => {
  await using it = await running();
  const { endpoint } = it.node;
  const open = {
    nodeId: endpoint!.nodeId,
    fingerprint: endpoint!.fingerprint,
    alpns: ["alknet/echo"],
    transports: ["tls"],
  };
  deepEqual(await it.anonymous("node/info"), open);
  deepEqual(await it.call("node/info", {}, ["notes:read"]), open);
  const { version, addresses, startedAt, ...rest } = await it.call("node/info", {}, ["node:read"]);
  deepEqual(rest, open);
  match(String(version), /^\d+\.\d+\.\d+$/);
  deepEqual(addresses, [`127.0.0.1:${endpoint!.addresses[0].port}`]);
  equal(startedAt, "1970-01-01T00:00:00.000Z");
  await rejects(it.call("node/info", { verbose: true }), { code: "INVALID_INPUT" });
});

Deno.test("node/connections: those that run, then each as it begins and ends; node/stats counts them", async () => {
  await using it = await running();
  const before = await it.dial();
  const stream = await before.open();
  const first = it.subscribe("node/connections");
  const known = await next(first);
  deepEqual([known.event, known.alpn, known.transport], ["connection", "alknet/echo", "tls"]);
  const later = await it.dial();
  await (await later.open()).writable.close();
  const begun = await next(first);
  equal(begun.event, "connection");
  await later[Symbol.asyncDispose]();
  const ended = await next(first);
  deepEqual([ended.event, ended.id], ["closed", begun.id]);
  const { accepted, protocols } = await it.call("node/stats");
  equal(accepted, 2);
  deepEqual((protocols as JsonObject[]).map(({ alpn, open, total }) => ({ alpn, open, total })), [
    { alpn: "alknet/echo", open: 1, total: 2 },
  ]);
  equal(it.node.events.followers, 1);
  await first.return?.();
  equal(it.node.events.followers, 0);
  stream.writable.abort().catch(() => {});
  await before[Symbol.asyncDispose]();
});

Deno.test("config/show has the whole configuration and no hash", async () => {
  await using it = await running();
  const { path, static: fixed, dynamic } = await it.call("config/show", null, ["config:read"]);
  equal(path, it.file);
  equal((fixed as JsonObject).drain_timeout_ms, 2000);
  const text = JSON.stringify(dynamic);
  ok(!/sha256|[0-9a-f]{32}/.test(text), text);
  deepEqual((dynamic as JsonObject).auth, {
    peers: [{ peer_id: "laptop", fingerprints: [], scopes: ["notes:read"], resources: {}, enabled: true, token: true }],
    api_keys: [{ prefix: "alk_aaaa", scopes: ["admin"] }],
  });
});

Deno.test("config/reload: applied, unchanged, invalid, and what needs a restart", async () => {
  await using it = await running();
  const reload = () => it.call("config/reload", null, ["config:write"]);
  deepEqual(await reload(), { outcome: "unchanged", restartNeeded: [] });
  await Deno.writeTextFile(it.file, JSON.stringify({ handlers: { echo: {} }, drain_timeout_ms: 5 }));
  deepEqual(await reload(), { outcome: "applied", restartNeeded: ["drain_timeout_ms"] });
  await Deno.writeTextFile(it.file, `{"listen": 7}`);
  const { outcome, error } = await reload();
  equal(outcome, "invalid");
  match(String(error), /listen/);
});

Deno.test("tokens/create, list, revoke: each holds when it has answered", async () => {
  await using it = await running();
  const made = await it.call("tokens/create", { scopes: ["notes:read"], description: "phone", expiresIn: 3600 });
  const token = String(made.token);
  match(token, /^alk_[\w-]{43}$/);
  equal(made.prefix, token.slice(0, 8));
  deepEqual(it.provider.resolveToken(token)?.scopes, ["notes:read"]);
  const { tokens } = await it.call("tokens/list");
  deepEqual(tokens, [
    { prefix: "alk_aaaa", scopes: ["admin"] },
    { prefix: made.prefix, scopes: ["notes:read"], description: "phone", expiresAt: made.expiresAt },
  ]);
  ok(!JSON.stringify(await it.call("config/show")).includes(token));
  deepEqual(await it.call("tokens/revoke", { prefix: made.prefix }), { prefix: made.prefix });
  equal(it.provider.resolveToken(token), undefined);
  await rejects(it.call("tokens/revoke", { prefix: "alk_none" }), (error: CallError) => {
    equal(error.code, "NO_SUCH_TOKEN");
    return true;
  });
});

for (
  const [input, path] of [
    [{}, "scopes"],
    [{ scopes: [7] }, "scopes/0"],
    [{ scopes: [], expiresIn: 0 }, "expiresIn"],
    [{ scopes: [], role: "root" }, "role"],
    [null, "object"],
  ] as const
) {
  Deno.test(`tokens/create refuses ${JSON.stringify(input)} and names ${path}`, async () => {
    await using it = await running();
    await rejects(it.call("tokens/create", input), (error: CallError) => {
      equal(error.code, "INVALID_INPUT");
      ok(error.message.includes(path), error.message);
      return true;
    });
    equal((await it.call("tokens/list")).tokens instanceof Array, true);
  });
}

Deno.test("log/tail: past lines as asked for, then each as it comes", async () => {
  await using it = await running();
  for (let n = 0; n < 20; n++) it.node.log.publish(`line ${n}`);
  const byDefault = it.subscribe("log/tail");
  equal((await next(byDefault)).line, "line 10");
  const two = it.subscribe("log/tail", { lines: 2 });
  deepEqual([await next(two), await next(two)], [{ line: "line 18" }, { line: "line 19" }]);
  const coming = next(two);
  it.node.log.publish("news");
  deepEqual(await coming, { line: "news" });
  await two.return?.();
  await byDefault.return?.();
  equal(it.node.log.followers, 0);
  await rejects(next(it.subscribe("log/tail", { lines: -1 })), { code: "INVALID_INPUT" });
});
