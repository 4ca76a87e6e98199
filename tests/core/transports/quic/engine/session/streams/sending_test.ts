import assert from "node:assert/strict";
import { Holdings } from "../../../../../../../core/handler/holdings.ts";
import type { QuicheConnection } from "../../../../../../../core/transports/quic/engine/binding.ts";
import { FrameBudget } from "../../../../../../../core/transports/quic/engine/session/frame_budget.ts";
import { SessionStreams } from "../../../../../../../core/transports/quic/engine/session/streams/session_streams.ts";
import { CREDIT_STEP, NO_STREAM, type SessionEvents } from "../../../../../../../core/transports/quic/link/link.ts";

/** Streams of a peer that takes so many bytes of each and then no more. */
function streamsOf(room: number) {
  const heard: string[] = [];
  const taken = new Map<number, number>();
  const quiche = {
    streamSend(id: number, bytes: Uint8Array): number | null {
      const had = taken.get(id) ?? 0;
      const more = Math.min(bytes.byteLength, room - had);
      taken.set(id, had + more);
      return bytes.byteLength > 0 && more === 0 ? null : more;
    },
    streamCapacity: () => 0,
    streamShutdown: (id: number, _direction: number, code: number) => heard.push(`reset ${id} ${code}`),
  } as unknown as QuicheConnection;
  const events = {
    grant: (id: number, bytes: number) => heard.push(`grant ${id === NO_STREAM ? "all" : id} ${bytes}`),
    peerStopped: (id: number, code: number) => heard.push(`stopped ${id} ${code}`),
  } as unknown as SessionEvents;
  const shared = { scratch: new Uint8Array(8), accounts: new Holdings().open("192.0.2.1") };
  const streams = new SessionStreams(quiche, events, shared, true, new FrameBudget());
  return { streams, heard };
}

Deno.test("of streams that wait for their peer the one with most is cut, and the node gets its room back", () => {
  const { streams, heard } = streamsOf(1000);
  const sizes = [50_000, 2 * CREDIT_STEP, 10_000];
  sizes.forEach((size, i) => {
    streams.open(4 * i);
    streams.sending.send(4 * i, new Uint8Array(size), false);
  });
  streams.sending.drain();
  assert.deepEqual(heard, [], "what quiche took is less than is worth telling");
  streams.sending.cutLargest(258);
  assert.deepEqual(heard, ["reset 4 258", `grant all ${2 * CREDIT_STEP + 2000}`, "stopped 4 258"]);
  streams.sending.cutLargest(258);
  assert.deepEqual(heard.slice(3), ["reset 0 258", "stopped 0 258"]);
});

Deno.test("who waits for nobody is not cut", () => {
  const { streams, heard } = streamsOf(1e6);
  streams.open(0);
  streams.sending.send(0, new Uint8Array(10_000), false);
  streams.sending.drain();
  streams.sending.cutLargest(258);
  assert.deepEqual(heard, []);
});

Deno.test("what is sent on a stream that is over is the node's again", () => {
  const { streams, heard } = streamsOf(0);
  streams.open(0);
  streams.sending.reset(0, 7);
  streams.sending.send(0, new Uint8Array(CREDIT_STEP), false);
  assert.deepEqual(heard, ["reset 0 7", `grant all ${CREDIT_STEP}`]);
});

Deno.test("bytes that come one by one and wait share arrays", () => {
  const { streams } = streamsOf(0);
  streams.open(0);
  for (let i = 0; i < 10_000; i++) streams.sending.send(0, Uint8Array.of(i), false);
  streams.sending.drain();
  assert.ok(streams.sending.isBlocked);
  assert.ok(streams.sending.arrays <= 4, `${streams.sending.arrays} arrays`);
});
