/**
 * QUIC, and TCP beside it, over a cable between two network namespaces: the kernel's own faults, a small MTU, a pulled
 * plug (core.md §6.1, §13).
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Limits } from "../../core/limits/limits.ts";
import { needs } from "../support/programs.ts";
import { seeded } from "../support/random.ts";
import { type ClientResult, startClient } from "./client.ts";
import { LINK_CASES } from "./link_cases.ts";
import { type Cable, layCable, NODE } from "./namespaces.ts";
import { type NodeOptions, startNode } from "./node.ts";
import type { Load, TrafficDial } from "./traffic.ts";

interface PathCase {
  readonly name: string;
  readonly node?: NodeOptions;
  readonly to?: Partial<TrafficDial>;
}

/** Datagrams that fit, that are cut into two fragments, and into seven. */
const PATHS_OF_1280: readonly PathCase[] = [
  { name: "the default datagram size" },
  { name: "datagrams of 1200 bytes", node: { quic: { datagramSize: 1200 } }, to: { datagramSize: 1200 } },
  { name: "datagrams of 8900 bytes", node: { quic: { datagramSize: 8900 } }, to: { datagramSize: 8900 } },
  { name: "datagrams over node:dgram", node: { quic: { udp: "node" } }, to: { udp: "node" } },
  { name: "TCP", to: { transport: "tls" } },
];

for (const { name, netem, bytes } of LINK_CASES) {
  Deno.test({
    name: `quic: every byte arrives once and in order over a cable with ${name}`,
    ...needs("linux", "netem", "ip", "tc"),
    async fn() {
      const { seed } = seeded(`cable, ${name}`);
      await using cable = await layCable();
      await cable.shape(`netem ${netem}`);
      assert.deepEqual(await run(cable, {}, {}, { streams: 4, bytes, seed }), { event: "done" });
    },
  });
}

for (const { name, node = {}, to = {} } of PATHS_OF_1280) {
  Deno.test({
    name: `a path with an MTU of 1280 bytes is no black hole: ${name}`,
    ...needs("linux", "netns", "ip"),
    async fn() {
      await using cable = await layCable();
      await cable.mtu(1280);
      // TCP carries one stream a connection.
      const streams = to.transport === "tls" ? 1 : 4;
      assert.deepEqual(await run(cable, node, to, { streams, bytes: 500_000, seed: 7 }), { event: "done" });
    },
  });
}

Deno.test({
  name: "quic: a plug pulled for 12 s loses nothing; for 30 s, the idle time, all arrives or both sides time out (§13)",
  ...needs("linux", "netns", "ip"),
  async fn() {
    const [short, long] = await Promise.all([12_000, 30_000].map((ms) => unplugged(ms)));
    assert.deepEqual(short, { client: { event: "done" }, server: "peer" });
    if (long.client.event === "done") return;
    assert.equal(long.client.by, "timeout");
    assert.equal(long.client.code, "CONNECTION_CLOSED");
    assert.equal(long.server, "timeout");
  },
});

/** Pulls the plug in the middle of the traffic, with the limits as they are by default. */
async function unplugged(ms: number): Promise<{ client: ClientResult; server: unknown }> {
  await using cable = await layCable();
  await cable.shape("tbf rate 40mbit burst 32kbit latency 50ms");
  await using node = await startNode({ listen: `${NODE}:4433`, transports: ["quic"], watch: true }, cable.inNode);
  const to: TrafficDial = { hostname: NODE, port: 4433, fingerprint: node.fingerprint };
  await using client = startClient({ to, load: { streams: 4, bytes: 4_000_000, seed: ms } }, cable.inClient);
  await client.line('{"event":"connected"}');
  await cable.plug(false);
  await new Promise((resolve) => setTimeout(resolve, ms));
  await cable.plug(true);
  const result = JSON.parse(await client.line(/^\{"event":"(done|failed)"/)) as ClientResult;
  const { by } = JSON.parse(await node.child.line('{"event":"closed"'));
  return { client: result, server: by };
}

async function run(cable: Cable, node: NodeOptions, to: Partial<TrafficDial>, load: Load): Promise<ClientResult> {
  const limits: Partial<Limits> = { idleTimeout: 30_000 };
  await using running = await startNode({ listen: `${NODE}:4433`, limits, ...node }, cable.inNode);
  const { fingerprint } = running;
  const dial: TrafficDial = { hostname: NODE, port: 4433, fingerprint, limits, ...to };
  await using client = startClient({ to: dial, load }, cable.inClient);
  await client.line('{"event":"connected"}');
  return JSON.parse(await client.line(/^\{"event":"(done|failed)"/)) as ClientResult;
}
