/**
 * Layers above the node's own operations, and the set of peers: call.md §18, §19, §26 rows 130, 131, 133 to 135.
 *
 * @module
 */
import assert from "node:assert/strict";
import { ConnectionLayer, LayeredEnv, nodeRegistry, PeerSet, SessionLayer } from "@alknet/core/operations";
import { imported, once, TablePeer } from "./fixtures.ts";

const nothing = () => null;
const base = nodeRegistry([once("base/only", nothing), once("x/run", nothing)]);

function offering(id: string, ...names: string[]): TablePeer {
  const peer = new TablePeer(id);
  peer.registerImported(names.map((name) => imported(name, nothing)));
  return peer;
}

Deno.test("ConnectionLayer: replaces what is there wholly or not at all (call.md §18)", () => {
  const layer = new ConnectionLayer();
  layer.replace([imported("b/x", nothing), imported("a/x", nothing)]);
  assert.deepEqual([...layer.list()].map(({ spec }) => spec.name), ["a/x", "b/x"]);
  const twice = [imported("c/x", nothing), imported("c/x", nothing)];
  assert.throws(() => layer.replace(twice), { code: "SAME_PEER_COLLISION" });
  assert.throws(() => layer.replace([once("c/x", nothing)]), { code: "INVALID_OPERATION" });
  assert.ok(layer.find("a/x") && !layer.find("c/x"));
  layer.replace([imported("c/x", nothing)]);
  assert.ok(!layer.find("a/x") && layer.find("c/x"));
});

Deno.test("ConnectionLayer: holds nothing once its connection has ended (call.md §26 row 134)", () => {
  const layer = new ConnectionLayer();
  layer.replace([imported("a/x", nothing)]);
  layer.end();
  assert.equal(layer.find("a/x"), undefined);
  layer.replace([imported("a/x", nothing)]);
  assert.equal(layer.find("a/x"), undefined, "an import that comes late is not kept");
});

Deno.test("SessionLayer: an operation gets no more than its sandbox has (call.md §10.3)", () => {
  const session = new SessionLayer({
    authority: { label: "box", scopes: ["a", "b"], resources: { vm: ["start"] } },
    scope: { allowedOps: new Set(["x/run"]), peerPinned: new Set(["p/y/run"]) },
  });
  const own = (more: object = {}) => ({ ...once("s/run", nothing, { provenance: "session" }), ...more });
  const authority = (scopes: string[], resources = {}) => ({ authority: { label: "s", scopes, resources } });
  const scope = (allowed: string[], pinned: string[] = []) => ({
    scope: { allowedOps: new Set(allowed), peerPinned: new Set(pinned) },
  });
  const taken = [{}, authority(["a"]), authority([], { vm: ["start"] }), scope(["x/run"], ["p/y/run", "q/x/run"])];
  for (const more of taken) session.add(own(more));
  const refused = [
    authority(["c"]),
    authority([], { vm: ["stop"] }),
    authority([], { toString: [] }),
    scope(["y/run"]),
    scope([], ["q/y/run"]),
    { provenance: "local" },
  ];
  for (const more of refused) assert.throws(() => session.add(own(more)), { code: "INVALID_OPERATION" });
  assert.equal(session.find("s/run")?.spec.visibility, "internal", "whatever the declaration says");
  session.remove("s/run");
  session.remove("s/none");
  assert.deepEqual([...session.list()], []);
});

Deno.test("PeerSet: peers stand in the order of their first attachment (call.md §26 rows 130 and 133)", async () => {
  const peers = new PeerSet();
  const [a, b] = [offering("a", "x/run"), offering("b", "x/run")];
  peers.attach(a);
  peers.attach(b);
  const before = peers.current();
  const again = offering("a", "x/run", "x/more");
  peers.attach(again);
  assert.deepEqual([...peers.current().keys()], ["a", "b"], "a known peer keeps its place");
  assert.equal(peers.current().get("a"), again.layer);
  assert.equal(before.get("a"), a.layer, "a request goes on with what it saw");
  await a.close();
  assert.equal(peers.current().get("a"), again.layer, "the old connection's end leaves the new one alone");
  await again.close();

  assert.deepEqual([...peers.current().keys()], ["b"]);
  peers.attach(offering("a"));
  assert.deepEqual([...peers.current().keys()], ["b", "a"], "a detached peer comes back at the end");
  peers.detach(b);
  assert.deepEqual([...peers.current().keys()], ["a"]);
});

Deno.test("PeerSet: takes peers alone, and none named local (call.md §19.4, §20.3, §26 row 115)", () => {
  const peers = new PeerSet();
  assert.throws(() => peers.attach(new TablePeer("browser", {}, false)), { code: "NOT_A_PEER" });
  assert.throws(() => peers.attach(new TablePeer("local")), { code: "NOT_A_PEER" });
  assert.equal(peers.current().size, 0);
});

Deno.test("LayeredEnv: any takes the first peer, a named one itself (call.md §26 rows 130 and 131)", () => {
  const peers = new PeerSet();
  const [a, b] = [offering("a", "x/run"), offering("b", "x/run", "y/run")];
  peers.attach(a);
  peers.attach(b);
  const env = new LayeredEnv({ peers, base });
  assert.deepEqual(env.peerIds(), ["a", "b"]);
  assert.ok(env.contains("x/run") && env.contains("y/run") && env.contains("base/only") && !env.contains("z/run"));
  assert.ok(env.peerContains("b", "x/run") && !env.peerContains("a", "y/run"));
  assert.ok(!env.peerContains("a", "base/only"), "a named peer never falls through to the node");
  assert.ok(!env.peerContains("nobody", "x/run"));
  assert.deepEqual(env.peerOperations("b").map(({ name }) => name), ["x/run", "y/run"]);
  assert.deepEqual(env.peerOperations("nobody"), []);
});

Deno.test("LayeredEnv: sees the connection's own peer without a shared set (call.md §19.3)", () => {
  const own = offering("own", "x/run");
  const env = new LayeredEnv({ connection: own.layer, base });
  assert.deepEqual(env.peerIds(), ["own"]);
  assert.ok(env.peerContains("own", "x/run"));
});

Deno.test("LayeredEnv: a browser's operations are there, but it is no peer (call.md §26 row 135)", () => {
  const browser = new TablePeer("tab", {}, false);
  browser.registerImported([imported("tab/show", nothing)]);
  const peers = new PeerSet();
  peers.attach(offering("a", "x/run"));
  const env = new LayeredEnv({ connection: browser.layer, peers, base });
  assert.deepEqual(env.peerIds(), ["a"]);
  assert.ok(env.contains("tab/show"));
  assert.ok(!env.peerContains("tab", "tab/show"));
  assert.ok(!new LayeredEnv({ peers, base }).contains("tab/show"), "other connections do not see them");
});
