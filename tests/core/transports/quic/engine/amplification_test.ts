/**
 * What a server sends to an address that may be forged: at most three times what came from it (RFC 9000 §8.1).
 *
 * @module
 */
import assert from "node:assert/strict";
import { NodeKey } from "../../../../../core/identity/node_key.ts";
import { selfSignedCertificate } from "../../../../../core/identity/certificate.ts";
import { limitsWith } from "../../../../../core/limits/limits.ts";
import { hostPort, loadQuiche } from "../../../../../core/transports/quic/engine/binding.ts";
import { tlsConfig } from "../../../../../core/transports/quic/engine/tls_config.ts";
import { bindUdp } from "../../../../../core/transports/quic/engine/udp.ts";
import { until } from "../processes.ts";
import { quicServer } from "../support.ts";

const quiche = await loadQuiche();
/** Alone larger than what one Initial of a client lets a server say. */
const CERTIFICATE = selfSignedCertificate({ names: Array.from({ length: 200 }, (_, i) => `host-${i}.example.test`) });
const PROFILES = [
  { name: "a node's certificate", alpn: "alknet/test" },
  { name: "a certificate larger than that", alpn: "test/suite" },
];

for (const { name, alpn } of PROFILES) {
  for (const datagramSize of [1350, undefined]) {
    const size = datagramSize === undefined ? "datagrams of loopback" : `datagrams of ${datagramSize} bytes`;
    const setting = {
      alpns: PROFILES.map(({ alpn }) => alpn),
      profiles: { identity: NodeKey.generate().certificate(), public: CERTIFICATE },
      quic: { engine: "in-process", datagramSize },
    } as const;

    Deno.test(`QUIC server: one Initial that nobody follows up is answered with three times its bytes at most: ${name}, ${size}`, async () => {
      // Long enough for quiche's first probes and for our own copies.
      await using server = await quicServer({ ...setting, limits: { handshakeTimeout: 3500 } });
      using udp = await bindUdp({ hostname: "127.0.0.1", port: 0 });
      const config = tlsConfig(quiche, { alpns: [alpn], peer: "require", datagramSize: 1350, limits: limitsWith({}) });
      const scid = crypto.getRandomValues(new Uint8Array(8));
      const [from, to] = [hostPort(udp.address), hostPort(server.listener.address)];
      const [sent] = quiche.Connection.connect(null, scid, from, to, config).send(udp.slot(1350))!;
      udp.commit(sent, server.listener.address);
      udp.flush();
      await until("the handshake begins", () => server.gate.handshakes === 1);
      await until("the handshake is given up", () => server.gate.handshakes === 0);
      let received = 0;
      while (udp.receive((datagram) => received += datagram.byteLength) > 0);
      assert.ok(received > 0 && received <= 3 * sent, `${received} bytes for ${sent}`);
    });

    Deno.test(`QUIC server: who answers is told everything: ${name}, ${size}`, async () => {
      await using server = await quicServer(setting);
      const [client, accepted] = await server.pair({ alpn, expectation: { kind: "insecure" } });
      assert.equal(accepted.alpn, alpn);
      client.close();
      await accepted.closed;
    });
  }
}
