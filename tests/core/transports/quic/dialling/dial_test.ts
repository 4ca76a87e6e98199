/**
 * Dialling over QUIC where the machine, or how an address is written, makes it hard.
 *
 * @module
 */
import assert from "node:assert/strict";
import { loadQuiche } from "../../../../../core/transports/quic/engine/binding.ts";
import { runProgram } from "../../../../support/process.ts";
import { needs } from "../../../../support/programs.ts";
import { PYTHON, ROOT } from "../../../../support/python.ts";
import { quicServer } from "../support.ts";

const PROGRAM = new URL("../dialling_program.ts", import.meta.url).pathname;
const EAFNOSUPPORT = 97;

await loadQuiche();

for (const udp of ["auto", "node"] as const) {
  Deno.test(`dialQuic over UDP of kind "${udp}": an address is the same however it is written (RFC 4291 §2.2)`, async () => {
    await using server = await quicServer({ quic: { engine: "in-process", udp }, hostname: "::1" });
    for (const hostname of ["::1", "0:0:0:0:0:0:0:1", "::0001", "0::1", "::0.0.0.1", "::1%lo"]) {
      const [client, accepted] = await server.pair({ address: { hostname, port: server.port } });
      assert.equal(client.remoteAddress.hostname, "::1");
      client.close();
      await accepted.closed;
    }
  });
}

Deno.test("dialQuic: an IPv4 address within an IPv6 one is dialled as IPv4 (RFC 4291 §2.5.5.2)", async () => {
  await using server = await quicServer();
  for (const hostname of ["::ffff:127.0.0.1", "::FFFF:7f00:1", "0:0:0:0:0:ffff:127.0.0.1"]) {
    const [client, accepted] = await server.pair({ address: { hostname, port: server.port } });
    assert.equal(client.remoteAddress.hostname, "127.0.0.1");
    client.close();
    await accepted.closed;
  }
});

Deno.test({
  name: "dialQuic: on a host without IPv6 an IPv6 address is out of reach, and the name's other addresses are tried",
  ...needs("linux", "python"),
  ignore: Deno.build.arch !== "x86_64",
  async fn() {
    const command = [`${ROOT}tests/peers/deny.py`, "socket6", String(EAFNOSUPPORT), Deno.execPath()];
    const { code, stdout, stderr } = await runProgram(PYTHON, [
      ...command,
      "run",
      "-A",
      "--quiet",
      PROGRAM,
      "families",
    ]);
    assert.deepEqual([code, stdout], [0, "::1 UNREACHABLE, 127.0.0.1\n"], stderr);
  },
});
