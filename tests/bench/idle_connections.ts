/**
 * What idle QUIC connections cost a node, and whether an active one beside them costs more.
 *
 * @module
 */
import { idleCost } from "../faults/idle.ts";
import type { Figure, Group } from "./harness.ts";

const CONNECTIONS = 2000;
/** Enough to see that it works. */
const FEW = 20;
const KIB = 1024;

/** Memory and CPU time; there is no peer but the node without them. */
export const idle: Group = {
  name: "idle",
  async run({ rounds }) {
    const count = rounds > 1 ? CONNECTIONS : FEW;
    const cost = await idleCost(count);
    const memory = (what: string, bytes: number): Figure => ({
      name: `${count} idle QUIC connections, ${what}`,
      unit: "KiB each",
      ours: bytes / KIB,
    });
    return [
      memory("our heap, node and engine", cost.heapPerConnection),
      memory("resident memory of the node", cost.nodePerConnection),
      memory("resident memory of the engine, quiche's with it", cost.enginePerConnection),
      { name: `${count} idle QUIC connections, CPU time of a second`, unit: "ms", ours: cost.cpuIdle },
      {
        name: `an exchange of 16 MB beside ${count} idle QUIC connections, CPU time`,
        unit: "ms",
        ours: cost.cpuBeside,
        peer: cost.cpuAlone,
        peerName: "with none idle",
        lessIsBetter: true,
      },
    ];
  },
};
