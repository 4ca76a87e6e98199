/**
 * Paths and packets of the tests of the mixnet, those of the specification's fixed points among them (msg.md §5.1).
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Random, sha256, systemBytes } from "../../../core/crypto/mod.ts";
import { MemoryMixKey } from "../../../handlers/mix/node/mix_keys.ts";
import type { Route, SphinxPacket } from "../../../handlers/mix/packet/packet.ts";
import type { Scheme } from "../../../handlers/mix/packet/scheme.ts";
import type { ReplyRoute } from "../../../handlers/mix/packet/surb.ts";
import { unwrap, type Unwrapped } from "../../../handlers/mix/packet/unwrap.ts";

/** Hex byte b, so many times. */
export const times = (byte: number, count = 32): Uint8Array => new Uint8Array(count).fill(byte);
/** SHA-256 to 16 bytes. */
export const point = (bytes: Uint8Array): string => sha256(bytes).subarray(0, 16).toHex();
/** A bit turned. */
export const flipped = (bytes: Uint8Array, bit: number): Uint8Array =>
  bytes.with(bit >> 3, bytes[bit >> 3] ^ 1 << (bit & 7)) as Uint8Array;

/** Gives these, one a call. */
export function drawing(...bytes: readonly Uint8Array[]): Random {
  const left = bytes.map((one) => one.slice());
  return (length) => {
    const next = left.shift();
    if (next?.byteLength !== length) throw new Error(`${length} bytes were drawn, which nobody foresaw`);
    return next;
  };
}

/** A node with its identity and its key. */
export interface TestNode {
  readonly id: Uint8Array;
  readonly secret: Uint8Array;
  readonly key: MemoryMixKey;
}

/** A node of secrets. */
export function nodeOf(secret: Uint8Array, id: Uint8Array, epoch = 0): TestNode {
  return { id, secret, key: new MemoryMixKey(epoch, secret) };
}

/** Nodes drawn at random. */
export function nodes(count: number, random: Random = systemBytes, epoch = 0): TestNode[] {
  return Array.from({ length: count }, () => nodeOf(random(32), random(32), epoch));
}

/** The five of the fixed points: keys 01* to 05*, ids 11* to 15*. They remember what they have seen. */
export function fixedNodes(): TestNode[] {
  return [1, 2, 3, 4, 5].map((n) => nodeOf(times(n), times(0x10 + n)));
}

/** Through these nodes, the first waits a second, the next two, and so on. */
export function through(path: readonly TestNode[], recipient: Uint8Array, epoch = 0): Route {
  const hops = path.map(({ id, key }) => ({ id, key: key.publicKey }));
  return { epoch, hops, delays: path.slice(1).map((_, i) => (i + 1) * 1000), recipient };
}

/** The same for a reply. */
export function back(path: readonly TestNode[], recipient: Uint8Array, surbId: Uint8Array, epoch = 0): ReplyRoute {
  return { ...through(path, recipient, epoch), surbId };
}

/** One layer off at a node. */
export function at(node: TestNode, packet: SphinxPacket, scheme?: Scheme, mostDelay?: number): Promise<Unwrapped> {
  return unwrap(packet, { keys: node.key, now: 0, scheme, mostDelay });
}

/** What a node passes on; it has to. */
export async function forwarded(node: TestNode, packet: SphinxPacket, scheme?: Scheme) {
  const out = await at(node, packet, scheme);
  assert.equal(out.kind, "forward", JSON.stringify(out));
  return out as Extract<Unwrapped, { kind: "forward" }>;
}

/** Along all nodes of a path: what the last one has. */
export async function along(path: readonly TestNode[], packet: SphinxPacket, scheme?: Scheme): Promise<Unwrapped> {
  let going = packet;
  for (const [i, node] of path.slice(0, -1).entries()) {
    const { packet, next, delay } = await forwarded(node, going, scheme);
    assert.deepEqual([next, delay], [path[i + 1].id, (i + 1) * 1000]);
    going = packet;
  }
  return await at(path.at(-1)!, going, scheme);
}
