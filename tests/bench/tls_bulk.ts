/**
 * Bulk over the TLS transport, through a handler, beside `node:tls` with nothing above it.
 *
 * @module
 */
import { contestants, nodeTls, ourTls } from "./contestants.ts";
import { compare, type Figure, type Group } from "./harness.ts";

/** One stream, both directions. */
export const tlsBulk: Group = {
  name: "tls",
  async run(effort) {
    await using running = await contestants([ourTls(), nodeTls()]);
    const figures: Figure[] = [];
    for (const task of ["upload", "download"]) {
      const [ours, peer] = await compare(running.all, { task }, effort);
      const name = `bulk over TLS through a handler, ${task}`;
      figures.push({ name, unit: "MB/s", ours, peer, peerName: "node:tls", wanted: 0.8 });
    }
    return figures;
  },
};
