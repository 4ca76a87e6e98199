/**
 * A node that publishes itself: timestamps, what is left out, relays that fail (row 66 of dns.md §11).
 *
 * @module
 */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import type { Logger } from "@alknet/core/handler";
import {
  nodeRecord,
  openDnsStore,
  type OwnNode,
  type PacketKey,
  publisher,
  type RelayClient,
  relayClient,
  sendPacket,
  type SignedPacket,
  signNode,
} from "../../../../handlers/dns/mod.ts";
import { KEY, now, packet, TIME } from "../pkarr/packets.ts";

const NODE: OwnNode = { addresses: ["192.0.2.7:4433"], alpns: ["alknet/call"] };
const key: PacketKey = KEY;

/** A relay in memory, which fails some times first. */
class Relay implements RelayClient {
  readonly name = "relay";
  readonly puts: SignedPacket[] = [];
  there: SignedPacket | undefined;
  fails: number;

  constructor({ there, fails = 0 }: { there?: SignedPacket; fails?: number } = {}) {
    this.there = there;
    this.fails = fails;
  }

  get(): Promise<SignedPacket | undefined> {
    return Promise.resolve(this.there);
  }

  put(packet: SignedPacket): Promise<"stored" | "older"> {
    if (this.fails-- > 0) return Promise.reject(new Error("down"));
    this.puts.push(packet);
    if (this.there && !packet.isNewerThan(this.there)) return Promise.resolve("older");
    this.there = packet;
    return Promise.resolve("stored");
  }
}

Deno.test("what a node signs is newer than what it signed before, and kept first (row 66)", () => {
  using store = openDnsStore(":memory:", { now });
  const { packets } = store;
  const stamps = [now(), now(), now() - 5000, now() + 1].map((at) => signNode(key, packets, NODE, at).timestamp);
  deepEqual(stamps.map((one) => one - TIME), [0n, 1n, 2n, 1000n]);
  deepEqual(packets.get(KEY.id)?.timestamp, TIME + 1000n);
  deepEqual(nodeRecord(packets.get(KEY.id)!), { ...NODE, expires: Number(TIME / 1_000_000n) + 86_400 });
});

Deno.test("what does not fit is left out: addresses for iroh, then protocols (row 66)", () => {
  using store = openDnsStore(":memory:", { now });
  const sign = (node: OwnNode) => {
    const signed = signNode(key, store.packets, node, now());
    const hasIroh = signed.records.some(({ name }) => name.key.includes("_iroh"));
    const hasApex = signed.records.some(({ type }) => type === 65);
    return [signed.toRelayPayload().byteLength <= 972, hasIroh, nodeRecord(signed)!.alpns.length, hasApex];
  };
  const alpns = (count: number) => Array.from({ length: count }, (_, n) => `alknet/protocol-${n}`);
  const hosts = Array.from({ length: 8 }, (_, n) => `${String(n).repeat(24)}.example:4433`);
  deepEqual(sign({ ...NODE, iroh: true, https: true }), [true, true, 1, true]);
  deepEqual(sign({ addresses: hosts, alpns: alpns(3), iroh: true, https: true }), [true, false, 3, false]);
  deepEqual(sign({ addresses: hosts, alpns: alpns(40), iroh: true }), [true, false, 0, false]);
});

Deno.test("a relay with a newer packet gets one above it, once (row 66)", async () => {
  using store = openDnsStore(":memory:", { now });
  const { packets } = store;
  const ahead = new Relay({ there: packet("x 300 TXT a", TIME + 3_600_000_000n) });
  const sent = await sendPacket(ahead, signNode(key, packets, NODE, now()), { key, packets });
  equal(sent.timestamp, TIME + 3_600_000_001n);
  deepEqual([ahead.puts.length, packets.get(KEY.id)?.timestamp], [2, sent.timestamp]);
  const stubborn: RelayClient = { name: "r", get: () => ahead.get(), put: () => Promise.resolve("older") };
  await rejects(sendPacket(stubborn, signNode(key, packets, NODE, now()), { key, packets }), { code: "PKARR_RELAY" });
});

Deno.test("hourly, give or take; a relay that fails is tried again at growing intervals, and told of once", async () => {
  using store = openDnsStore(":memory:", { now });
  let time = now();
  const waits: number[] = [];
  const shaky = new Relay({ fails: 9 });
  const lines: string[] = [];
  const told = (text: string) => lines.push(text);
  const enough = Promise.withResolvers<void>();
  const node = { ...NODE };
  await using _publisher = publisher({
    key,
    packets: store.packets,
    relays: [shaky],
    node: () => node,
    log: { warn: told, info: told } as unknown as Logger,
    random: () => 1,
    now: () => time,
    wait: (milliseconds, signal) => {
      waits.push(milliseconds);
      time += milliseconds;
      if (waits.length < 12) return Promise.resolve();
      enough.resolve();
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  });
  await enough.promise;
  const minutes = [10, 20, 40, 80, 160, 320, 600, 600, 600].map((seconds) => 1000 * seconds);
  deepEqual(waits, [...minutes, 3_960_000, 3_960_000, 3_960_000]);
  equal(lines.length, 2);
  match(lines[0], /not published/);
  match(lines[1], /again/);
  equal(shaky.puts.length, 3);
  ok(shaky.puts[2].isNewerThan(shaky.puts[1]) && shaky.puts[1].isNewerThan(shaky.puts[0]));
});

Deno.test("a relay is believed nothing: what it sends is verified, and it is not waited for", async () => {
  const good = packet("x 300 TXT a").toRelayPayload();
  const flipped = good.slice();
  flipped[100] ^= 1;
  const way = (answer: Uint8Array | undefined | Promise<never>) =>
    relayClient({ name: "r", get: () => Promise.resolve(answer), put: () => Promise.reject(new Error("no")) }, {
      timeout: 20,
      now,
    });
  equal((await way(good).get(KEY.id))?.timestamp, TIME);
  equal(await way(undefined).get(KEY.id), undefined);
  await rejects(way(flipped).get(KEY.id), { code: "PKARR_INVALID" });
  await rejects(way(good).put(packet("x 300 TXT a")), { code: "PKARR_RELAY", message: "relay r: no" });
  await rejects(way(good).get("nonsense"), { code: "INVALID_NODE_ID" });
  const silent = relayClient({
    name: "r",
    get: (_, signal) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    put: () => Promise.reject(new Error("no")),
  }, { timeout: 20 });
  // What the timer of the signal needs to stay alive.
  const held = setInterval(() => {}, 1000);
  await rejects(silent.get(KEY.id), { code: "PKARR_RELAY", message: /did not answer within 20 ms/ });
  clearInterval(held);
});
