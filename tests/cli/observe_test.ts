/**
 * Live counters: what the observer counts, and what the dashboard draws.
 *
 * @module
 */
import { deepEqual, equal, match } from "node:assert/strict";
import { router } from "@alknet/core";
import { defineHandler, memoryPair } from "@alknet/core/handler";
import { AlknetError, type CloseInfo } from "@alknet/core";
import { Dashboard } from "../../cli/serving/dashboard.ts";
import { Observer, type ServeEvent } from "../../cli/operations/observe.ts";

const ALPN = "example/count";

/** Answers 7 bytes to whatever it is sent. */
const seven = defineHandler({
  alpns: [ALPN],
  description: "answers seven bytes",
  async handle(connection) {
    for await (const { readable, writable } of connection) {
      await readable.pipeTo(new WritableStream());
      const writer = writable.getWriter();
      await writer.write(new Uint8Array(7));
      await writer.close();
    }
  },
});

Deno.test("Observer.watch() keeps the handler and its types, and counts nothing before a connection", () => {
  const watched = new Observer().watch(seven);
  const alpns: readonly [typeof ALPN] = watched.alpns;
  deepEqual(alpns, [ALPN]);
  deepEqual(router().use(watched).alpns, [ALPN]);
});

Deno.test("Observer.traffic() counts a connection while it runs and keeps its bytes after", async () => {
  const events: ServeEvent[] = [];
  const observer = new Observer((event) => events.push(event));
  const { handle } = observer.watch(seven);
  const [client, server] = memoryPair(ALPN);
  const running = handle(server, contextOfTest());
  const stream = await client.open();
  const writer = stream.writable.getWriter();
  await writer.write(new Uint8Array(3));
  await writer.close();
  equal((await new Response(stream.readable).arrayBuffer()).byteLength, 7);
  const [during] = observer.traffic();
  deepEqual(during, {
    alpn: ALPN,
    description: "answers seven bytes",
    open: 1,
    total: 1,
    bytesReceived: 3,
    bytesSent: 7,
  });
  client.close(5, "bye");
  await running;
  await server.closed;
  const [after] = observer.traffic();
  deepEqual({ ...after, open: 0 }, { ...during, open: 0 });
  equal(after.open, 0);
  deepEqual(events.map(({ event }) => event), ["connection", "closed"]);
  const { alpn, bytesReceived, bytesSent, by, code, reason } = events[1];
  deepEqual({ alpn, bytesReceived, bytesSent, by, code, reason }, {
    alpn: ALPN,
    bytesReceived: 3,
    bytesSent: 7,
    by: "peer",
    code: 5,
    reason: "bye",
  });
});

Deno.test("Observer: a client of HTTP that leaves without TLS's farewell has left, any other was cut off", async () => {
  const outcomes = [];
  for (const alpn of ["h2", "http/1.1", ALPN]) {
    const events: ServeEvent[] = [];
    const watched = new Observer((event) => events.push(event)).watch(defineHandler({ alpns: [alpn], handle() {} }));
    const [, server] = memoryPair(alpn);
    await watched.handle(server, contextOfTest());
    // What a transport tells of its connection.
    const told = server as unknown as { ended(info: CloseInfo): void };
    told.ended({ by: "error", error: new AlknetError("TRUNCATED", "the stream ended") });
    await server.closed;
    const { by, error } = events[1];
    outcomes.push([alpn, by, error]);
  }
  deepEqual(outcomes, [["h2", "peer", undefined], ["http/1.1", "peer", undefined], [ALPN, "error", "TRUNCATED"]]);
});

Deno.test("Dashboard goes on without a screen that is gone, and shows what peers say as text", () => {
  const traffic = { alpn: "alknet/echo", description: "echoes", open: 0, total: 0, bytesReceived: 0, bytesSent: 0 };
  let written = "";
  let gone = false;
  const source = { traffic: () => [traffic], stats: () => ({ accepted: 0, refused: {} }) as never };
  using dashboard = new Dashboard(source, {
    isReady: () => true,
    write(text) {
      if (gone) throw new Deno.errors.BrokenPipe();
      written += text;
    },
    columns() {
      if (gone) throw new Error("Inappropriate ioctl for device (os error 25)");
      return 80;
    },
  });
  dashboard.print("reason=\x1b]0;OWNED\x07");
  equal(written.includes("\x1b]0;"), false);
  equal(written.includes("\\u001b]0;OWNED"), true);
  gone = true;
  const before = written;
  dashboard.print("nobody sees this");
  equal(written, before);
});

Deno.test("Dashboard redraws in place and lets log lines pass above", () => {
  let screen = "";
  const traffic = { alpn: ALPN, description: "answers", open: 2, total: 9, bytesReceived: 1500, bytesSent: 0 };
  const stats = { connections: {}, accepted: 9, refused: { banned: 3 }, bytesReceived: 0, bytesSent: 0 };
  const dashboard = new Dashboard({ traffic: () => [traffic], stats: () => stats }, {
    isReady: () => true,
    write: (text) => screen += text,
    columns: () => 120,
  });
  try {
    match(screen, /example\/count +2 +9 +1\.5 kB +0 B +answers\n/);
    match(screen, /2 connections, 9 accepted, 3 refused/);
    const height = screen.split("\n").length - 1;
    screen = "";
    dashboard.print("a line of the log");
    // Up over what was drawn, cleared, the line, and the counters again.
    equal(screen.startsWith(`\x1b[${height}A\r\x1b[Ja line of the log\n`), true, JSON.stringify(screen));
    match(screen, /9 accepted/);
  } finally {
    dashboard[Symbol.dispose]();
  }
});

function contextOfTest(): Parameters<typeof seven.handle>[1] {
  const unused = () => {
    throw new Error("the handler of this test does not ask");
  };
  return new Proxy({} as Parameters<typeof seven.handle>[1], { get: unused });
}
