import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { StreamClosedError } from "../../../../../core/errors.ts";
import type { Connection } from "../../../../../core/handler/connection.ts";
import type { BidiStream } from "../../../../../core/handler/stream.ts";
import { STRANGER_BYTES } from "../../../../../core/handler/holdings.ts";
import { STREAM_COST, STREAM_CREDIT } from "../../../../../core/transports/quic/link/link.ts";
import { type Random, seeded } from "../../../../support/random.ts";
import { ENGINES, quicServer } from "../support.ts";

for (const { name, ...quic } of ENGINES) {
  Deno.test(`${name}: open() waits while the peer allows no more streams (RFC 9000 §4.6)`, async () => {
    await using server = await quicServer({ quic, limits: { maxStreamsBidi: 4, maxStreamsUni: 2 } });
    const [client, accepted] = await server.pair();
    // Each end holds more streams open than the other allows, all begun in one turn.
    for (const [from, to] of [[client, accepted], [accepted, client]]) {
      echoAll(to).catch(ignore);
      const answers = await Promise.all(Array.from({ length: 100 }, async (_, i) => {
        const stream = await from.open();
        await write(stream, text(`message ${i}`));
        return await readText(stream);
      }));
      assert.deepEqual(answers, Array.from({ length: 100 }, (_, i) => `message ${i}`));
    }
    const received = collectOneWay(accepted, 30);
    await Promise.all(Array.from({ length: 30 }, async (_, i) => {
      const { writable } = await client.openSend();
      const writer = writable.getWriter();
      await writer.write(text(`one way ${i}`));
      await writer.close();
    }));
    assert.deepEqual((await received).sort(), Array.from({ length: 30 }, (_, i) => `one way ${i}`).sort());
  });

  Deno.test(`${name}: a stream given up before its first byte costs no place for ever (RFC 9000 §4.6)`, async () => {
    await using server = await quicServer({ quic, limits: { maxStreamsBidi: 4, maxStreamsUni: 4 } });
    const [client, accepted] = await server.pair();
    echoAll(accepted).catch(ignore);
    for (let i = 0; i < 20; i++) {
      const stream = await client.open();
      stream.reset(1);
      stream.stop(2);
      (await client.openSend()).reset(3);
    }
    const stream = await client.open();
    await write(stream, text("still room"));
    assert.equal(await readText(stream), "still room");
  });

  Deno.test(`${name}: a stop reaches a peer that never writes again (RFC 9000 §3.5)`, async () => {
    await using server = await quicServer({ quic });
    const [client, accepted] = await server.pair();
    const stream = await client.open();
    const writer = stream.writable.getWriter();
    await writer.write(text("only this"));
    const there = await firstStream(accepted);
    there.stop(9);
    await assert.rejects(writer.closed, closedWith(9));
    const back = there.writable.getWriter();
    await back.write(text("other direction"));
    await back.close();
    assert.equal(await readText(stream), "other direction");
  });

  Deno.test(`${name}: what was on its way to a stream that was refused does not come as another stream`, async () => {
    await using server = await quicServer({ quic });
    const [client, accepted] = await server.pair();
    const seen: number[] = [];
    const refusing = (async () => {
      for await (const stream of accepted) {
        seen.push(stream.id);
        stream.stop(1);
        stream.reset(2);
      }
    })();
    for (let round = 0; round < 10; round++) {
      await Promise.all(Array.from({ length: 50 }, async () => {
        const stream = await client.open();
        const writer = stream.writable.getWriter();
        writer.closed.catch(ignore);
        await assert.rejects(
          async () => {
            for (let i = 0; i < 400; i++) await writer.write(new Uint8Array(20_000));
          },
          StreamClosedError,
        );
        await assert.rejects(readAll(stream), StreamClosedError);
      }));
    }
    client.close();
    await refusing;
    assert.equal(seen.length, 500);
    assert.equal(new Set(seen).size, 500);
  });

  Deno.test(`${name}: streams that no handler takes are held back, however short they are, and none is lost`, async () => {
    await using server = await quicServer({ quic });
    const [client, accepted] = await server.pair();
    const count = 2 * STRANGER_BYTES / STREAM_COST;
    let opened = 0;
    const opening = (async () => {
      for (; opened < count; opened++) await (await client.openSend()).writable.close();
    })();
    // The peer takes back a place for each stream whose end it has read.
    for (let last = -1; last !== opened || opened === 0;) {
      last = opened;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assert.ok(opened < count * 0.75, `${opened} streams of ${count} went to a handler that takes none`);
    assert.equal((await collectOneWay(accepted, count)).length, count);
    await opening;
  });

  Deno.test(`${name}: codes of 32 bits and more arrive whole (RFC 9000 §16)`, async () => {
    await using server = await quicServer({ quic });
    const [client, accepted] = await server.pair();
    const code = 2 ** 40 + 5;
    const stream = await client.open();
    const writer = stream.writable.getWriter();
    await writer.write(text("x"));
    const there = await firstStream(accepted);
    const reader = there.readable.getReader();
    await reader.read();
    there.stop(code);
    await assert.rejects(writer.closed, closedWith(code));
    there.reset(code);
    await assert.rejects(readAll(stream), closedWith(code));
    client.close(code, "bye");
    assert.deepEqual(await accepted.closed, { by: "peer", code, reason: "bye" });
  });

  Deno.test(`${name}: a reason too long for a packet is cut, and the close arrives`, async () => {
    await using server = await quicServer({ quic });
    for (const end of [0, 1]) {
      const pair = await server.pair();
      pair[end].close(5, "ä".repeat(1_000_000));
      const { by, code, reason } = await pair[1 - end].closed;
      assert.deepEqual({ by, code }, { by: "peer", code: 5 });
      assert.match(reason!, /^ä{100,}$/);
    }
  });

  Deno.test(`${name}: a reader that keeps up with many long-lived streams is never held`, async () => {
    await using server = await quicServer({ quic });
    const [client, accepted] = await server.pair();
    // Less than what is reported at once on each stream, and in sum more than a connection may leave unreported.
    const part = new Uint8Array(60_000);
    const streams = 300;
    const echoing = (async () => {
      let served = 0;
      for await (const stream of accepted) {
        (async () => {
          const reader = stream.readable.getReader();
          for (let got = 0; got < part.byteLength;) got += (await reader.read()).value!.byteLength;
          const writer = stream.writable.getWriter();
          await writer.write(text("thanks"));
        })();
        if (++served === streams) return;
      }
    })();
    for (let i = 0; i < streams; i++) {
      const stream = await client.open();
      const writer = stream.writable.getWriter();
      await writer.write(part);
      const { value } = await stream.readable.getReader().read();
      assert.equal(value!.byteLength, 6);
    }
    await echoing;
  });

  Deno.test(`${name}: streams whose peer does not read hold up none that it reads (§6.1)`, async () => {
    await using server = await quicServer({ quic });
    const [client, accepted] = await server.pair();
    const there = accepted[Symbol.asyncIterator]();
    const chunk = new Uint8Array(500_000);
    // Fewer than fill what a connection may leave unread: that is shared, as the window of RFC 9000 §4.1 is.
    for (let i = 0; i < STRANGER_BYTES / STREAM_CREDIT / 2; i++) {
      const stream = await client.open();
      stream.writable.getWriter().write(chunk).catch(ignore);
      await there.next();
    }
    const size = 4 * 1024 * 1024;
    const free = await client.open();
    const writing = write(free, new Uint8Array(size));
    const { value } = await there.next();
    const received = await readAll(value!);
    assert.equal(received.byteLength, size);
    await writing;
  });

  Deno.test(`${name}: 1000 streams of mixed length, some cut, while bulk runs: no mix-up (rows 13, 19)`, async () => {
    const random = seeded(`${name} mixed streams`);
    await using server = await quicServer({ quic });
    const [client, accepted] = await server.pair();
    const ids = new Set<number>();
    const serving = (async () => {
      for await (const stream of accepted) {
        assert.ok(!ids.has(stream.id), `stream ${stream.id} came twice`);
        ids.add(stream.id);
        answerDigest(stream).catch(ignore);
      }
    })();
    const bulk = exchange(client, random.bytes(24 * 1024 * 1024));
    const plans = Array.from({ length: 1000 }, () => planOf(random));
    for (let at = 0; at < plans.length; at += 50) {
      await Promise.all(plans.slice(at, at + 50).map((plan) => run(client, plan)));
    }
    await bulk;
    const last = await exchange(client, text("all in order"));
    assert.equal(last, undefined);
    client.close();
    await serving;
  });
}

interface Plan {
  readonly content: Uint8Array;
  readonly chunk: number;
  readonly cut?: "reset" | "stop" | "both";
  readonly cutAfter: number;
}

function planOf(random: Random): Plan {
  const length = random.pick([0, 1, 100, 4_095, 4_096, 20_000, 70_000, 300_000]);
  const cut = random.chance(0.3) ? random.pick(["reset", "stop", "both"] as const) : undefined;
  const chunk = random.pick([100_000, 5_000, 1_500]);
  return { content: random.bytes(length), chunk, cut, cutAfter: random.below(length + 1) };
}

/** Sends a plan's content and checks the digest that comes back, or cuts the stream on the way. */
async function run(connection: Connection, { content, chunk, cut, cutAfter }: Plan): Promise<void> {
  if (!cut) return await exchange(connection, content, chunk);
  const stream = await connection.open();
  const writer = stream.writable.getWriter();
  // The other end may refuse what a plan goes on to write; that is the plan's aim.
  writer.closed.catch(ignore);
  try {
    for (let at = 0; at < cutAfter; at += chunk) {
      await writer.write(content.subarray(at, Math.min(at + chunk, cutAfter)));
    }
    if (cut !== "stop") stream.reset(7);
    if (cut !== "reset") stream.stop(9);
    if (cut === "stop") await writer.close();
    if (cut === "reset") await assert.rejects(readAll(stream), (error) => error instanceof StreamClosedError);
  } catch (error) {
    assert.ok(error instanceof StreamClosedError, String(error));
  }
}

async function exchange(connection: Connection, content: Uint8Array, chunk = 65_536): Promise<void> {
  const stream = await connection.open();
  const writer = stream.writable.getWriter();
  const writing = (async () => {
    for (let at = 0; at < content.byteLength; at += chunk) await writer.write(content.subarray(at, at + chunk));
    await writer.close();
  })();
  const [answer] = await Promise.all([readText(stream), writing]);
  assert.equal(answer, `${content.byteLength} ${createHash("sha256").update(content).digest("hex")}`);
}

/** Answers with the length and the digest of what came; cuts the answer when what came was cut. */
async function answerDigest(stream: BidiStream): Promise<void> {
  const writer = stream.writable.getWriter();
  writer.closed.catch(ignore);
  try {
    const content = await readAll(stream);
    await writer.write(text(`${content.byteLength} ${createHash("sha256").update(content).digest("hex")}`));
    await writer.close();
  } catch {
    stream.reset(8);
  }
}

async function echoAll(connection: Connection): Promise<void> {
  for await (const { readable, writable } of connection) readable.pipeTo(writable).catch(ignore);
}

async function collectOneWay(connection: Connection, count: number): Promise<string[]> {
  const found: string[] = [];
  for await (const stream of connection.receiveStreams) {
    found.push(await readText(stream));
    if (found.length === count) break;
  }
  return found;
}

async function firstStream(connection: Connection): Promise<BidiStream> {
  const { value, done } = await connection[Symbol.asyncIterator]().next();
  assert.ok(!done, "the connection ended before a stream came");
  return value;
}

async function write({ writable }: Pick<BidiStream, "writable">, content: Uint8Array): Promise<void> {
  const writer = writable.getWriter();
  await writer.write(content);
  await writer.close();
}

async function readAll({ readable }: Pick<BidiStream, "readable">): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of readable) length += (chunks.push(chunk), chunk.byteLength);
  const all = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.byteLength;
  }
  return all;
}

async function readText(stream: Pick<BidiStream, "readable">): Promise<string> {
  return new TextDecoder().decode(await readAll(stream));
}

function text(content: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(content);
}

function closedWith(code: number): (error: unknown) => boolean {
  return (error) => error instanceof StreamClosedError && error.errorCode === code;
}

function ignore(): void {}
