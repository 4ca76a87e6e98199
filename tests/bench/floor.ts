/**
 * What quiche and its binding cost by themselves: both ends in one thread, packets handed over in memory, nothing of ours
 * around them. No figure of ours can be above the one of its kind here, shared between the two processes it runs in.
 *
 * @module
 */
import {
  loadQuiche,
  type Quiche,
  type QuicheConfig,
  type QuicheConnection,
} from "../../core/transports/quic/engine/binding.ts";
import { newConnectionId } from "../../core/transports/quic/engine/admission/connection_ids.ts";
import { tlsConfig } from "../../core/transports/quic/engine/tls_config.ts";
import { NodeKey } from "../../core/identity/node_key.ts";
import { limitsWith } from "../../core/limits/limits.ts";
import { type Effort, type Group, median } from "./harness.ts";

const CLIENT = { host: "127.0.0.1", port: 1 };
const SERVER = { host: "127.0.0.1", port: 2 };
const DATAGRAM = 1350;
const MESSAGE = new Uint8Array(64);
/** Does something so often between two looks at the clock. */
const CALLS = 50;

/** Both ends of a connection. */
interface Pair {
  readonly client: QuicheConnection;
  readonly server: QuicheConnection;
}

/** quiche alone. */
export const floor: Group = {
  name: "floor",
  async run(effort) {
    const quiche = await loadQuiche();
    const configs = { client: configuration(quiche), server: configuration(quiche) };
    const { client, server } = connected(quiche, configs);
    const scratch = new Uint8Array(DATAGRAM);
    let stream = 0;
    const exchange = (id: number, fin: boolean) => {
      client.streamSend(id, MESSAGE, fin);
      carry(client, server, CLIENT, SERVER);
      server.streamRecv(id, scratch);
      server.streamSend(id, MESSAGE, fin);
      carry(server, client, SERVER, CLIENT);
      client.streamRecv(id, scratch);
    };
    return [
      {
        name: "quiche alone, both ends in one thread: open a stream, 64 bytes, reply",
        unit: "/s",
        ours: rate(effort, () => exchange(stream += 4, true)),
      },
      {
        name: "quiche alone, both ends in one thread: 64-byte ping-pong on one stream",
        unit: "/s",
        ours: rate(effort, () => exchange(0, false)),
      },
      {
        name: "quiche alone, both ends in one thread: full handshakes, mutual certificates",
        unit: "/s",
        ours: rate(effort, () => connected(quiche, configs)),
      },
    ];
  },
};

function configuration(quiche: Quiche): QuicheConfig {
  const certificate = NodeKey.generate().certificate();
  return tlsConfig(quiche, {
    alpns: ["floor"],
    certificate,
    peer: "require",
    datagramSize: DATAGRAM,
    limits: limitsWith(),
  });
}

function connected(quiche: Quiche, configs: { client: QuicheConfig; server: QuicheConfig }): Pair {
  const client = quiche.Connection.connect("floor.test", newConnectionId(), CLIENT, SERVER, configs.client);
  const server = quiche.Connection.accept(newConnectionId(), null, SERVER, CLIENT, configs.server);
  while (carry(client, server, CLIENT, SERVER) + carry(server, client, SERVER, CLIENT) > 0);
  if (!client.isEstablished() || !server.isEstablished()) throw new Error("the handshake did not come to its end");
  return { client, server };
}

const room = new Uint8Array(DATAGRAM);

/** Hands over what one end has to send; gives the number of packets. */
function carry(from: QuicheConnection, to: QuicheConnection, source: typeof CLIENT, target: typeof CLIENT): number {
  for (let count = 0;; count++) {
    const packet = from.send(room);
    if (packet === null) return count;
    to.recv(room.subarray(0, packet[0]), { from: source, to: target });
  }
}

/** Calls a second: the median of the rounds. */
function rate({ rounds, seconds, warmUp }: Effort, call: () => void): number {
  const once = (length: number): number => {
    const begun = performance.now();
    let count = 0;
    do {
      for (let i = 0; i < CALLS; i++) call();
      count += CALLS;
    } while (performance.now() - begun < length * 1000);
    return count / (performance.now() - begun) * 1000;
  };
  once(warmUp);
  return median(Array.from({ length: rounds }, () => once(seconds)));
}
