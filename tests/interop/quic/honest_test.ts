/**
 * Traffic that looks like an attack to careless counters, and is none: nobody may be closed for it.
 *
 * @module
 */
import "./warm.ts";
import assert from "node:assert/strict";
import { connect, type Connection } from "@alknet/core";
import type { BidiStream } from "@alknet/core/handler";
import { needs } from "../../support/programs.ts";
import { startPeer } from "../../support/python.ts";
import { startNode } from "./node.ts";
import { exchange } from "./witness.ts";

const MIB = 1024 * 1024;

interface Case {
  readonly title: string;
  readonly alpn: string;
  readonly run: (connection: Connection) => Promise<void>;
}

const CASES: readonly Case[] = [
  {
    title: "64 MiB up on one stream",
    alpn: "test/sink",
    async run(connection) {
      const stream = await connection.open();
      const chunk = new Uint8Array(MIB);
      const writer = stream.writable.getWriter();
      for (let i = 0; i < 64; i++) await writer.write(chunk);
      await writer.close();
      assert.equal(await text(stream), String(64 * MIB));
    },
  },
  {
    title: "64 MiB down on one stream",
    alpn: "test/source",
    async run(connection) {
      const stream = await connection.open();
      await stream.writable.getWriter().write(Uint8Array.of(1));
      const reader = stream.readable.getReader();
      for (let bytes = 0; bytes < 64 * MIB;) bytes += (await reader.read()).value!.byteLength;
    },
  },
  {
    title: "5,000 messages of 64 bytes there and back, one at a time",
    alpn: "test/echo",
    async run(connection) {
      const { readable, writable } = await connection.open();
      const writer = writable.getWriter();
      const reader = readable.getReader();
      const message = new Uint8Array(64);
      for (let i = 0; i < 5000; i++) {
        await writer.write(message);
        for (let bytes = 0; bytes < message.byteLength;) bytes += (await reader.read()).value!.byteLength;
      }
    },
  },
  {
    title: "50,000 messages of 64 bytes one way",
    alpn: "test/sink",
    async run(connection) {
      const stream = await connection.open();
      const writer = stream.writable.getWriter();
      const message = new Uint8Array(64);
      for (let i = 0; i < 50_000; i++) await writer.write(message);
      await writer.close();
      assert.equal(await text(stream), String(50_000 * 64));
    },
  },
  {
    title: "2,000 streams of one small message each",
    alpn: "test/echo",
    async run(connection) {
      for (let i = 0; i < 2000; i += 100) await Promise.all(Array.from({ length: 100 }, () => exchange(connection)));
    },
  },
  {
    title: "windows full of what a handler does not read",
    alpn: "test/deaf",
    async run(connection) {
      // Sixteen streams of a mebibyte fill the first window of the connection; nobody waits for the rest.
      const streams = await Promise.all(Array.from({ length: 20 }, () => connection.open()));
      for (const { writable } of streams) {
        const writer = writable.getWriter();
        writer.write(new Uint8Array(2 * MIB)).catch(() => {});
      }
    },
  },
  {
    title: "20,000 datagram messages of 1000 bytes",
    alpn: "test/echo",
    async run({ datagrams }) {
      for (let i = 0; i < 20_000; i++) {
        datagrams!.send(new Uint8Array(1000));
        if (i % 100 === 0) await passed(0);
      }
    },
  },
];

for (const { title, alpn, run } of CASES) {
  Deno.test(`QUIC defence lets pass: ${title}`, async () => {
    await using node = await startNode();
    const [{ hostname, port }] = node.addresses;
    await using connection = await connect(`${hostname}:${port}`, alpn, { transport: "quic", insecure: true });
    await run(connection);
    // Counters are looked at once a second; let that happen twice.
    await passed(2);
    assert.deepEqual(node.stats().refused, {});
    assert.equal([...node.connections()].length, 1);
    connection.close();
    await connection.closed;
  });
}

Deno.test({
  name: "QUIC defence lets pass: 20 MB each way with aioquic, in packets of 1200 bytes",
  ...needs("python"),
  async fn() {
    await using node = await startNode();
    await using peer = startPeer("quic_client.py");
    const [{ port }] = node.addresses;
    const answer = await peer.ask({ port, scenario: "bulk", streams: 4, size: 5_000_000 });
    assert.deepEqual(answer, { same: 4, alpn: "test/echo" });
  },
});

async function text({ readable }: BidiStream): Promise<string> {
  return await new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>).text();
}

/** Resolves when the clock of the engine's inspections has gone on by some seconds: they are what is tested. */
function passed(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
