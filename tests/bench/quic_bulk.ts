/**
 * Bulk over QUIC: one stream, with datagrams as they go over the Internet and as they come on loopback; eight
 * connections on one engine process and on two.
 *
 * @module
 */
import { contestants, denoQuic, ourQuic } from "./contestants.ts";
import { compare, type Effort, type Figure, type Group } from "./harness.ts";

/** UDP payload that fits an Ethernet frame, with an IPv6 header. */
const ETHERNET = 1452;
/** Each of a client process of its own. */
const CONNECTIONS = 8;
const DIRECTIONS = ["upload", "download"] as const;

/** One stream, datagrams of at most 1452 bytes. */
export const bulkEthernet: Group = {
  name: "bulk-1452",
  run: (effort) => bulk(`bulk, one stream, datagrams of at most ${ETHERNET} bytes`, ETHERNET, 0.25, effort),
};

/** One stream, defaults. */
export const bulkLoopback: Group = {
  name: "bulk-loopback",
  run: (effort) => bulk("bulk, one stream, defaults on loopback", undefined, 1.25, effort),
};

/** Eight connections, two engine processes beside one. */
export const bulkEngines: Group = {
  name: "bulk-engines",
  async run(effort) {
    // The dials of a process share a socket, and the kernel gives a socket's datagrams to one engine.
    const clients = CONNECTIONS;
    await using running = await contestants([ourQuic({ engines: 2, clients }), ourQuic({ clients })]);
    const figures: Figure[] = [];
    for (const task of DIRECTIONS) {
      const [ours, peer] = await compare(running.all, { task }, effort);
      const name = `bulk, ${CONNECTIONS} connections, two engine processes, ${task}`;
      figures.push({ name, unit: "MB/s", ours, peer, peerName: "one engine process" });
    }
    return figures;
  },
};

async function bulk(
  what: string,
  datagramSize: number | undefined,
  wanted: number,
  effort: Effort,
): Promise<Figure[]> {
  await using running = await contestants([
    ourQuic({ datagramSize }),
    ourQuic({ datagramSize, engine: "in-process" }),
    denoQuic(),
  ]);
  const figures: Figure[] = [];
  for (const task of DIRECTIONS) {
    const [ours, inProcess, peer] = await compare(running.all, { task }, effort);
    const name = `${what}, ${task}`;
    figures.push({ name, unit: "MB/s", ours, inProcess, peer, peerName: "Deno.QuicEndpoint", wanted });
  }
  return figures;
}
