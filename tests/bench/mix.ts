/**
 * Packets of the mixnet beside a program in Go that does the same, beside Nym's in Rust, and beside the exchanges of X25519
 * that they need (msg.md §8). Go's are Katzenpost's, of the same lengths: another derivation of keys, and AEZ for the body.
 * Nym's are of another format, of which bodies are as long.
 *
 * @module
 */
import { systemBytes, x25519, x25519Public } from "@alknet/core/crypto";
import { makePacket, MemoryMixKey, type Route, unwrap } from "@alknet/handlers/mix";
import { start } from "../support/process.ts";
import { has } from "../support/programs.ts";
import { GO_SPHINX_PEER } from "../support/python.ts";
import { SPHINX_PEER } from "../support/rust.ts";
import { compare, type Contestant, type Figure, type Group } from "./harness.ts";

const random = systemBytes;
/** Others, where they could be built. */
const PEERS = [
  { name: "Go, AEZ", need: "go-sphinx", program: GO_SPHINX_PEER },
  { name: "sphinx-packet", need: "sphinx-peer", program: SPHINX_PEER },
] as const;
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

    await using peers = new AsyncDisposableStack();
    const programs = PEERS.filter(({ need }) => has(need)).map(({ name, program }) => ({
      name,
      contestant: peers.use(peer(program)),
    }));
    const figures = async (task: string, name: string, work: () => unknown, count: number, wanted: number) => {
      const others = [...programs, { name: `${count} X25519`, contestant: inProcess(exchanges(count)) }];
      const contestants = [inProcess(work), ...others.map(({ contestant }) => contestant)];
      const [ours, ...theirs] = await compare(contestants, { task }, effort);
      return others.map((other, i) => beside(name, ours, theirs[i], other.name, i < programs.length ? 0.4 : wanted));
    };
    return [
      ...await figures("unwrap", "unwrap a packet", () => unwrap(packet, options), 2, 0.5),
      ...await figures("make", "make a packet, 5 hops", () => makePacket(route, body, { random }), 20, 0.6),
    ];
  },
};

function beside(name: string, ours: number, peer: number, peerName: string, wanted: number): Figure {
  return { name: `mix: ${name}`, unit: "/s", ours, peer, peerName, wanted };
}

function peer(program: string): Contestant {
  const child = start(program);
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
