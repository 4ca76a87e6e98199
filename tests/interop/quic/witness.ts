/**
 * What an engine process goes through while somebody misbehaves, and whether an honest client beside it notices.
 *
 * @module
 */
import assert from "node:assert/strict";
import { connect, type Connection, type Endpoint } from "@alknet/core";
import { childrenOf, cpuTime, residentMemory } from "../../support/proc.ts";

/** The cost of something to an engine. */
export interface Cost {
  /** Growth of resident memory at its highest, in bytes. */
  readonly memory: number;
  /** CPU time, in milliseconds. */
  readonly cpu: number;
  /** Exchanges that the honest client had meanwhile. */
  readonly echoes: number;
}

const SAMPLE_INTERVAL = 20;
const ENGINE = "quic/engine/main.ts";

/** Watches the engine of a node, and echoes beside it, while `action` runs. Fails if the honest client sees an error. */
export async function witness(node: Endpoint, action: () => Promise<void>): Promise<Cost> {
  const pid = engineOf(node);
  await using connection = await dialHonest(node);
  // What is loaded and compiled at the first use is no growth.
  for (let i = 0; i < 20; i++) await exchange(connection);
  const memory = residentMemory(pid);
  const cpu = cpuTime(pid);
  let peak = memory;
  let echoes = 0;
  let running = true;
  const sampler = setInterval(() => {
    peak = Math.max(peak, residentMemory(pid));
  }, SAMPLE_INTERVAL);
  const honest = (async () => {
    while (running) {
      await exchange(connection);
      echoes++;
    }
  })();
  honest.catch(() => {});
  try {
    await action();
  } finally {
    running = false;
    clearInterval(sampler);
  }
  await honest;
  assert.ok(echoes > 0, "the honest client had no exchange");
  return { memory: Math.max(peak, residentMemory(pid)) - memory, cpu: cpuTime(pid) - cpu, echoes };
}

/** An honest client of a node, from an address that no hostile one uses. */
export function dialHonest(node: Endpoint, alpn = "test/echo"): Promise<Connection> {
  const [{ hostname, port }] = node.addresses;
  return connect(`${node.nodeId}@${hostname}:${port}`, alpn === "test/echo" ? "alknet/test-echo" : alpn, {
    transport: "quic",
    insecure: true,
  });
}

/** One message there and back, each on a stream of its own. */
export async function exchange(connection: Connection, message = "hello"): Promise<void> {
  const { readable, writable } = await connection.open();
  const [answer] = await Promise.all([
    new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>).text(),
    new Blob([message]).stream().pipeTo(writable),
  ]);
  assert.equal(answer, message);
}

/** Process id of a node's engine: among our children, the one that holds the port. */
export function engineOf(node: Endpoint): number {
  const port = node.addresses[0].port.toString(16).toUpperCase().padStart(4, "0");
  const inodes = Deno.readTextFileSync("/proc/net/udp").split("\n").map((line) => line.trim().split(/\s+/))
    .filter(([, local]) => local?.endsWith(`:${port}`)).map((fields) => `socket:[${fields[9]}]`);
  const pid = childrenOf(Deno.pid).find((pid) => isEngine(pid) && holds(pid, inodes));
  assert.ok(pid !== undefined, "the node has no engine process");
  return pid;
}

function isEngine(pid: number): boolean {
  return Deno.readTextFileSync(`/proc/${pid}/cmdline`).includes(ENGINE);
}

function holds(pid: number, sockets: readonly string[]): boolean {
  for (const { name } of Deno.readDirSync(`/proc/${pid}/fd`)) {
    try {
      if (sockets.includes(Deno.readLinkSync(`/proc/${pid}/fd/${name}`))) return true;
    } catch { /* closed meanwhile */ }
  }
  return false;
}
