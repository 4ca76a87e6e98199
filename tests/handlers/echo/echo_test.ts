import assert from "node:assert/strict";
import {
  type BidiStream,
  type Connection,
  ConnectionClosedError,
  memoryPair,
  StreamClosedError,
} from "@alknet/core/handler";
import { echo, ECHO_ALPN } from "@alknet/handlers/echo";
import { LinkedConnection } from "../../../core/handler/connection.ts";
import { contextOf } from "../context.ts";

/** A dialling side whose other end the echo handler serves; closed and waited for at the end. */
function serve(options: { singleStream?: boolean; window?: number } = {}, signal = new AbortController().signal) {
  const [client, server] = memoryPair(ECHO_ALPN, options);
  const handled = Promise.resolve(echo().handle(server, contextOf(signal)));
  return {
    client,
    handled,
    async [Symbol.asyncDispose]() {
      client.close();
      await handled;
    },
  };
}

function pattern(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 255);
}

async function roundTrip(stream: BidiStream, bytes: Uint8Array, chunk: number): Promise<Uint8Array> {
  const reading = new Response(stream.readable as ReadableStream<Uint8Array<ArrayBuffer>>).bytes();
  const writer = stream.writable.getWriter();
  for (let at = 0; at < bytes.byteLength; at += chunk) await writer.write(bytes.subarray(at, at + chunk));
  await writer.close();
  return await reading;
}

for (const singleStream of [false, true]) {
  for (const [size, chunk] of [[0, 1], [1, 1], [1000, 7], [10 * 1024 * 1024, 65_537]]) {
    const kind = singleStream ? "single-stream" : "multi-stream";
    Deno.test(`alknet/echo over a ${kind} pair returns ${size} bytes and a clean end (core.md §18 rows 18, 24)`, async () => {
      await using pair = serve({ singleStream });
      const bytes = pattern(size);
      assert.deepEqual(await roundTrip(await pair.client.open(), bytes, chunk), bytes);
    });
  }
}

Deno.test("alknet/echo serves 50 streams at once, each its own bytes (core.md §18 row 13)", async () => {
  await using pair = serve();
  await Promise.all(Array.from({ length: 50 }, async (_, i) => {
    const bytes = pattern(1000 + i);
    assert.deepEqual(await roundTrip(await pair.client.open(), bytes, 100), bytes);
  }));
});

Deno.test("alknet/echo resets back with the peer's code, and other streams go on (core.md §18 row 19)", async () => {
  await using pair = serve();
  const cut = await pair.client.open();
  const other = await pair.client.open();
  await cut.writable.getWriter().write(pattern(10));
  cut.reset(7);
  await assert.rejects(
    new Response(cut.readable as ReadableStream<Uint8Array<ArrayBuffer>>).bytes(),
    (error) => error instanceof StreamClosedError && error.errorCode === 7,
  );
  assert.deepEqual(await roundTrip(other, pattern(99), 10), pattern(99));
});

Deno.test("alknet/echo stops its input with the code that its output was stopped with (core.md §18 row 19)", async () => {
  await using pair = serve();
  const stream = await pair.client.open();
  const writer = stream.writable.getWriter();
  const closed = assert.rejects(writer.closed, (error) => error instanceof StreamClosedError && error.errorCode === 9);
  stream.stop(9);
  // The echo notices when it next writes.
  await writer.write(pattern(10)).catch(() => {});
  await closed;
});

Deno.test("alknet/echo holds a writer whose peer does not read (core.md §18 row 20)", async () => {
  const window = 16 * 1024;
  await using pair = serve({ window });
  const stream = await pair.client.open();
  const writer = stream.writable.getWriter();
  const bytes = pattern(window);
  let written = 0;
  // Two windows and what the two pipes hold between them fit; a writer that were never held would pass 64.
  const writing = (async () => {
    while (written < 64 * window) {
      await writer.write(bytes);
      written += bytes.byteLength;
    }
    await writer.close();
  })();
  for (let turn = 0; turn < 1000; turn++) await Promise.resolve();
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  assert.ok(written <= 6 * window, `${written} bytes were taken from the writer before the reader took any`);
  let read = 0;
  for await (const chunk of stream.readable) read += chunk.byteLength;
  await writing;
  assert.equal(read, 64 * window);
});

Deno.test("alknet/echo returns datagrams", async () => {
  const incoming = new TransformStream<Uint8Array, Uint8Array>();
  const sent: number[] = [];
  const datagrams = {
    maxSize: 1200,
    send: (message: Uint8Array) => void sent.push(...message),
    readable: incoming.readable,
  };
  const server: LinkedConnection = new LinkedConnection(
    {
      alpn: ECHO_ALPN,
      peer: {},
      remoteAddress: { hostname: "127.0.0.1", port: 1 },
      transport: "memory",
      dialled: false,
    },
    {
      open: () => Promise.reject(new Error("unused")),
      openSend: () => Promise.reject(new Error("unused")),
      close: () => {},
      finish: () => Promise.resolve(),
      stats: () => ({ bytesReceived: 0, bytesSent: 0 }),
    },
    datagrams,
  );
  const handled = echo().handle(server, contextOf(new AbortController().signal));
  const writer = incoming.writable.getWriter();
  for (const byte of [1, 2, 3]) await writer.write(Uint8Array.of(byte));
  await writer.close();
  server.close();
  await handled;
  assert.deepEqual(sent, [1, 2, 3]);
});

Deno.test("alknet/echo returns when the connection ends, whoever ends it", async () => {
  for (
    const end of [(c: Connection, _s: Connection) => c.close(3, "bye"), (_c: Connection, s: Connection) => s.close()]
  ) {
    const [client, server] = memoryPair(ECHO_ALPN);
    const handled = echo().handle(server, contextOf(new AbortController().signal));
    const stream = await client.open();
    await stream.writable.getWriter().write(pattern(5));
    end(client, server);
    await handled;
    await assert.rejects(client.open(), ConnectionClosedError);
  }
});

Deno.test("alknet/echo finishes what runs at shutdown and takes nothing new (core.md §5, §14)", async () => {
  const shutdown = new AbortController();
  await using pair = serve({}, shutdown.signal);
  const running = await pair.client.open();
  const writer = running.writable.getWriter();
  const reader = running.readable.getReader();
  await writer.write(pattern(3));
  assert.equal((await reader.read()).value?.byteLength, 3);
  shutdown.abort("shutdown");
  const late = await pair.client.open();
  await assert.rejects(late.readable.getReader().read(), StreamClosedError);
  await writer.write(pattern(4));
  assert.equal((await reader.read()).value?.byteLength, 4);
  await writer.close();
  assert.equal((await reader.read()).done, true);
  await pair.handled;
});
