import assert from "node:assert/strict";
import { Bridge } from "../../../../../core/transports/quic/process/bridge.ts";
import { type Frame, FrameReader, FrameWriter, Kind } from "../../../../../core/transports/quic/link/frames.ts";
import { DATAGRAM_BACKLOG } from "../../../../../core/transports/quic/link/link.ts";
import type { QuicConnection } from "../../../../../core/transports/quic/connection/quic_connection.ts";
import { needs } from "../../../../support/programs.ts";
import { temporaryFolder } from "../../../../support/temp.ts";

/** Bytes of a message, and how many are sent: far more than any socket holds. */
const SIZE = 1100;
const COUNT = 60_000;

Deno.test({
  name: "Bridge drops datagram messages that its engine does not take, and no others (RFC 9221 §5.2)",
  ...needs("linux"),
  async fn() {
    await using folder = await temporaryFolder();
    const path = folder.join("s");
    using listener = Deno.listen({ transport: "unix", path });
    const [pipe, engine] = await Promise.all([listener.accept(), Deno.connect({ transport: "unix", path })]);
    const { promise: opened, resolve } = Promise.withResolvers<QuicConnection>();
    const nothing = () => {};
    const bridge = new Bridge(pipe, {
      alive: nothing,
      counted: nothing,
      refused: nothing,
      control: nothing,
      opened: resolve,
    });
    const facts = {
      alpn: "test",
      remoteAddress: { hostname: "127.0.0.1", port: 1 },
      dialled: false,
      maxDatagram: 1200,
    };
    await write(engine, (out) => {
      const json = new TextEncoder().encode(JSON.stringify(facts));
      out.write(Kind.OPENED, 1, 0, json.byteLength, json);
    });
    const { connection } = await opened;
    const { datagrams } = connection;

    const message = new Uint8Array(SIZE);
    for (let i = 0; i < COUNT; i++) {
      datagrams!.send(message);
      if (i % 1000 === 0) await turn();
    }
    bridge.send(Kind.GRANT, 1, 0, 0);
    const arrived = await countUntil(engine, Kind.GRANT);
    // What waits here, what is on its way, and what the socket holds.
    assert.ok(arrived > 0 && arrived * SIZE < 8 * DATAGRAM_BACKLOG, `${arrived} of ${COUNT} messages arrived`);

    datagrams!.send(message);
    bridge.send(Kind.GRANT, 1, 0, 0);
    assert.equal(await countUntil(engine, Kind.GRANT), 1, "the engine keeps up again");
    connection.close();
    engine.close();
    await bridge.closed;
  },
});

async function write(pipe: Deno.Conn, fill: (out: FrameWriter) => void): Promise<void> {
  const out = new FrameWriter();
  fill(out);
  const bytes = out.take();
  for (let at = 0; at < bytes.byteLength;) at += await pipe.write(bytes.subarray(at));
}

/** Datagram messages before a frame of a kind. */
async function countUntil(pipe: Deno.Conn, kind: number): Promise<number> {
  const reader = new FrameReader();
  let messages = 0;
  let found = false;
  const look = (frame: Frame): void => {
    if (frame.kind === Kind.SEND_DATAGRAM) messages++;
    found ||= frame.kind === kind;
  };
  while (!found) {
    const { bytes, start, length } = reader.room();
    reader.advance((await pipe.read(bytes.subarray(start, start + length)))!, look);
  }
  return messages;
}

/** Lets the event loop go on. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}
