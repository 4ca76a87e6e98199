import assert from "node:assert/strict";
import type { QuicheConnection } from "../../../../../../core/transports/quic/engine/binding.ts";
import { FrameBudget } from "../../../../../../core/transports/quic/engine/session/frame_budget.ts";
import { Intake } from "../../../../../../core/transports/quic/engine/session/intake.ts";

const INFO = { from: { host: "192.0.2.1", port: 1 }, to: { host: "192.0.2.2", port: 2 } };

/** An intake over a connection that takes what `genuine` says, and how often that was asked for its counters. */
function taking(genuine: (packet: Uint8Array) => boolean) {
  const counts = { recv: 0, asked: 0 };
  const quiche = {
    recv: (packet: Uint8Array) => void (genuine(packet) && counts.recv++),
    stats: () => {
      counts.asked++;
      return { recv: counts.recv };
    },
  } as unknown as QuicheConnection;
  const frames = new FrameBudget();
  return { intake: new Intake(quiche, INFO, frames), frames, counts };
}

/** A packet with a long header of version 1 and 20 bytes behind it. */
const LONG = Uint8Array.of(0xe0, 0, 0, 0, 1, 0, 0, 20, ...new Uint8Array(19), 1);

/** A short packet with a datagram message of one byte; its last byte says whether it is genuine. */
function packet(genuine = true): Uint8Array {
  return Uint8Array.of(0x40, ...new Uint8Array(8), 0, 0x31, 1, 7, ...new Uint8Array(15), genuine ? 1 : 0);
}
const isGenuine = (bytes: Uint8Array) => bytes.at(-1) === 1;

Deno.test("Intake: frames of a batch are counted, and quiche is asked once for many packets", () => {
  const { intake, frames, counts } = taking(isGenuine);
  assert.deepEqual([1, 2, 3].map(() => intake.receive(packet(), true)), [true, false, false]);
  intake.judge();
  assert.deepEqual([frames.datagrams, counts.asked], [3, 1]);
  intake.judge();
  assert.equal(counts.asked, 1);
  for (let i = 0; i < 64; i++) intake.receive(packet(), true);
  intake.judge();
  assert.deepEqual([frames.datagrams, counts.asked], [67, 3]);
});

Deno.test("Intake: before the handshake is confirmed each packet is asked about", () => {
  const { intake, frames, counts } = taking(isGenuine);
  for (const genuine of [true, false, true]) assert.equal(intake.receive(packet(genuine), false), false);
  assert.deepEqual([frames.datagrams, counts.asked], [2, 3]);
});

Deno.test("Intake: a packet that was not genuine hides a batch, and none after it", () => {
  const { intake, frames } = taking(isGenuine);
  intake.receive(packet(), true);
  intake.receive(packet(false), true);
  for (let i = 0; i < 100; i++) intake.receive(packet(), true);
  intake.judge();
  // 32 with the forged one among them are uncounted.
  assert.equal(frames.datagrams, 102 - 32);
  for (const genuine of [false, true, false, true]) intake.receive(packet(genuine), true);
  assert.equal(frames.datagrams, 102 - 32 + 2);
});

Deno.test("Intake: long packets count as none of the short ones that follow them", () => {
  const { intake, frames, counts } = taking(isGenuine);
  assert.equal(intake.receive(LONG, false), false);
  assert.equal(counts.asked, 0);
  intake.receive(Uint8Array.of(...LONG, ...packet(false)), false);
  assert.deepEqual([frames.datagrams, intake.taken], [0, 2]);
  intake.receive(LONG, true);
  intake.receive(packet(), true);
  intake.judge();
  assert.deepEqual([frames.datagrams, intake.taken], [1, 4]);
});
