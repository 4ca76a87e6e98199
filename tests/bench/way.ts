/**
 * The way without QUIC: 64 bytes over UDP to the engine, through its pipe to the node, and back. What a round trip costs
 * before a packet is sealed or opened, and so what no round trip of ours can be faster than.
 *
 * @module
 */
import { contestants, denoQuic } from "./contestants.ts";
import { compare, type Contestant, type Group, script, startContestant } from "./harness.ts";

/** The way alone, beside the peer's round trip with all of QUIC in it. */
export const way: Group = {
  name: "way",
  async run(effort) {
    await using ways = await contestants([walk("process"), walk("in-process")]);
    await using peers = await contestants([denoQuic()]);
    const [ours, inProcess] = await compare(ways.all, { task: "wayPingPong" }, effort);
    const [peer] = await compare(peers.all, { task: "pingPong" }, effort);
    const name = "the way alone, no QUIC: 64-byte ping-pong, beside the peer's with QUIC";
    return [{ name, unit: "/s", ours, inProcess, peer, peerName: "Deno.QuicEndpoint" }];
  },
};

function walk(engine: "process" | "in-process"): Promise<Contestant> {
  return startContestant({ server: [script("way_node.ts"), engine], client: [script("way_client.ts")] });
}
