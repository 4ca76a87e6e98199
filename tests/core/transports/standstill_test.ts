import assert from "node:assert/strict";
import type { LinkedConnection } from "../../../core/handler/connection.ts";
import { quicServer } from "./quic/support.ts";
import { tlsServer } from "./tls/support.ts";

const SERVERS = {
  tls: tlsServer,
  quic: () => quicServer(),
  "quic, engine process": () => quicServer({ quic: { engine: "process" } }),
} as const;
const CLIENTS = 24;
const SIZE = 4 * 1024 * 1024;

for (const [name, serve] of Object.entries(SERVERS)) {
  Deno.test(`${name}: clients that send and do not read stand still, and go on when they read`, async () => {
    await using server = await serve();
    const accepted: LinkedConnection[] = [];
    const clients: LinkedConnection[] = [];
    const serving: Promise<void>[] = [];
    for (let n = 0; n < CLIENTS; n++) {
      clients.push(await server.dial());
      const connection = await server.next();
      accepted.push(connection);
      serving.push(echoOf(connection));
    }
    const streams = await Promise.all(clients.map((client) => client.open()));
    const sending = streams.map(async ({ writable }) => {
      const writer = writable.getWriter();
      for (let at = 0; at < SIZE; at += 64 * 1024) await writer.write(new Uint8Array(64 * 1024).fill(at >> 16));
      await writer.close();
    });
    await standing(() => accepted.reduce((sum, connection) => sum + connection.stats().bytesReceived, 0));
    const got = await Promise.all(streams.map(async ({ readable }) => {
      let bytes = 0;
      for await (const chunk of readable) {
        assert.equal(chunk[0], (bytes >> 16) & 255);
        bytes += chunk.byteLength;
      }
      return bytes;
    }));
    assert.deepEqual(got, Array(CLIENTS).fill(SIZE));
    await Promise.all(sending);
    await Promise.all(clients.map((client) => client[Symbol.asyncDispose]()));
    await Promise.all(serving);
  });
}

async function echoOf(connection: LinkedConnection): Promise<void> {
  for await (const { readable, writable } of connection) await readable.pipeTo(writable);
  await connection[Symbol.asyncDispose]();
}

/** Waits until a value has stood for a while. */
async function standing(value: () => number): Promise<void> {
  for (let last = -1; last !== value();) {
    last = value();
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}
