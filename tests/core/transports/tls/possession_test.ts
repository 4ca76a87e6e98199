/**
 * A certificate proves something only with a signature by its key (core.md §9). The peers here are real TLS 1.3
 * implementations that present someone else's certificate, as it is or bent so that webpki cannot read it.
 */
import assert from "node:assert/strict";
import { NodeKey } from "../../../../core/identity/node_key.ts";
import { PYTHON, ROOT, startPeer } from "../../../support/python.ts";
import { runProgram, start } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { forgeriesOf, pemOf } from "../forgeries.ts";
import { until } from "../quic/processes.ts";
import { tlsServer } from "./support.ts";

const victim = NodeKey.generate();
const rogue = NodeKey.generate();
/** What is presented, and with whose key the handshake is signed. */
const CASES = [
  { what: "its own certificate", der: victim.certificateDer, signer: victim, proves: true },
  { what: "another's certificate", der: victim.certificateDer, signer: rogue, proves: false },
  ...forgeriesOf(victim.certificateDer)
    // These two no TLS stack gets as far as signing for.
    .filter(({ what }) => !/nothing|longer/.test(what))
    .map(({ what, der }) => ({ what: `another's certificate with ${what}`, der, signer: rogue, proves: false })),
];

Deno.test({
  name:
    "TLS: the ticket of a session that proved a key does not stand for the key; one that proved none is resumed (core.md §13)",
  ...needs("openssl"),
  async fn() {
    await using folder = await temporaryFolder();
    await using server = await tlsServer();
    const { certificate, privateKey } = victim.certificate();
    const own = ["-cert", await folder.write("leaf", certificate), "-key", await folder.write("key", privateKey)];
    const target = ["-connect", `127.0.0.1:${server.port}`, "-servername", `${server.key.id}.alknet`];
    const client = (...args: string[]) => start("openssl", ["s_client", ...target, "-alpn", "test/suite", ...args]);
    const [proven, anonymous] = [folder.join("proven"), folder.join("anonymous")];
    for (const args of [[...own, "-sess_out", proven], ["-sess_out", anonymous]]) {
      await using _first = client(...args);
      const connection = await server.next();
      await until("the ticket arrives", () => /END SSL SESSION/.test(textOf(args.at(-1)!)));
      connection.close();
    }
    {
      await using _second = client("-sess_in", proven);
      await until("it is refused", () => server.gate.refused.get("resumed-session") === 1);
      assert.equal(server.accepted, 2);
    }
    await using second = client("-sess_in", anonymous);
    const connection = await server.next();
    await second.line(/^Reused, TLSv1.3/);
    assert.equal(connection.peer.fingerprint, undefined);
    assert.equal(server.gate.refused.get("resumed-session"), 1);
    connection.close();
  },
});

for (const { what, der, signer, proves } of CASES) {
  const outcome = proves ? "is known by it" : "is no one";

  Deno.test({
    name: `TLS: a client that presents ${what} ${outcome} (core.md §9)`,
    ...needs("python"),
    fn: async () => {
      await using folder = await temporaryFolder();
      await using server = await tlsServer(proves ? {} : { onConnection: (connection) => connection.close() });
      const files = [await folder.write("leaf", pemOf(der)), await folder.write("key", signer.toPem())];
      await folder.write("key.crt", signer.certificate().certificate);
      const running = runProgram(PYTHON, [
        `${ROOT}tests/peers/tls_rogue.py`,
        "client",
        ...files,
        "test/suite",
        String(server.port),
        `${server.key.id}.alknet`,
      ]);
      if (proves) {
        const connection = await server.next();
        assert.equal(connection.peer.fingerprint, victim.fingerprint);
        connection.close();
      }
      const { stdout, stderr } = await running;
      assert.ok(stdout.includes("handshake"), stderr);
      assert.equal(server.accepted, proves ? 1 : 0);
      assert.equal(server.gate.connections, 0);
      // The runtime lets this one through to our own look at it.
      if (what.includes("version 1")) assert.equal(server.gate.refused.get("certificate"), 1);
    },
  });

  Deno.test({
    name: `TLS: a server that presents ${what} ${
      proves ? "is accepted" : "is refused"
    } by who pins that key (core.md §9)`,
    ...needs("python"),
    fn: async () => {
      await using folder = await temporaryFolder();
      await using server = await tlsServer();
      const files = [await folder.write("leaf", pemOf(der)), await folder.write("key", signer.toPem())];
      await folder.write("key.crt", signer.certificate().certificate);
      await using peer = startPeer("tls_rogue.py", ["server", ...files, "test/suite"]);
      const { port } = await peer.json<{ port: number }>();
      const dialling = server.dial({
        address: { hostname: "127.0.0.1", port },
        expectation: { kind: "fingerprints", fingerprints: [victim.fingerprint] },
      });
      if (proves) {
        const connection = await dialling;
        assert.equal(connection.peer.fingerprint, victim.fingerprint);
        connection.close();
      } else {
        await assert.rejects(dialling, { code: /HANDSHAKE_FAILED|CERTIFICATE_REJECTED/ });
      }
    },
  });
}

function textOf(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
