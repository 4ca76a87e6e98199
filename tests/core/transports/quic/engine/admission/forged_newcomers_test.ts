import assert from "node:assert/strict";
import { DEFAULT_LIMITS } from "../../../../../../core/limits/limits.ts";
import { loadQuiche } from "../../../../../../core/transports/quic/engine/binding.ts";
import { tlsConfig } from "../../../../../../core/transports/quic/engine/tls_config.ts";
import { bindUdp } from "../../../../../../core/transports/quic/engine/udp/udp.ts";
import { ENGINES, quicServer } from "../../support.ts";

const quiche = await loadQuiche();

for (const { name, ...quic } of ENGINES) {
  Deno.test(`${name}: packets in the name of an address keep nobody out who is there`, async () => {
    // The limits that a node has.
    const { maxConnectionsPerAddress, connectionRate, connectionBurst } = DEFAULT_LIMITS;
    await using server = await quicServer({
      quic,
      limits: { maxConnectionsPerAddress, connectionRate, connectionBurst },
    });
    using forger = await bindUdp({ hostname: "127.0.0.1", port: 0 });
    const forge = (count: number): void => {
      while (count-- > 0) {
        const packet = initial(server.port);
        forger.slot(packet.byteLength).set(packet);
        forger.commit(packet.byteLength, server.listener.address);
      }
      forger.flush();
    };
    forge(2 * maxConnectionsPerAddress);
    for (let round = 0; round < 5; round++) {
      const [client, accepted] = await server.pair();
      assert.ok(accepted);
      client.close();
      forge(20);
    }
  });
}

/** The first datagram of a newcomer that never reads an answer. */
function initial(port: number): Uint8Array {
  const config = tlsConfig(quiche, {
    alpns: ["test/suite"],
    peer: "require",
    datagramSize: 1350,
    limits: DEFAULT_LIMITS,
  });
  const id = crypto.getRandomValues(new Uint8Array(8));
  const local = { host: "127.0.0.1", port: 1 };
  const connection = quiche.Connection.connect(null, id, local, { host: "127.0.0.1", port }, config);
  const room = new Uint8Array(1350);
  return room.slice(0, connection.send(room)![0]);
}
