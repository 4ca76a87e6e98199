/**
 * A peer that is killed (`kill -9`): the other side knows within its idle time (core.md §18 row 25).
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Limits } from "../../core/limits/limits.ts";
import { needs } from "../support/programs.ts";
import { isAlive } from "../support/proc.ts";
import { type ClientOptions, startClient } from "./client.ts";
import { startNode } from "./node.ts";
import { dialTraffic, exchange } from "./traffic.ts";

const LIMITS: Partial<Limits> = { idleTimeout: 2000, keepAlive: 500 };
/** Far more than can be carried before the kill. */
const ENDLESS = 2 ** 31;

for (const transport of ["quic", "tls"] as const) {
  Deno.test({
    name: `${transport}: a killed client is noticed by the node, whose other connections go on (row 25)`,
    ...needs("linux"),
    async fn() {
      await using node = await startNode({ limits: LIMITS, watch: true });
      const to = { ...addressOf(node), limits: LIMITS, transport };
      await using other = await dialTraffic(to);
      const options: ClientOptions = { to, load: { streams: 1, bytes: ENDLESS, seed: 1 } };
      await using client = startClient(options, [], { signal: "SIGKILL" });
      await client.line('{"event":"connected"}');
      client.kill("SIGKILL");
      const { by } = JSON.parse(await node.child.line('{"event":"closed"'));
      assert.match(by, transport === "quic" ? /^timeout$/ : /^(timeout|error)$/);
      await exchange(other, { streams: 1, bytes: 100_000, seed: 2 });
    },
  });

  Deno.test({
    name: `${transport}: a killed node is noticed by its client, and takes its engine with it (row 25)`,
    ...needs("linux"),
    async fn() {
      await using node = await startNode({ limits: LIMITS });
      const engines = node.engines();
      await using connection = await dialTraffic({ ...addressOf(node), limits: LIMITS, transport });
      const ended = assert.rejects(exchange(connection, { streams: 1, bytes: ENDLESS, seed: 1 }));
      node.child.kill("SIGKILL");
      const { by } = await connection.closed;
      // Over TCP the kernel says so at once; over UDP nobody does.
      assert.match(by, transport === "quic" ? /^timeout$/ : /^(timeout|error)$/);
      await ended;
      await node.child.status;
      while (engines.some(isAlive)) await new Promise((resolve) => setTimeout(resolve, 10));
    },
  });
}

function addressOf({ hostname, port, fingerprint }: { hostname: string; port: number; fingerprint: string }): {
  hostname: string;
  port: number;
  fingerprint: string;
} {
  return { hostname, port, fingerprint };
}
