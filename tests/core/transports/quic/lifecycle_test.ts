import assert from "node:assert/strict";
import type { AlknetError } from "../../../../core/errors.ts";
import type { LinkedConnection } from "../../../../core/handler/connection.ts";
import { DEFAULT_LIMITS } from "../../../../core/limits/limits.ts";
import { STREAM_CREDIT } from "../../../../core/transports/quic/link/link.ts";
import { bindUdp } from "../../../../core/transports/quic/engine/udp/udp.ts";
import { loadQuiche } from "../../../../core/transports/quic/engine/binding.ts";
import { needs } from "../../../support/programs.ts";
import { start } from "../../../support/process.ts";
import { bytes, sealInitial } from "./engine/admission/initial_packets.ts";
import { until } from "./processes.ts";
import { ENGINES, quicServer } from "./support.ts";

await loadQuiche();

/** A short life for silence, and a heartbeat well within it. */
const SHORT = { idleTimeout: 400, keepAlive: 100 };

for (const { name, ...quic } of ENGINES) {
  Deno.test(`${name}: the dialler's keep-alive holds a quiet connection beyond the idle time (core.md §13)`, async () => {
    await using server = await quicServer({ quic, limits: SHORT });
    const [client, accepted] = await server.pair();
    // One that keeps no alive measures the time: when it has ended twice, the other has been quiet for two idle times.
    for (let i = 0; i < 2; i++) {
      const [mute, there] = await server.pair({ limits: { ...server.limits, keepAlive: 60_000 } });
      const [near, far] = await Promise.all([mute.closed, there.closed]);
      assert.equal(near.by, "timeout");
      assert.equal(far.by, "timeout");
    }
    assert.equal(client.closeInfo, undefined);
    assert.equal(accepted.closeInfo, undefined);
    const stream = await client.open();
    await stream.writable.getWriter().write(Uint8Array.of(1));
    assert.equal((await accepted[Symbol.asyncIterator]().next()).done, false);
  });

  Deno.test({
    name: `${name}: a peer that is killed is noticed within the idle time (core.md §18 row 25)`,
    ...needs("linux"),
    async fn() {
      await using server = await quicServer({ quic, limits: SHORT });
      const program = new URL("./client_program.ts", import.meta.url).pathname;
      const address = `${server.key.id}@127.0.0.1:${server.port}`;
      await using client = start(Deno.execPath(), ["run", "-A", "--quiet", program, address]);
      const accepted = await server.next();
      await client.line("connected");
      client.kill("SIGKILL");
      assert.equal((await accepted.closed).by, "timeout");
    },
  });

  Deno.test(`${name}: datagram messages both ways, and the longest that fits (RFC 9221)`, async () => {
    await using server = await quicServer({ quic });
    const [client, accepted] = await server.pair();
    for (const [from, to] of [[client, accepted], [accepted, client]]) {
      assert.throws(() => from.datagrams!.send(new Uint8Array(from.datagrams!.maxSize + 1)), RangeError);
      const sizes = [0, 1, 1000, from.datagrams!.maxSize];
      for (const size of sizes) {
        // Unreliable by nature, so sent until it has come.
        const reader = to.datagrams!.readable.getReader();
        let received: Uint8Array | undefined;
        const reading = reader.read().then(({ value }) => received = value);
        await until(`a message of ${size} bytes`, () => {
          if (!received) from.datagrams!.send(new Uint8Array(size).fill(7));
          return received !== undefined;
        });
        await reading;
        assert.deepEqual(new Uint8Array(received!), new Uint8Array(size).fill(7));
        await drain(reader);
        reader.releaseLock();
      }
    }
  });

  Deno.test(`${name}: who stops reading datagram messages can still send them`, async () => {
    await using server = await quicServer({ quic });
    const [client, accepted] = await server.pair();
    await client.datagrams!.readable.cancel();
    const reader = accepted.datagrams!.readable.getReader();
    let received = false;
    reader.read().then(({ done }) => received = !done);
    await until("a message", () => {
      client.datagrams!.send(Uint8Array.of(1));
      return received;
    });
  });

  Deno.test(`${name}: a connection over a limit is refused at once, and one that fits is not (core.md §18 row 64)`, async () => {
    for (const limits of [{ maxConnectionsPerAddress: 3 }, { maxConnections: 3 }]) {
      await using server = await quicServer({ quic, limits });
      const held: LinkedConnection[] = [];
      for (let i = 0; i < 3; i++) held.push((await server.pair())[0]);
      await assert.rejects(server.dial(), isRefused);
      held[0].close();
      // The place is free when the server has seen the close and its draining time is over (RFC 9000 §10.2).
      await untilDialled(server.dial);
    }
  });

  Deno.test(`${name}: stopAccepting refuses newcomers and leaves others alone (core.md §18 row 69)`, async () => {
    await using server = await quicServer({ quic });
    const [client, accepted] = await server.pair();
    server.gate.close();
    await server.listener.stopAccepting();
    await assert.rejects(server.dial(), isRefused);
    const stream = await client.open();
    await stream.writable.getWriter().write(Uint8Array.of(1));
    assert.equal((await accepted[Symbol.asyncIterator]().next()).done, false);
  });

  Deno.test(`${name}: with a handshake in flight, clients prove their address by Retry (RFC 9000 §8.1.2)`, async () => {
    await using server = await quicServer({ quic, limits: { retryThreshold: 1 } });
    using stranger = await rawSocket();
    // Half of a ClientHello: a handshake that goes on for ever. CRYPTO frame (RFC 9000 §19.6) of 4 bytes at offset 0.
    const half = sealInitial({ dcid: bytes(1, 2, 3, 4, 5, 6, 7, 8), payload: bytes(0x06, 0, 4, 1, 0, 2, 0) });
    stranger.send(half, server.port);
    const other = sealInitial({ dcid: bytes(8, 7, 6, 5, 4, 3, 2, 1), payload: bytes(0x06, 0, 4, 1, 0, 2, 0) });
    const answer = await stranger.ask(other, server.port);
    // Long header, fixed bit, type 3 (RFC 9000 §17.2.5).
    assert.equal(answer[0] & 0xf0, 0xf0);
    const [client, accepted] = await server.pair();
    const stream = await client.open();
    await stream.writable.getWriter().write(Uint8Array.of(1));
    assert.equal((await accepted[Symbol.asyncIterator]().next()).done, false);
  });

  Deno.test(`${name}: a version nobody speaks is answered with the one we do (RFC 9000 §6)`, async () => {
    await using server = await quicServer({ quic });
    using stranger = await rawSocket();
    const hello = new Uint8Array(1200);
    hello.set([0xc0, 0x1a, 0x2a, 0x3a, 0x4a, 4, 1, 2, 3, 4, 2, 9, 8]);
    const answer = await stranger.ask(hello, server.port);
    // Version 0, the ids exchanged, version 1 (RFC 9000 §17.2.1).
    assert.deepEqual([...answer.subarray(1)], [0, 0, 0, 0, 2, 9, 8, 4, 1, 2, 3, 4, 0, 0, 0, 1]);
  });

  Deno.test(`${name}: a reader that pauses gets all that a finished connection wrote (core.md §18 row 9)`, async () => {
    await using server = await quicServer({ quic });
    const [client, accepted] = await server.pair();
    const stream = await client.open();
    await stream.writable.getWriter().write(Uint8Array.of(1));
    const { value: there } = await accepted[Symbol.asyncIterator]().next();
    // More than the peer's window takes, and no more than what is taken off a handler's hands: it is held for the reader.
    const size = DEFAULT_LIMITS.streamWindow + STREAM_CREDIT / 2;
    there!.writable.getWriter().write(new Uint8Array(size)).catch(() => {});
    const finished = accepted[Symbol.asyncDispose]();
    // The one test that has to wait: an engine that gives up would do so after five seconds.
    await new Promise((resolve) => setTimeout(resolve, 6000));
    assert.equal(client.closeInfo, undefined);
    let received = 0;
    for await (const chunk of stream.readable) received += chunk.byteLength;
    assert.equal(received, size);
    await finished;
    assert.deepEqual(await client.closed, { by: "peer", code: 0, reason: "" });
  });
}

async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (true) {
    const pending = Symbol();
    const next = reader.read();
    const late = new Promise<symbol>((resolve) => setTimeout(() => resolve(pending), 20));
    if (await Promise.race([next, late]) === pending) break;
  }
}

async function untilDialled(dial: () => Promise<LinkedConnection>): Promise<void> {
  let connected = false;
  let dialling = false;
  await until("a dial gets through", () => {
    if (!connected && !dialling) {
      dialling = true;
      dial().then(() => connected = true, (error) => assert.ok(isRefused(error))).finally(() => dialling = false);
    }
    return connected;
  });
}

function isRefused(error: AlknetError): boolean {
  return error.code === "HANDSHAKE_FAILED" && /refused/.test(error.message);
}

/** A bare UDP socket on loopback. */
async function rawSocket() {
  const udp = await bindUdp({ hostname: "127.0.0.1", port: 0 });
  const send = (datagram: Uint8Array, port: number): void => {
    udp.slot(datagram.byteLength).set(datagram);
    udp.commit(datagram.byteLength, { hostname: "127.0.0.1", port });
    udp.flush();
  };
  return {
    send,
    async ask(datagram: Uint8Array, port: number): Promise<Uint8Array> {
      send(datagram, port);
      let answer: Uint8Array | undefined;
      while (!answer) {
        await udp.readable();
        udp.receive((received) => answer = received.slice());
      }
      return answer;
    },
    [Symbol.dispose]: () => udp.close(),
  };
}
