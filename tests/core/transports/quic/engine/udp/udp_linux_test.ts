import assert from "node:assert/strict";
import type { SocketAddress } from "../../../../../../core/handler/connection.ts";
import { bindLinuxUdp } from "../../../../../../core/transports/quic/engine/udp/udp_linux.ts";
import { udpSuite } from "../../../../../suites/udp_suite.ts";

for (const gso of [true, false]) {
  for (const gro of [true, false]) {
    const name = `linux, ${gso ? "GSO" : "no GSO"}, ${gro ? "GRO" : "no GRO"}`;
    udpSuite(name, "linux", (address, options) => bindLinuxUdp(address, { ...options, gso, gro }));
  }
}

for (const gso of [true, false]) {
  for (const [all, asked] of [["0.0.0.0", "127.0.0.1"], ["0.0.0.0", "127.0.0.2"], ["::", "127.0.0.3"], ["::", "::1"]]) {
    Deno.test({
      name: `UdpSocket (linux, ${
        gso ? "GSO" : "no GSO"
      }) bound to ${all} answers from the address that was asked, ${asked}`,
      ignore: Deno.build.os !== "linux",
      async fn() {
        using server = bindLinuxUdp({ hostname: all, port: 0 }, { gso });
        using client = bindLinuxUdp({ hostname: asked.includes(":") ? "::1" : "127.0.0.1", port: 0 });
        client.slot(3);
        client.commit(3, { hostname: asked, port: server.address.port });
        client.flush();
        let from: SocketAddress | undefined;
        while (server.receive((_data, remote) => from = remote) === 0) await server.readable();
        assert.deepEqual(from, client.address);
        // A train and a single one, and one to somebody who never called between them.
        for (const size of [500, 500, 500, 20]) {
          server.slot(size);
          server.commit(size, from!);
        }
        server.slot(30);
        server.commit(30, { ...client.address });
        assert.ok(server.flush());
        const answers: [number, string][] = [];
        while (answers.length < 5) {
          client.receive((data, { hostname }) => answers.push([data.byteLength, hostname]));
          if (answers.length < 5) await client.readable();
        }
        const named = asked.includes(":") ? "::1" : "127.0.0.1";
        const expected = [500, 500, 500, 20].map((size) => [size, asked]);
        assert.deepEqual(answers, [...expected, [30, named]]);
      },
    });
  }
}
