/**
 * What composition reaches and with which rights: call.md §17, §18, §26 rows 29, 116 to 128, 132.
 *
 * @module
 */
import assert from "node:assert/strict";
import {
  CallError,
  type CallRequest,
  capabilitiesOf,
  ConnectionLayer,
  Dispatcher,
  type DispatcherOptions,
  type HandlerRegistration,
  type InvokeOptions,
  type JsonValue,
  nodeRegistry,
  type OperationContext,
  PeerSet,
  SessionLayer,
} from "@alknet/core/operations";
import { authority, identity, imported, once, reaching, type Stated, stream, TablePeer } from "./fixtures.ts";

/** An entry operation that composes one other. */
function composing(name: string, stated: Stated = {}, options?: InvokeOptions): HandlerRegistration {
  return once("entry/run", (input, context) => context.invoke(name, input, options), { ...reaching(name), ...stated });
}

function run(
  registrations: readonly HandlerRegistration[],
  request: Partial<CallRequest> = {},
  options: Partial<DispatcherOptions> = {},
): Promise<JsonValue> {
  const dispatcher = new Dispatcher({ registry: nodeRegistry(registrations), ...options });
  return dispatcher.call({ operation: "entry/run", ...request });
}

const failsWith = (code: string) => (error: unknown) => error instanceof CallError && error.code === code;
const child = (stated: Stated = {}) => once("child/run", () => "ran", stated);
const needsX: Stated = { access: { scopes: ["x"] } };

Deno.test("invoke(): an operation out of scope is not found (call.md §26 row 116)", async () => {
  await assert.rejects(run([composing("child/run", { scope: undefined }), child()]), failsWith("NOT_FOUND"));
  await assert.rejects(run([composing("child/run", reaching("child/other")), child()]), failsWith("NOT_FOUND"));
  await assert.rejects(run([composing("child/none")]), failsWith("NOT_FOUND"));
});

Deno.test("invoke(): an internal operation in scope runs (call.md §26 row 117)", async () => {
  assert.equal(await run([composing("child/run"), child({ visibility: "internal" })]), "ran");
});

Deno.test("invoke(): the composing handler's authority counts (call.md §26 row 118)", async () => {
  assert.equal(await run([composing("child/run", authority("entry", "x")), child(needsX)]), "ran");
});

Deno.test("invoke(): the caller's rights do not count (call.md §26 row 119)", async () => {
  const user = identity("user", ["x"]);
  const entry = composing("child/run", authority("entry", "y"));
  await assert.rejects(run([entry, child(needsX)], { identity: user }), failsWith("FORBIDDEN"));
});

Deno.test("invoke(): without authority only what is open to all runs (call.md §26 row 120)", async () => {
  const user = identity("user", ["x"]);
  await assert.rejects(run([composing("child/run"), child(needsX)], { identity: user }), failsWith("FORBIDDEN"));
  assert.equal(await run([composing("child/run"), child()], { identity: user }), "ran");
});

Deno.test("invoke(): ownership is asked of the composing authority (call.md §17)", async () => {
  const asked: string[] = [];
  const ownership = {
    owns: (who: { id: string }) => asked.push(who.id) > 0,
    ownsAny: () => false,
    ownedResources: () => [],
  };
  const access = { resourceType: "vm", resourceIdPath: "$.id" };
  const entry = composing("child/run", authority("entry"));
  await run([entry, child({ access })], { identity: identity("user"), input: { id: "v" } }, { ownership });
  assert.deepEqual(asked, ["entry"]);
});

Deno.test("invoke(): the context of a composed call (call.md §26 rows 71 and 121)", async () => {
  const seen: OperationContext[] = [];
  const entry = once("entry/run", (input, context) => {
    seen.push(context);
    context.metadata.set("secret", "s");
    return context.invoke("child/run", input);
  }, { ...reaching("child/run"), ...authority("entry", "x") });
  const below = once("child/run", (_input, context) => {
    seen.push(context);
    return null;
  }, authority("child"));
  const user = identity("user", ["x"]);
  const forwardedFor = identity("far");
  await run([entry, below], { id: "r-1", identity: user, forwardedFor, timeoutMs: 5000 });
  const [root, composed] = seen;
  assert.equal(root.requestId, "r-1");
  assert.equal(root.parentRequestId, undefined);
  assert.equal(root.internal, false);
  assert.deepEqual(root.identity, user);
  assert.deepEqual(root.forwardedFor, forwardedFor);
  assert.equal(root.handlerIdentity?.label, "entry");
  assert.notEqual(composed.requestId, root.requestId);
  assert.equal(composed.parentRequestId, "r-1");
  assert.equal(composed.internal, true);
  assert.deepEqual(composed.identity, { id: "entry", scopes: ["x"], resources: {} });
  assert.equal(composed.handlerIdentity?.label, "child");
  assert.equal(composed.forwardedFor, undefined);
  assert.equal(composed.metadata.size, 0);
  assert.equal(composed.deadline, root.deadline);
  assert.equal(typeof composed.deadline, "number");
  assert.equal(composed.env, root.env);
  assert.deepEqual(composed.rootIdentity, user);
});

Deno.test("invoke(): a subscription is not composed (call.md §26 row 122)", async () => {
  const below = stream("child/run", async function* () {});
  await assert.rejects(run([composing("child/run"), below]), failsWith("INVALID_OPERATION_TYPE"));
});

Deno.test("invoke(): a leaf reaches nothing (call.md §26 row 123)", async () => {
  const leaf = once("leaf/run", (_input, context) => context.invoke("child/run", null), { provenance: "from_openapi" });
  await assert.rejects(run([composing("leaf/run"), leaf, child()]), failsWith("NOT_FOUND"));
});

Deno.test("invoke(): a leaf finds its own credential, and nothing of what its composer holds (call.md §26 row 125)", async () => {
  const leaf = once("leaf/run", (_input, { capabilities }) => {
    return ["weather", "shared", "upper", "none"].map((name) => (capabilities.get(name) as string) ?? null);
  }, { provenance: "from_openapi", capabilities: capabilitiesOf({ weather: "own", shared: "own" }) });
  const bare = composing("leaf/run");
  assert.deepEqual(await run([bare, leaf]), ["own", "own", null, null]);
  const holding = composing("leaf/run", { capabilities: capabilitiesOf({ shared: "parent", upper: "parent" }) });
  assert.deepEqual(await run([holding, leaf]), ["own", "own", null, null]);
});

Deno.test("invoke(): the input of a composed call is checked (call.md §17)", async () => {
  const spec = child();
  const strict = { ...spec, checkInput: (value: unknown) => value === "fits" ? undefined : "does not fit" };
  assert.equal(await run([composing("child/run"), strict], { input: "fits" }), "ran");
  await assert.rejects(run([composing("child/run"), strict], { input: 5 }), failsWith("INVALID_INPUT"));
});

Deno.test("invoke(): ids of 10,000 compositions in parallel all differ (call.md §26 row 29)", async () => {
  const ids = new Set<string>();
  const below = once("child/run", (_input, { requestId }) => void ids.add(requestId));
  const entry = once("entry/run", async (_input, context) => {
    await Promise.all(Array.from({ length: 10_000 }, () => context.invoke("child/run", null)));
  }, reaching("child/run"));
  await run([entry, below]);
  assert.equal(ids.size, 10_000);
});

Deno.test("layers: session before connection; running calls keep them (call.md §26 row 127)", async () => {
  const say = (where: string) => () => where;
  const layer = new ConnectionLayer();
  layer.replace([imported("child/run", say("connection"))]);
  const grant = { authority: { label: "box", scopes: [], resources: {} }, ...reaching("child/run") };
  const session = new SessionLayer(grant);
  session.add(once("child/run", say("session"), { provenance: "session" }));
  let current: SessionLayer | undefined = session;
  const entry = once("entry/run", async (_input, context) => {
    const first = await context.invoke("child/run", null);
    current = undefined;
    return [first, await context.invoke("child/run", null)] as JsonValue;
  }, reaching("child/run"));
  const sessions = () => current;
  assert.deepEqual(await run([entry], { layer }, { sessions }), ["session", "session"]);
  assert.deepEqual(await run([entry], { layer }, { sessions }), ["connection", "connection"]);
  layer.end();
  await assert.rejects(run([entry], { layer }, { sessions }), failsWith("NOT_FOUND"));
});

Deno.test("layers: the failure of the first layer is the answer (call.md §26 row 128)", async () => {
  const layer = new ConnectionLayer();
  const session = new SessionLayer({ authority: { label: "box", scopes: [], resources: {} }, ...reaching() });
  session.add(once("child/run", () => {
    throw new CallError("NOT_FOUND", "gone from the session");
  }, { provenance: "session" }));
  layer.replace([imported("child/run", () => "ran")]);
  const failed = run([composing("child/run")], { layer }, { sessions: () => session });
  await assert.rejects(failed, (error: CallError) => error.message === "gone from the session");
});

Deno.test("layers: a source of sessions that throws costs the session alone (call.md §18)", async () => {
  const sessions = () => {
    throw new Error("no database");
  };
  assert.equal(await run([composing("child/run"), child()], {}, { sessions }), "ran");
});

Deno.test("dispatch(): neither imports nor session operations are called from outside (call.md §26 row 129)", async () => {
  const layer = new ConnectionLayer();
  layer.replace([imported("child/run", () => "import", { visibility: "external" })]);
  const grant = { authority: { label: "box", scopes: [], resources: {} }, ...reaching() };
  const session = new SessionLayer(grant);
  session.add(once("session/run", () => "session", { provenance: "session" }));
  const options = { sessions: () => session };
  for (const operation of ["child/run", "session/run"]) {
    await assert.rejects(run([composing("child/run")], { operation, layer }, options), failsWith("NOT_FOUND"));
  }
});

Deno.test("peers: a pinned name is reached at its peer alone (call.md §26 row 132)", async () => {
  const peers = new PeerSet();
  for (const id of ["a", "b"]) {
    const peer = new TablePeer(id);
    peer.registerImported([imported("child/run", () => id)]);
    peers.attach(peer);
  }
  const pinned = { scope: { allowedOps: new Set<string>(), peerPinned: new Set(["b/child/run"]) } };
  const routed = (peer: InvokeOptions["peer"]) => run([composing("child/run", pinned, { peer })], {}, { peers });
  await assert.rejects(routed("any"), failsWith("NOT_FOUND"));
  assert.equal(await routed({ peer: "b" }), "b");
  await assert.rejects(routed({ peer: "a" }), failsWith("NOT_FOUND"));
});

Deno.test("a handler cannot give itself reach or rights: its context and the class of it are frozen (call.md §17)", async () => {
  const secret = once("secret/read", () => "secret", { access: { scopes: ["admin"] }, visibility: "internal" });
  const greedy = once("entry/run", async (_input, context) => {
    const wider = { allowedOps: new Set(["secret/read"]), peerPinned: new Set() };
    const admin = { label: "me", scopes: ["admin"], resources: {} };
    for (const target of [context, Object.getPrototypeOf(context)]) {
      assert.throws(() => Object.defineProperty(target, "scopedEnv", { get: () => wider }), TypeError);
      assert.throws(() => Object.defineProperty(target, "handlerIdentity", { get: () => admin }), TypeError);
    }
    // A look-alike is no context either.
    const alike = Object.create(context, { scopedEnv: { value: wider }, handlerIdentity: { value: admin } });
    await assert.rejects(context.env.invoke("secret/read", null, alike), TypeError);
    return await context.invoke("secret/read", null);
  });
  await assert.rejects(run([greedy, secret]), failsWith("NOT_FOUND"));
});

Deno.test("an import or a session cannot answer for an operation of the node (call.md §18)", async () => {
  const own = once("users/role", () => "guest", { visibility: "internal" });
  const layer = new ConnectionLayer();
  layer.replace([imported("users/role", () => "admin")]);
  const session = new SessionLayer({
    authority: { label: "s", scopes: [], resources: {} },
    scope: { allowedOps: new Set(), peerPinned: new Set() },
  });
  session.add(once("users/role", () => "admin", { provenance: "session" }));
  assert.equal(await run([composing("users/role"), own], { layer }, { sessions: () => session }), "guest");
});

Deno.test("credentials are lent to operations of the node, not to imports, and not to a session (call.md §17 step 5)", async () => {
  const tell = (_input: JsonValue, context: OperationContext) => String(context.capabilities.get("bank") ?? "nothing");
  const holds: Stated = { capabilities: capabilitiesOf({ bank: "k" }) };
  const layer = new ConnectionLayer();
  layer.replace([imported("child/run", tell)]);
  assert.equal(await run([composing("child/run", holds)], { layer }), "nothing");
  assert.equal(await run([composing("child/run", holds), once("child/run", tell)]), "k");
  const session = new SessionLayer({
    authority: { label: "s", scopes: [], resources: {} },
    scope: { allowedOps: new Set(), peerPinned: new Set() },
  });
  session.add(once("child/run", tell, { provenance: "session" }));
  assert.equal(await run([composing("child/run", holds)], {}, { sessions: () => session }), "nothing");
});
