/**
 * Everything at once, for a while: dials, streams of any length, resets, stops, cuts and kills, over both transports; and
 * at the end nothing of it is left. `ALKNET_SOAK` sets the seconds.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { DialError } from "../../core/errors.ts";
import type { Connection } from "../../core/handler/connection.ts";
import type { Limits } from "../../core/limits/limits.ts";
import { descriptors, residentMemory } from "../support/proc.ts";
import { needs } from "../support/programs.ts";
import { type Random, seeded } from "../support/random.ts";
import { startClient } from "./client.ts";
import { ROOMY, startNode, type TestNode } from "./node.ts";
import { dialTraffic, exchange, type TrafficDial } from "./traffic.ts";

const SECONDS = Number(Deno.env.get("ALKNET_SOAK") ?? 20);
const WORKERS = 4;
/** As many as the node takes: dialled all at once at the end, they find out whether a place was lost for good. */
const PLACES = 256;
const LIMITS: Partial<Limits> = {
  ...ROOMY,
  maxConnections: PLACES,
  maxConnectionsPerAddress: PLACES,
  // Longer than a machine of two cores under all of this lets a handshake wait.
  handshakeTimeout: 20_000,
  idleTimeout: 10_000,
  keepAlive: 2000,
};
/** A guard against hanging, several times the time limits above, in milliseconds. */
const PATIENCE = 60_000;
/** What a node and its engine may have gained, in bytes: heap that the collector has not returned. */
const GAIN_AT_MOST = 192 * 1024 * 1024;
/** Descriptors that come and go by themselves. */
const SPARE_DESCRIPTORS = 2;

/** What a node and its engine have, in descriptors and bytes. */
type Holdings = Readonly<
  Record<"nodeDescriptors" | "engineDescriptors" | "nodeMemory" | "engineMemory", number>
>;

type Act = (to: TrafficDial, random: Random) => Promise<void>;

/** The longest wait for a connection, in milliseconds, refused and given up ones included. */
const slowest = { quic: 0, tls: 0 };

async function dial(to: TrafficDial, signal?: AbortSignal): Promise<Connection> {
  const started = performance.now();
  try {
    return await dialTraffic(to, signal);
  } finally {
    const transport = to.transport ?? "quic";
    slowest[transport] = Math.max(slowest[transport], Math.round(performance.now() - started));
  }
}

/** What a client may do; each leaves the node to clean up in another way. */
const ACTS: Readonly<Record<string, Act>> = {
  async converse(to, random) {
    await using connection = await dial(to);
    for (let rounds = to.transport === "tls" ? 1 : random.between(1, 4); rounds > 0; rounds--) {
      await exchange(connection, load(to, random));
    }
  },
  async closeInTheMiddle(to, random) {
    const connection = await dial(to);
    const going = exchange(connection, { ...load(to, random), bytes: 2_000_000 }).catch(expected);
    await turns(random.below(50));
    connection.close(random.below(1000), "in the middle");
    await going;
  },
  async resetAndStop(to, random) {
    await using connection = await dial(to);
    for (let streams = to.transport === "tls" ? 1 : random.between(1, 20); streams > 0; streams--) {
      const stream = await connection.open();
      const writer = stream.writable.getWriter();
      writer.closed.catch(() => {});
      // A head that asks for a megabyte, then some bytes or none.
      await writer.write(Uint8Array.of(0, 0, 0, 1, 0, 16, 0, 0)).catch(expected);
      writer.write(random.bytes(random.below(100_000))).catch(expected);
      await turns(random.below(5));
      if (random.chance(0.7)) stream.reset(random.below(1000));
      if (random.chance(0.7)) stream.stop(random.below(1000));
    }
    connection.close();
  },
  async openAndForget(to, random) {
    const connection = await dial(to);
    for (let streams = to.transport === "tls" ? 1 : random.between(1, 50); streams > 0; streams--) {
      (await connection.open()).writable.getWriter().write(random.bytes(random.between(1, 3000))).catch(expected);
    }
    await turns(random.below(20));
    connection.close();
  },
  async askForNothingServed(to) {
    await assert.rejects(dial({ ...to, alpn: "test/absent" }), (error: DialError) => {
      assert.equal(error.code, "ALPN_REFUSED", `over ${to.transport}: ${error.message}`);
      return true;
    });
  },
  async giveUpDialling(to, random) {
    const controller = new AbortController();
    const dialling = dial(to, controller.signal).then((connection) => connection.close(), () => {});
    await turns(random.below(10));
    controller.abort();
    await dialling;
  },
};

Deno.test({
  name: `a node after ${SECONDS} s of everything at once holds what it held before`,
  ...needs("linux"),
  async fn() {
    const random = seeded("soak");
    await using node = await startNode({ limits: LIMITS });
    const [engine] = node.engines();
    const { hostname, port, fingerprint } = node;
    const to: TrafficDial = { hostname, port, fingerprint, limits: LIMITS };
    for (const transport of ["quic", "tls"] as const) {
      for (const act of Object.values(ACTS)) await act({ ...to, transport }, random);
    }
    await settled(node);
    const before = holdings(node, engine);

    const until = performance.now() + SECONDS * 1000;
    const counts: Record<string, number> = {};
    const worker = async (): Promise<void> => {
      while (performance.now() < until) {
        const name = random.pick(Object.keys(ACTS));
        const transport = random.pick(["quic", "quic", "tls"] as const);
        counts[name] = (counts[name] ?? 0) + 1;
        await ACTS[name]({ ...to, transport, datagramSize: random.pick([1200, 1350, 8900, 32_768]) }, random);
      }
    };
    try {
      await Promise.all([...Array.from({ length: WORKERS }, worker), killClients(to, until)]);
    } finally {
      console.log(counts, "slowest dials", slowest);
    }
    await settled(node);
    const after = await leftOver(node, engine, before);
    console.log(before, after);

    assert.deepEqual(node.engines(), [engine], "the engine was replaced");
    assert.ok(!holdsMore(after, before), "descriptors leak");
    assert.ok(after.nodeMemory - before.nodeMemory < GAIN_AT_MOST, "the node's memory grew");
    assert.ok(after.engineMemory - before.engineMemory < GAIN_AT_MOST, "the engine's memory grew");
    await everyPlaceIsFree(to);
  },
});

/** Clients that are killed in the middle, one after another. */
async function killClients(to: TrafficDial, until: number): Promise<void> {
  while (performance.now() < until) {
    for (const transport of ["quic", "tls"] as const) {
      const load = { streams: 1, bytes: 2 ** 31, seed: 1 };
      await using client = startClient({ to: { ...to, transport }, load }, [], { signal: "SIGKILL" });
      await client.line('{"event":"connected"}');
    }
  }
}

/** Waits until the node has no connection; those of killed clients last for the idle time. */
async function settled(node: TestNode): Promise<void> {
  for (;;) {
    const { connections } = await node.stats();
    if (Object.keys(connections).length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What is held once it is no more than before; those of dials that were given up last for the handshake time. */
async function leftOver(node: TestNode, engine: number, before: Holdings): Promise<Holdings> {
  const until = performance.now() + PATIENCE;
  for (;;) {
    const now = holdings(node, engine);
    if (!holdsMore(now, before) || performance.now() > until) return now;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function holdsMore(now: Holdings, before: Holdings): boolean {
  return now.nodeDescriptors > before.nodeDescriptors + SPARE_DESCRIPTORS ||
    now.engineDescriptors > before.engineDescriptors;
}

/** Dials for every place of the engine and of the node; those of dials that were given up last for the handshake time. */
async function everyPlaceIsFree(to: TrafficDial): Promise<void> {
  const until = performance.now() + PATIENCE;
  // What a try took is free a while after it; one that comes sooner would find some of that taken, and so on for ever.
  for (let pause = 500;; pause *= 2) {
    const dialled = await Promise.allSettled(Array.from({ length: PLACES }, () => dialTraffic(to)));
    const connections = dialled.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    for (const connection of connections) connection.close();
    if (connections.length === PLACES) return;
    assert.ok(performance.now() < until, `only ${connections.length} of ${PLACES} places are free`);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}

function holdings(node: TestNode, engine: number): Holdings {
  return {
    nodeDescriptors: descriptors(node.pid),
    engineDescriptors: descriptors(engine),
    nodeMemory: residentMemory(node.pid),
    engineMemory: residentMemory(engine),
  };
}

function load({ transport }: TrafficDial, random: Random): { streams: number; bytes: number; seed: number } {
  const streams = transport === "tls" ? 1 : random.between(1, 8);
  return { streams, bytes: random.pick([0, 1, 100, 16_384, 300_000]), seed: random.uint32() };
}

/** Lets the event loop turn a number of times. */
async function turns(count: number): Promise<void> {
  for (; count > 0; count--) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** What a stream or connection that is cut short may reject with. */
function expected(error: unknown): void {
  const { code } = error as { code?: string };
  assert.ok(code === "CONNECTION_CLOSED" || code === "STREAM_CLOSED", `unexpected end: ${error}`);
}
