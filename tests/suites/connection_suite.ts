/**
 * What every transport owes a handler: one suite, held by each of them (core.md §6, §18 rows 9 and 13 to 24).
 *
 * @module
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { type AlknetError, type CloseInfo, ConnectionClosedError, StreamClosedError } from "../../core/errors.ts";
import type { Connection } from "../../core/handler/connection.ts";
import type { BidiStream } from "../../core/handler/stream.ts";
import { seeded } from "../support/random.ts";

/** Two ends of a connection. Disposing of it releases both and what carries them. */
export interface ConnectionPair extends AsyncDisposable {
  /** The dialling side. */
  readonly client: Connection;
  /** The accepting side. */
  readonly server: Connection;
}

/** What a transport can do. */
export interface Capabilities {
  /** Many streams, opened by either side. */
  readonly multiStream: boolean;
  /** Close, reset and stop codes reach the peer. */
  readonly codes: boolean;
}

/** More than a transport may hold for a peer that does not read: windows on both sides, and the kernel's buffers. */
const HELD_AT_MOST = 24 * 1024 * 1024;
/** Turns of the event loop without progress after which a writer counts as held. */
const QUIET_TURNS = 200;

/**
 * Declares the tests of one transport.
 *
 * @param name Begins the title of each test.
 * @param connect Makes a pair whose connection speaks the given ALPN.
 * @param can What the transport can do.
 */
export function connectionSuite(
  name: string,
  connect: (alpn: string) => Promise<ConnectionPair>,
  can: Capabilities,
): void {
  const test = (title: string, body: (pair: ConnectionPair) => Promise<void>): void =>
    Deno.test(`${name}: ${title}`, async () => {
      await using pair = await connect("test/suite");
      await body(pair);
    });

  test("both ends know the ALPN (row 2)", ({ client, server }) => {
    assert.equal(client.alpn, "test/suite");
    assert.equal(server.alpn, "test/suite");
    assert.notEqual(client.id, server.id);
    return Promise.resolve();
  });

  test("a code that no frame can carry is refused, and nothing else happens (RFC 9000 §16)", async ({ client, server }) => {
    const stream = await client.open();
    for (const code of [-1, 1.5, NaN, 2 ** 62]) {
      for (const cut of ["reset", "stop"] as const) assert.throws(() => stream[cut](code), RangeError);
      assert.throws(() => client.close(code), RangeError);
    }
    const echoed = echoOne(server);
    await writeAll(stream, [text("still there")]);
    assert.equal(await readText(stream), "still there");
    await echoed;
  });

  test("10 MiB there and back, half-closed, byte for byte (row 18)", async ({ client, server }) => {
    const echoed = echoOne(server);
    const stream = await client.open();
    const content = seeded(`${name} row 18`).bytes(10 * 1024 * 1024);
    const written = writeAll(stream, chunksOf(content, 65_536));
    const hash = createHash("sha256");
    for await (const chunk of stream.readable) hash.update(chunk);
    await Promise.all([written, echoed]);
    assert.equal(hash.digest("hex"), createHash("sha256").update(content).digest("hex"));
    assert.ok(client.stats().bytesSent >= content.byteLength);
    assert.ok(client.stats().bytesReceived >= content.byteLength);
  });

  test("chunks of any size arrive in order, and a writer may reuse its buffer", async ({ client, server }) => {
    const random = seeded(`${name} sizes`);
    const stream = await client.open();
    const sent = createHash("sha256");
    const received = server[Symbol.asyncIterator]().next().then(async ({ value }) => {
      const hash = createHash("sha256");
      for await (const chunk of value!.readable) hash.update(chunk);
      return hash.digest("hex");
    });
    const writer = stream.writable.getWriter();
    const buffer = new Uint8Array(300_000);
    for (let i = 0; i < 400; i++) {
      const chunk = buffer.subarray(0, random.pick([0, 1, 2, 100, 1_023, 16_384, 65_537, 299_999]));
      chunk.set(random.bytes(Math.min(chunk.byteLength, 64)));
      sent.update(chunk);
      await writer.write(chunk);
    }
    await writer.close();
    assert.equal(await received, sent.digest("hex"));
  });

  test("a half-close leaves the other direction open (§6.1)", async ({ client, server }) => {
    const stream = await client.open();
    await writeAll(stream, [text("question")]);
    const accepted = await firstStream(server);
    assert.equal(await readText(accepted), "question");
    await writeAll(accepted, [text("answer")]);
    assert.equal(await readText(stream), "answer");
  });

  test("a handler that returns after writing 1 MiB loses none of it (row 9)", async ({ client, server }) => {
    const stream = await client.open();
    const asking = stream.writable.getWriter();
    await asking.write(text("go"));
    const accepted = await firstStream(server);
    const writer = accepted.writable.getWriter();
    // Not awaited, as a handler may do that returns at once.
    writer.write(new Uint8Array(1024 * 1024).fill(7)).catch(ignore);
    const finished = server[Symbol.asyncDispose]();
    let received = 0;
    for await (const chunk of stream.readable) received += chunk.byteLength;
    await asking.close().catch(ignore);
    assert.equal(received, 1024 * 1024);
    await finished;
    const { by } = await client.closed;
    assert.equal(by, "peer");
  });

  test("a peer that does not read holds the writer (row 20)", async ({ client, server }) => {
    const stream = await client.open();
    const writer = stream.writable.getWriter();
    const chunk = new Uint8Array(65_536);
    const total = 4 * HELD_AT_MOST;
    let written = 0;
    const writing = (async () => {
      while (written < total) {
        await writer.write(chunk);
        written += chunk.byteLength;
      }
      await writer.close();
    })();
    const accepted = await firstStream(server);
    await quiet(() => written);
    assert.ok(written <= HELD_AT_MOST, `${written} bytes were taken of a peer that reads none`);
    let received = 0;
    for await (const part of accepted.readable) received += part.byteLength;
    await writing;
    assert.equal(received, total);
  });

  test("close ends every operation on both sides (row 21)", async ({ client, server }) => {
    const stream = await client.open();
    await stream.writable.getWriter().write(text("x"));
    const accepted = await firstStream(server);
    const reader = accepted.readable.getReader();
    await reader.read();
    const pending = assert.rejects(reader.read(), isConnectionClosed);
    client.close(5, "bye");
    await pending;
    assert.deepEqual(await client.closed, { by: "local", code: 5, reason: "bye" });
    const seen = await server.closed;
    if (can.codes) assert.deepEqual(seen, { by: "peer", code: 5, reason: "bye" });
    else assert.match(seen.by, /^(peer|error)$/);
    await assert.rejects(client.open(), isConnectionClosed);
    await assert.rejects(server.open(), isConnectionClosed);
    await assert.rejects(server.openSend(), isConnectionClosed);
    await assert.rejects(accepted.writable.getWriter().write(text("x")), isConnectionClosed);
    await assert.rejects(stream.readable.getReader().read(), isConnectionClosed);
    for await (const _ of server) assert.fail("an ended connection has no streams");
  });

  test("closing twice and disposing of what is closed are harmless (row 22)", async ({ client, server }) => {
    client.close();
    client.close(7, "again");
    await client[Symbol.asyncDispose]();
    assert.deepEqual(await client.closed, { by: "local", code: 0, reason: "" });
    await assert.rejects(client.open(), isConnectionClosed);
    await server.closed;
  });

  test("the identity is written once (row 23)", ({ client }) => {
    const identity = { id: "a", scopes: [], resources: {} };
    client.identity = identity;
    for (const again of [identity, { ...identity }, { ...identity, id: "b" }]) {
      assert.throws(() => client.identity = again, hasCode("IDENTITY_ALREADY_SET"));
    }
    assert.ok(Object.isFrozen(client.identity));
    return Promise.resolve();
  });

  test("iterating ends when the connection does", async ({ client, server }) => {
    const stream = await client.open();
    await stream.writable.getWriter().write(text("x"));
    let streams = 0;
    for await (const _ of server) {
      streams++;
      client.close();
    }
    assert.equal(streams, 1);
  });

  if (can.multiStream) manyStreams(test);
  else oneStream(test);
}

type Test = (title: string, body: (pair: ConnectionPair) => Promise<void>) => void;

function manyStreams(test: Test): void {
  test("50 streams of the peer are 50 turns of the loop (row 13)", async ({ client, server }) => {
    const accepting = (async () => {
      const found: string[] = [];
      for await (const stream of server) {
        found.push(await readText(stream));
        if (found.length === 50) return found;
      }
      return found;
    })();
    const sent = Array.from({ length: 50 }, (_, i) => `stream ${i}`);
    for (const content of sent) await writeAll(await client.open(), [text(content)]);
    assert.deepEqual((await accepting).sort(), sent.sort());
  });

  test("both sides open streams (row 17)", async ({ client, server }) => {
    const ends = [client, server] as const;
    for (const [from, to] of [ends, [server, client] as const]) {
      const stream = await from.open();
      await writeAll(stream, [text("hello")]);
      const accepted = await firstStream(to);
      assert.equal(await readText(accepted), "hello");
      await writeAll(accepted, [text("back")]);
      assert.equal(await readText(stream), "back");
    }
  });

  test("a stream in one direction", async ({ client, server }) => {
    const { writable } = await client.openSend();
    const writer = writable.getWriter();
    await writer.write(text("one way"));
    await writer.close();
    for await (const stream of server.receiveStreams) {
      assert.equal(await new Response(stream.readable as ReadableStream<Uint8Array<ArrayBuffer>>).text(), "one way");
      break;
    }
  });

  test("reset and stop reach the peer with their code; other streams go on (row 19)", async ({ client, server }) => {
    const [cut, spared] = [await client.open(), await client.open()];
    const [cutWriter, sparedWriter] = [cut.writable.getWriter(), spared.writable.getWriter()];
    await cutWriter.write(text("x"));
    await sparedWriter.write(text("x"));
    const iterator = server[Symbol.asyncIterator]();
    const accepted = [(await iterator.next()).value!, (await iterator.next()).value!];
    const [cutThere, sparedThere] = accepted[0].id === cut.id ? accepted : accepted.reverse();
    const reader = cutThere.readable.getReader();
    await reader.read();
    cut.reset(7);
    await assert.rejects(readToEnd(reader), closedWith(7));
    cut.stop(9);
    const writer = cutThere.writable.getWriter();
    await assert.rejects(writer.closed, closedWith(9));
    await sparedWriter.write(text("y"));
    await sparedWriter.close();
    assert.equal(await readText(sparedThere), "xy");
  });

  test("a blocked stream does not hold up another (§6.1)", async ({ client, server }) => {
    const blocked = await client.open();
    const writer = blocked.writable.getWriter();
    let written = 0;
    (async () => {
      for (let i = 0; i < 256; i++) {
        await writer.write(new Uint8Array(65_536));
        written++;
      }
    })().catch(ignore);
    await firstStream(server);
    await quiet(() => written);
    const free = await client.open();
    await writeAll(free, [text("passes")]);
    assert.equal(await readText(await firstStream(server)), "passes");
    client.close();
  });
}

function oneStream(test: Test): void {
  test("the dialling side opens one stream, the accepting side none (rows 15 and 16)", async ({ client, server }) => {
    await client.open();
    await assert.rejects(client.open(), hasCode("STREAM_UNAVAILABLE"));
    await assert.rejects(client.openSend(), hasCode("STREAM_UNAVAILABLE"));
    await assert.rejects(server.open(), hasCode("STREAM_UNAVAILABLE"));
    await assert.rejects(server.openSend(), hasCode("STREAM_UNAVAILABLE"));
  });

  test("the accepting side's loop ends with the connection, not after the stream (row 14)", async (pair) => {
    const { client, server } = pair;
    const stream = await client.open();
    const writer = stream.writable.getWriter();
    await writer.write(text("x"));
    let ended = false;
    const seen: BidiStream[] = [];
    const loop = (async () => {
      for await (const accepted of server) seen.push(accepted);
      ended = true;
    })();
    await quiet(() => seen.length);
    assert.equal(ended, false);
    await writer.close();
    assert.equal(await readText(seen[0]), "x");
    assert.equal(ended, false);
    await writeAll(seen[0], []);
    assert.equal(await readText(stream), "");
    await loop;
    assert.equal(seen.length, 1);
    for (const end of [client, server]) assert.equal((await end.closed).by, "peer");
  });

  for (const how of ["reset", "stop"] as const) {
    test(`${how} ends the connection, and never looks like a finished stream (§6.1)`, async ({ client, server }) => {
      const stream = await client.open();
      await stream.writable.getWriter().write(text("x"));
      const reader = (await firstStream(server)).readable.getReader();
      await reader.read();
      const reading = assert.rejects(reader.read(), isConnectionClosed);
      stream[how](3);
      assert.equal((await client.closed).by, "local");
      await reading;
      assert.match((await server.closed).by, /^(peer|error)$/);
    });
  }
}

async function echoOne(connection: Connection): Promise<void> {
  const { readable, writable } = await firstStream(connection);
  await readable.pipeTo(writable);
}

async function firstStream(connection: Connection): Promise<BidiStream> {
  const { value, done } = await connection[Symbol.asyncIterator]().next();
  assert.ok(!done, "the connection ended before a stream came");
  return value;
}

async function writeAll({ writable }: BidiStream, chunks: Iterable<Uint8Array>): Promise<void> {
  const writer = writable.getWriter();
  for (const chunk of chunks) await writer.write(chunk);
  await writer.close();
}

async function readText({ readable }: BidiStream): Promise<string> {
  let all = "";
  const decoder = new TextDecoder();
  for await (const chunk of readable) all += decoder.decode(chunk, { stream: true });
  return all;
}

async function readToEnd(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  while (!(await reader.read()).done);
}

function* chunksOf(content: Uint8Array, size: number): Iterable<Uint8Array> {
  for (let at = 0; at < content.byteLength; at += size) yield content.subarray(at, at + size);
}

/** Resolves when a figure has not changed for a number of turns of the event loop. */
async function quiet(figure: () => number): Promise<void> {
  let last = figure();
  for (let turns = 0; turns < QUIET_TURNS; turns++) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (figure() !== last) turns = 0;
    last = figure();
  }
}

function text(content: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(content);
}

function isConnectionClosed(error: unknown): boolean {
  return error instanceof ConnectionClosedError && (error.info satisfies CloseInfo) !== undefined;
}

function closedWith(code: number): (error: unknown) => boolean {
  return (error) => error instanceof StreamClosedError && error.errorCode === code;
}

function hasCode(code: string): (error: unknown) => boolean {
  return (error) => (error as AlknetError).code === code;
}

function ignore(): void {}
