/**
 * Packets of the mixnet beside a program in Go that does the same, and beside the exchanges of X25519 that they need (msg.md
 * §8). The peer's are Katzenpost's, of the same lengths: another derivation of keys, and AEZ for the body.
 *
 * @module
 */
import { systemBytes, x25519, x25519Public } from "@alknet/core/crypto";
import { makePacket, MemoryMixKey, type Route, unwrap } from "@alknet/handlers/mix";
import { start } from "../support/process.ts";
import { GO_SPHINX_PEER } from "../support/python.ts";
import { compare, type Contestant, type Figure, type Group } from "./harness.ts";

const random = systemBytes;
/** Calls between two looks at the clock. */
const CALLS = 10;

/** What a node does with a packet, and what a sender does to make one. */
export const mixPackets: Group = {
  name: "mix-packets",
  async run(effort) {
    const secrets = Array.from({ length: 5 }, () => random(32));
    const keys = secrets.map((secret) => new MemoryMixKey(0, secret));
    const hops = keys.map(({ publicKey: key }) => ({ id: random(32), key }));
    const route: Route = { epoch: 0, hops, delays: [1, 2, 3, 4], recipient: random(32) };
    const body = random(2692);
    const packet = makePacket(route, body, { random });
    // The peer remembers no tags either; the same packet comes again and again.
    const agree = (alpha: Uint8Array) => keys[0].agree(alpha);
    const taking = { epoch: 0, agree, fresh: () => Promise.resolve(true) };
    const options = { keys: { live: () => taking }, now: 0 };
    const point = x25519Public(secrets[0]);
    const exchanges = (count: number) => () => {
      for (let i = 0; i < count; i++) x25519(secrets[0], point);
    };

    await using go = peer();
    const unwrapping = inProcess(() => unwrap(packet, options));
    const [ours, theirs, floor] = await compare([unwrapping, go, inProcess(exchanges(2))], { task: "unwrap" }, effort);
    const making = inProcess(() => makePacket(route, body, { random }));
    const [made, theirMade, madeFloor] = await compare(
      [making, go, inProcess(exchanges(20))],
      { task: "make" },
      effort,
    );
    return [
      beside("unwrap a packet", ours, theirs, "Go, AEZ", 0.4),
      beside("unwrap a packet", ours, floor, "2 X25519", 0.5),
      beside("make a packet, 5 hops", made, theirMade, "Go, AEZ", 0.4),
      beside("make a packet, 5 hops", made, madeFloor, "20 X25519", 0.6),
    ];
  },
};

function beside(name: string, ours: number, peer: number, peerName: string, wanted: number): Figure {
  return { name: `mix: ${name}`, unit: "/s", ours, peer, peerName, wanted };
}

function peer(): Contestant {
  const child = start(GO_SPHINX_PEER);
  return {
    async measure({ task }, seconds) {
      await child.write(`${JSON.stringify({ task, seconds })}\n`);
      return (await child.json<{ value: number }>()).value;
    },
    [Symbol.asyncDispose]: () => child[Symbol.asyncDispose](),
  };
}

function inProcess(work: () => unknown): Contestant {
  return {
    async measure(_task, seconds) {
      const begun = performance.now();
      let [done, elapsed] = [0, 0];
      do {
        for (let i = 0; i < CALLS; i++) await work();
        done += CALLS;
        elapsed = performance.now() - begun;
      } while (elapsed < seconds * 1000);
      return done / elapsed * 1000;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
