/**
 * What idle connections cost a node: measured, for the test that holds the counts and for the benchmark that reports.
 *
 * @module
 */
import { cpuTime, residentMemory } from "../support/proc.ts";
import { startIdle } from "./idle_client.ts";
import { IDLE, type NodeStats, ROOMY, startNode, type TestNode } from "./node.ts";
import { dialTraffic, exchange } from "./traffic.ts";

/** The figures. Sizes in bytes, CPU time in milliseconds. */
export interface IdleCost {
  /** Connections that the node reports. */
  readonly connections: number;
  /** Of these, lost until the end. */
  readonly lost: number;
  /** Resident memory of the node process for each connection. */
  readonly nodePerConnection: number;
  /** Resident memory of the engine process for each connection: quiche's and ours. */
  readonly enginePerConnection: number;
  /** JavaScript heap for each connection, of node and engine together, measured in one process. */
  readonly heapPerConnection: number;
  /** CPU time of node and engine for one exchange, with no idle connection and with all. */
  readonly cpuAlone: number;
  readonly cpuBeside: number;
  /** CPU time of node and engine in a second in which nothing happens but idle connections. */
  readonly cpuIdle: number;
}

/** Longer than any test. */
const PATIENCE = 600_000;
const WARM_UP = 64;
const EXCHANGE = { streams: 4, bytes: 4_000_000 };

/** Measures a node with this many idle QUIC connections. */
export async function idleCost(count: number): Promise<IdleCost> {
  await using node = await startNode({ limits: { ...ROOMY, idleTimeout: PATIENCE } });
  const [engine] = node.engines();
  const to = { hostname: node.hostname, port: node.port };
  await using _warm = await startIdle({ to, alpn: IDLE, connections: WARM_UP });
  await activeCpu(node, engine);
  const cpuAlone = await activeCpu(node, engine);
  const before = { ...await statsWith(node, WARM_UP), node: residentMemory(node.pid), engine: residentMemory(engine) };
  await using idle = await startIdle({ to, alpn: IDLE, connections: count });
  const after = {
    ...await statsWith(node, WARM_UP + count),
    node: residentMemory(node.pid),
    engine: residentMemory(engine),
  };
  const cpuBeside = await activeCpu(node, engine);
  const cpuIdle = await quietCpu(node, engine);
  await idle.write("count\n");
  const { lost } = await idle.json<{ lost: number }>();
  return {
    connections: after.connections[IDLE] - before.connections[IDLE],
    lost,
    nodePerConnection: (after.node - before.node) / count,
    enginePerConnection: (after.engine - before.engine) / count,
    heapPerConnection: await heapPerConnection(count),
    cpuAlone,
    cpuBeside,
    cpuIdle,
  };
}

/** With the engine in the node's process, whose heap then holds all that is ours. */
async function heapPerConnection(count: number): Promise<number> {
  await using node = await startNode({
    limits: { ...ROOMY, idleTimeout: PATIENCE },
    transports: ["quic"],
    quic: { engine: "in-process" },
  });
  const to = { hostname: node.hostname, port: node.port };
  await using _warm = await startIdle({ to, alpn: IDLE, connections: WARM_UP });
  const before = await statsWith(node, WARM_UP);
  await using _idle = await startIdle({ to, alpn: IDLE, connections: count });
  const after = await statsWith(node, WARM_UP + count);
  return (after.heap - before.heap) / count;
}

/** The node's figures once it has this many idle connections: it learns of a connection a moment after its client. */
async function statsWith(node: TestNode, connections: number): Promise<NodeStats> {
  for (;;) {
    const stats = await node.stats();
    if ((stats.connections[IDLE] ?? 0) >= connections) return stats;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function activeCpu(node: TestNode, engine: number): Promise<number> {
  const { hostname, port, fingerprint } = node;
  await using connection = await dialTraffic({ hostname, port, fingerprint });
  const before = cpuTime(node.pid) + cpuTime(engine);
  await exchange(connection, { ...EXCHANGE, seed: 1 });
  return cpuTime(node.pid) + cpuTime(engine) - before;
}

async function quietCpu(node: TestNode, engine: number): Promise<number> {
  const before = cpuTime(node.pid) + cpuTime(engine);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  return cpuTime(node.pid) + cpuTime(engine) - before;
}
