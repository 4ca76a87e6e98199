import { Account } from "../../../core/handler/account.ts";
import assert from "node:assert/strict";
import { type BidiStream, memoryPair, StreamClosedError } from "@alknet/core/handler";
import { HTTP_LIMITS, HttpCode } from "@alknet/handlers/http";
import { Conversation } from "../../../handlers/http/front/conversation.ts";
import { LINGER_BYTES, LINGER_TIME } from "../../../handlers/http/limits.ts";
import { contextOf } from "../context.ts";

/** A conversation between a stream and a server that this test plays, on a clock that it sets. */
async function staged(alpn = "http/1.1") {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const [socket, server] = await Promise.all([Deno.connect({ hostname: "127.0.0.1", port }), listener.accept()]);
  const [client, accepting] = memoryPair(alpn);
  const stream = await client.open();
  const { value } = await accepting[Symbol.asyncIterator]().next();
  const clock = { now: 0 };
  const released: number[] = [];
  const peer = { connectionId: "c0", remoteAddress: client.remoteAddress, identity: undefined, alpn };
  const conversation = new Conversation({
    stream: value as BidiStream,
    socket,
    release: () => void released.push(socket.localAddr.port),
    bindings: { peer, context: contextOf(new AbortController().signal), kept: new Account(1e6) },
    limits: HTTP_LIMITS,
    now: () => clock.now,
  });
  const run = conversation.run(() => {});
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  writer.closed.catch(() => {});
  reader.closed.catch(() => {});
  return {
    conversation,
    clock,
    client,
    stream,
    writer,
    reader,
    server,
    released,
    /** What the client sees at the end: the end of the stream, or the code of its reset. */
    async ending(): Promise<"end" | number> {
      try {
        while (!(await reader.read()).done);
        return "end";
      } catch (error) {
        return error instanceof StreamClosedError ? error.errorCode : -1;
      }
    },
    async [Symbol.asyncDispose]() {
      try {
        server.close();
      } catch {
        // The test has closed it.
      }
      client.close();
      await run;
      assert.equal(released.length, 1, "the port is forgotten exactly once");
    },
  };
}

type Staged = Awaited<ReturnType<typeof staged>>;
const BYTES = new Uint8Array(10);

/** Sends bytes up, and waits until the server has them. */
async function ask({ writer, server }: Staged): Promise<void> {
  await writer.write(BYTES);
  await server.read(new Uint8Array(100));
}

/** Sends bytes down, and waits until the client has them. */
async function answer({ reader, server }: Staged): Promise<void> {
  await server.write(BYTES);
  await reader.read();
  await turn();
}

interface LimitCase {
  readonly limit: string;
  readonly alpn?: string;
  readonly after: number;
  readonly ending: "end" | number;
  stage(staged: Staged): Promise<void> | void;
}

const LIMITS: LimitCase[] = [
  { limit: "firstRequest, of a client that says nothing", after: HTTP_LIMITS.firstRequest, ending: "end", stage() {} },
  {
    limit: "firstRequest, of a client that sends headers slowly",
    after: HTTP_LIMITS.firstRequest,
    ending: "end",
    async stage(it) {
      await ask(it);
      await ask(it);
    },
  },
  {
    limit: "idle, counted from the last answer",
    after: HTTP_LIMITS.idle,
    ending: "end",
    async stage(it) {
      await ask(it);
      it.conversation.requestBegan();
      await answer(it);
      it.clock.now = 5_000;
      it.conversation.requestEnded();
      it.clock.now = 6_000;
      // Bytes of the client do not prolong it.
      await ask(it);
      it.clock.now = 5_000;
    },
  },
  {
    limit: "silent, of a request that runs",
    after: HTTP_LIMITS.silent,
    ending: HttpCode.REQUEST_CANCELLED,
    async stage(it) {
      await ask(it);
      it.clock.now = 7_000;
      it.conversation.requestBegan();
    },
  },
  {
    limit: "halfClosed, of a client that most likely left",
    after: HTTP_LIMITS.halfClosed,
    ending: HttpCode.REQUEST_CANCELLED,
    async stage(it) {
      await ask(it);
      it.conversation.requestBegan();
      await it.writer.close();
      await turn();
    },
  },
];

for (const { limit, alpn, after, ending, stage } of LIMITS) {
  Deno.test(`Conversation holds the limit ${limit}`, async () => {
    await using it = await staged(alpn);
    await stage(it);
    it.clock.now += after;
    it.conversation.sweep();
    assert.equal(it.released.length, 0, "not before the limit");
    it.clock.now += 1;
    it.conversation.sweep();
    assert.equal(it.released.length, 1);
    assert.equal(await it.ending(), ending);
  });
}

Deno.test("Conversation holds the limit stalled, of a client that does not read", async () => {
  await using it = await staged();
  await ask(it);
  it.conversation.requestBegan();
  // More than the stream's window, the conversation's buffer and both socket buffers hold together.
  const writing = it.server.write(new Uint8Array(64 * 1024 * 1024)).catch(() => 0);
  for (let i = 0; i < 100; i++) await turn();
  it.clock.now = HTTP_LIMITS.stalled;
  it.conversation.sweep();
  assert.equal(it.released.length, 0);
  it.clock.now += 1;
  it.conversation.sweep();
  assert.equal(it.released.length, 1);
  it.server.close();
  await writing;
});

Deno.test("Conversation of alknet/http waits for the answer after a half-close, however long (core.md §6.1)", async () => {
  await using it = await staged("alknet/http");
  await ask(it);
  it.conversation.requestBegan();
  await it.writer.close();
  await turn();
  it.clock.now = HTTP_LIMITS.silent;
  it.conversation.sweep();
  assert.equal(it.released.length, 0);
  await answer(it);
  it.conversation.requestEnded();
  // Only now does the end of the input reach the server.
  assert.equal(await it.server.read(new Uint8Array(1)), null);
});

Deno.test("Conversation passes a half-close up at once when everything has been answered", async () => {
  await using it = await staged();
  await ask(it);
  it.conversation.requestBegan();
  await answer(it);
  it.conversation.requestEnded();
  await it.writer.close();
  assert.equal(await it.server.read(new Uint8Array(1)), null);
});

Deno.test("Conversation passes a half-close up in the middle of a request's headers", async () => {
  await using it = await staged();
  await ask(it);
  await it.writer.close();
  assert.equal(await it.server.read(new Uint8Array(1)), null);
});

Deno.test("Conversation drops input after the server's end, up to LINGER_BYTES", async () => {
  await using it = await staged("alknet/http");
  it.server.close();
  assert.equal(await it.ending(), "end");
  await it.writer.write(new Uint8Array(LINGER_BYTES - 1));
  await turn();
  await it.writer.write(new Uint8Array(2));
  await assert.rejects(it.writer.closed, (error) => (error as StreamClosedError).errorCode === HttpCode.NO_ERROR);
});

Deno.test("Conversation drops input after the server's end, up to LINGER_TIME", async () => {
  await using it = await staged("alknet/http");
  it.server.close();
  assert.equal(await it.ending(), "end");
  it.clock.now = LINGER_TIME;
  it.conversation.sweep();
  await it.writer.write(BYTES);
  it.clock.now += 1;
  it.conversation.sweep();
  await assert.rejects(it.writer.closed, (error) => (error as StreamClosedError).errorCode === HttpCode.NO_ERROR);
});

Deno.test("Conversation ends when its client cuts either direction", async () => {
  for (const cut of [(s: BidiStream) => s.reset(1), (s: BidiStream) => s.stop(1)]) {
    await using it = await staged();
    await ask(it);
    it.conversation.requestBegan();
    cut(it.stream);
    // A stop is noticed when there is something to say.
    await it.server.write(BYTES).catch(() => {});
    assert.equal(await it.server.read(new Uint8Array(1)).catch(() => null), null);
  }
});

/** Lets what is ready happen: one turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
