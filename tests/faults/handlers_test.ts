/**
 * Handlers that misbehave and peers that do not read: their own connection suffers, the node does not (core.md §4.2, §18
 * rows 8, 20).
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Endpoint, ListenOptions } from "../../core/endpoint/endpoint.ts";
import { router } from "../../core/endpoint/router.ts";
import type { Connection } from "../../core/handler/connection.ts";
import { defineHandler, type Handler } from "../../core/handler/handler.ts";
import { residentMemory } from "../support/proc.ts";
import { needs } from "../support/programs.ts";
import { IDLE, startNode } from "./node.ts";
import { dialTraffic, exchange, traffic } from "./traffic.ts";

type Transport = "quic" | "tls";

const TRANSPORTS: readonly Transport[] = ["quic", "tls"];
/** Close code of the endpoint for a handler that threw. */
const HANDLER_ERROR = 0x100;
/** What a peer that does not read may cost, in bytes: the windows of its streams, on both sides of the bridge. */
const HELD_AT_MOST = 64 * 1024 * 1024;
const BLOCK = 1000;

/** Handlers that throw, one way or another, once a first byte has come. */
const FAILURES: readonly (readonly [string, (connection: Connection) => Promise<void> | void])[] = [
  ["throws at once", () => {
    throw new Error("at once");
  }],
  ["rejects", () => Promise.reject(new Error("later"))],
  ["throws a string", () => {
    throw "a string";
  }],
  ["throws while a stream is open and being written", async (connection) => {
    for await (const { writable } of connection) {
      writable.getWriter().write(new Uint8Array(4_000_000)).catch(() => {});
      throw new Error("in the middle");
    }
  }],
];

for (const transport of TRANSPORTS) {
  for (const [behaviour, handle] of FAILURES) {
    Deno.test(`${transport}: a handler that ${behaviour} ends its own connection alone (§18 row 8)`, async () => {
      await using node = await listen(defineHandler({ alpns: ["test/bad"], handle }));
      await using good = await dial(node, transport);
      const bystander = exchange(good, { streams: 1, bytes: 1_000_000, seed: 1 });
      await using bad = await dial(node, transport, "test/bad");
      const stream = await bad.open().catch(() => undefined);
      await stream?.writable.getWriter().write(new Uint8Array(1)).catch(() => {});
      const { by, code, reason } = await bad.closed;
      if (transport === "quic") {
        assert.deepEqual({ by, code, reason }, { by: "peer", code: HANDLER_ERROR, reason: "handler error" });
      } else assert.match(by, /^(peer|error)$/);
      await bystander;
      await exchange(good, { streams: 0, bytes: 0, seed: 1 });
    });
  }

  Deno.test(`${transport}: a handler that never returns holds its own connection alone, until shutdown (§18 row 68)`, async () => {
    await using node = await listen(defineHandler({ alpns: ["test/bad"], handle: () => new Promise<void>(() => {}) }));
    await using bad = await dial(node, transport, "test/bad");
    await using good = await dial(node, transport);
    await exchange(good, { streams: 1, bytes: 100_000, seed: 1 });
    await node.shutdown({ drain: 0 });
    assert.match((await bad.closed).by, /^(peer|error)$/);
  });

  Deno.test(`${transport}: a handler that blocks the event loop for a second loses nothing`, async () => {
    let blocked = 0;
    const block = defineHandler({
      alpns: ["test/bad"],
      async handle(connection) {
        for await (const stream of connection) {
          const until = performance.now() + BLOCK;
          while (performance.now() < until) blocked++;
          await stream.readable.pipeTo(stream.writable);
        }
      },
    });
    await using node = await listen(block, { quic: { hangTimeout: 1500 } });
    await using good = await dial(node, transport);
    await using canary = await dial(node, "quic");
    await using bad = await dial(node, transport, "test/bad");
    const bystander = exchange(good, { streams: 1, bytes: 4_000_000, seed: 1 });
    const stream = await bad.open();
    const writer = stream.writable.getWriter();
    await writer.write(new TextEncoder().encode("before"));
    await writer.close();
    assert.equal(await new Response(stream.readable as ReadableStream<Uint8Array<ArrayBuffer>>).text(), "before");
    assert.ok(blocked > 0);
    await bystander;
    // An engine taken for hung would have taken this connection with it.
    await exchange(canary, { streams: 1, bytes: 1000, seed: 2 });
  });

  Deno.test({
    name: `${transport}: a peer that does not read costs a bounded amount of memory (§18 row 20)`,
    ...needs("linux"),
    async fn() {
      await using node = await startNode();
      const { hostname, port, fingerprint } = node;
      const pids = [node.pid, ...node.engines()];
      const memory = () => pids.reduce((sum, pid) => sum + residentMemory(pid), 0);
      await using warm = await dialTraffic({ hostname, port, fingerprint, transport });
      await exchange(warm, { streams: 1, bytes: 4_000_000, seed: 1 });
      const before = memory();
      // The node never reads, and offers as much again: nobody takes either.
      await using connection = await dialTraffic({ hostname, port, fingerprint, transport, alpn: IDLE });
      const streams = transport === "tls" ? 1 : 16;
      const written = await fill(connection, streams);
      assert.ok(memory() - before < HELD_AT_MOST, `${memory() - before} bytes for ${written} written`);
      assert.ok(written < HELD_AT_MOST, `${written} bytes were taken that nobody reads`);
      await exchange(warm, { streams: transport === "tls" ? 0 : 1, bytes: 100_000, seed: 2 });
      connection.close();
    },
  });
}

Deno.test("quic: a handler that leaks streams fills its own connection's credit alone", async () => {
  const kept: unknown[] = [];
  const leak = defineHandler({
    alpns: ["test/bad"],
    async handle(connection) {
      for await (const stream of connection) kept.push(stream);
    },
  });
  await using node = await listen(leak, { limits: { maxStreamsBidi: 32 } });
  await using bad = await dial(node, "quic", "test/bad");
  await using good = await dial(node, "quic");
  for (let n = 0; n < 32; n++) {
    const writer = (await bad.open()).writable.getWriter();
    await writer.write(new Uint8Array(1));
    await writer.close();
  }
  let opened = false;
  const more = bad.open().then(() => opened = true);
  // Streams that work come and go meanwhile, far more than the leaking connection had.
  for (let seed = 0; seed < 8; seed++) await exchange(good, { streams: 16, bytes: 100, seed });
  assert.equal(opened, false);
  assert.equal(kept.length, 32);
  bad.close();
  await assert.rejects(more, { code: "CONNECTION_CLOSED" });
});

function listen(bad: Handler<readonly ["test/bad"]>, options: ListenOptions = {}): Promise<Endpoint> {
  return router().use(traffic).use(bad).listen({ drain: 0, ...options });
}

function dial(node: Endpoint, transport: Transport, alpn?: string): Promise<Connection> {
  return dialTraffic({ ...node.addresses[0], fingerprint: node.fingerprint, transport, alpn });
}

/** Writes on streams until nothing is taken any more; returns the bytes taken. */
async function fill(connection: Connection, streams: number): Promise<number> {
  let taken = 0;
  const chunk = new Uint8Array(64 * 1024);
  for (let n = 0; n < streams; n++) {
    const writer = (await connection.open()).writable.getWriter();
    (async () => {
      while (taken <= 2 * HELD_AT_MOST) {
        await writer.write(chunk);
        taken += chunk.byteLength;
      }
    })().catch(() => {});
  }
  for (let last = -1, quiet = 0; quiet < 200; quiet = taken === last ? quiet + 1 : 0) {
    last = taken;
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return taken;
}
