import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { selfSignedCertificate } from "../../../../core/identity/certificate.ts";
import { NodeKey } from "../../../../core/identity/node_key.ts";
import { listenTls } from "../../../../core/transports/tls/tls.ts";
import { runProgram, start } from "../../../support/process.ts";
import { needs } from "../../../support/programs.ts";
import { temporaryFolder } from "../../../support/temp.ts";
import { tlsServer } from "./support.ts";

/** What `openssl s_client` is told, and what it and the server come to. */
const CLIENTS: readonly { what: string; args: string[]; alpn?: string; alert?: number }[] = [
  { what: "a known ALPN", args: ["-alpn", "alknet/echo"], alpn: "alknet/echo" },
  { what: "a known ALPN over TLS 1.2", args: ["-alpn", "alknet/echo", "-tls1_2"], alpn: "alknet/echo" },
  { what: "an unknown ALPN", args: ["-alpn", "nope"], alert: 120 },
  { what: "an unknown ALPN over TLS 1.2", args: ["-alpn", "nope", "-tls1_2"], alert: 120 },
  { what: "no ALPN", args: [], alert: 120 },
  { what: "a longer ALPN", args: ["-alpn", "alknet/echo2"], alert: 120 },
  { what: "a shorter ALPN", args: ["-alpn", "alknet/ech"], alert: 120 },
  { what: "an ALPN in upper case", args: ["-alpn", "ALKNET/ECHO"], alert: 120 },
  { what: "h2 before http/1.1", args: ["-alpn", "h2,http/1.1"], alpn: "h2" },
  { what: "http/1.1 before h2", args: ["-alpn", "http/1.1,h2"], alpn: "h2" },
  { what: "known ones behind an unknown one", args: ["-alpn", "nope,http/1.1"], alpn: "http/1.1" },
];

for (const { what, args, alpn, alert } of CLIENTS) {
  const outcome = alpn ? `gets ${alpn}` : `is refused with alert ${alert}, and no handler runs`;
  Deno.test({
    name: `TLS: a client that offers ${what} ${outcome} (core.md §18 rows 2 to 6)`,
    ...needs("openssl"),
    fn: async () => {
      await using server = await tlsServer({
        alpns: ["alknet/echo", "h2", "http/1.1"],
        public: selfSignedCertificate({ names: ["localhost"] }),
      });
      const target = ["-connect", `127.0.0.1:${server.port}`, "-servername", "localhost"];
      const client = runProgram("openssl", ["s_client", ...target, ...args], { stdin: "" });
      if (alpn) {
        const connection = await server.next();
        assert.equal(connection.alpn, alpn);
        await connection[Symbol.asyncDispose]();
      }
      const { stdout, stderr } = await client;
      if (alpn) assert.ok(stdout.includes(`ALPN protocol: ${alpn}`), stdout);
      else assert.ok(stderr.includes(`SSL alert number ${alert}`), stderr);
      assert.equal(server.accepted, alpn ? 1 : 0);
      const refused = [...server.gate.refused];
      assert.deepEqual(refused, alpn ? [] : [[args.includes("-alpn") ? "unknown-protocol" : "no-protocol", 1]]);
    },
  });
}

Deno.test({
  name: "TLS: who names no protocol gets the one that the listener has for it; who names one is treated as everywhere",
  ...needs("openssl"),
  fn: async () => {
    await using server = await tlsServer({
      alpns: ["alknet/echo", "dot"],
      withoutAlpn: "dot",
      public: selfSignedCertificate({ names: ["localhost"] }),
    });
    const target = ["-connect", `127.0.0.1:${server.port}`, "-servername", "localhost"];
    for (const args of [[], ["-tls1_2"]]) {
      const client = runProgram("openssl", ["s_client", ...target, ...args], { stdin: "" });
      const connection = await server.next();
      assert.equal(connection.alpn, "dot");
      await connection[Symbol.asyncDispose]();
      assert.match((await client).stdout, /No ALPN negotiated/);
    }
    for (
      const [alpn, says] of [["nope", /SSL alert number 120/], ["alknet/echo", /ALPN protocol: alknet\/echo/]] as const
    ) {
      const client = runProgram("openssl", ["s_client", ...target, "-alpn", alpn], { stdin: "" });
      if (alpn !== "nope") {
        const connection = await server.next();
        assert.equal(connection.alpn, alpn);
        await connection[Symbol.asyncDispose]();
      }
      const { stdout, stderr } = await client;
      assert.match(stdout + stderr, says);
    }
    assert.deepEqual([...server.gate.refused], [["unknown-protocol", 1]]);
  },
});

Deno.test("TLS: the server name picks the certificate, and whether the client's is asked for (core.md §18 row 50)", async () => {
  const pair = selfSignedCertificate({ names: ["localhost"] });
  await using server = await tlsServer({ public: pair });
  const client = NodeKey.generate();
  const names: [string | undefined, boolean][] = [
    [`${server.key.id}.alknet`, true],
    [`${server.key.id.toUpperCase()}.ALKNET`, true],
    [`${client.id}.alknet`, false],
    ["localhost", false],
    [undefined, false],
  ];
  for (const [serverName, identity] of names) {
    const dialled = await server.dial({
      serverName,
      expectation: { kind: "insecure" },
      certificate: client.certificate(),
    });
    const accepted = await server.next();
    assert.equal(dialled.peer.fingerprint === server.key.fingerprint, identity, serverName);
    assert.equal(accepted.peer.fingerprint, identity ? client.fingerprint : undefined, serverName);
    dialled.close();
  }
});

Deno.test("TLS: the identity profile asks for a client certificate and does without (core.md §18 row 32)", async () => {
  await using server = await tlsServer();
  const dialled = await server.dial();
  const accepted = await server.next();
  assert.deepEqual(accepted.peer, {});
  assert.equal(accepted.remoteAddress.hostname, "127.0.0.1");
  dialled.close();
});

Deno.test({
  name: "TLS: the identity profile speaks TLS 1.3 only (core.md §10.1)",
  ...needs("openssl"),
  fn: async () => {
    await using server = await tlsServer();
    const target = ["-connect", `127.0.0.1:${server.port}`, "-servername", `${server.key.id}.alknet`];
    const { stderr } = await runProgram("openssl", ["s_client", ...target, "-alpn", "test/suite", "-tls1_2"], {
      stdin: "",
    });
    assert.ok(stderr.includes("SSL alert number 70"), stderr);
    assert.equal(server.accepted, 0);
  },
});

Deno.test({
  name: "TLS: a client that is killed ends its connection with an error (core.md §18 row 25)",
  ...needs("openssl"),
  fn: async () => {
    await using server = await tlsServer();
    const target = [
      "-connect",
      `127.0.0.1:${server.port}`,
      "-alpn",
      "test/suite",
      "-servername",
      `${server.key.id}.alknet`,
    ];
    await using client = start("openssl", ["s_client", ...target]);
    const connection = await server.next();
    client.kill("SIGKILL");
    const { by, error } = await connection.closed;
    assert.deepEqual([by, error?.code], ["error", "TRUNCATED"]);
  },
});

Deno.test({
  name: "TLS: a server that is killed ends the dialler's connection with an error (core.md §18 row 25)",
  ...needs("openssl"),
  fn: async () => {
    await using folder = await temporaryFolder();
    const key = NodeKey.generate();
    const { certificate, privateKey } = key.certificate();
    const files = ["-cert", await folder.write("cert", certificate), "-key", await folder.write("key", privateKey)];
    await using peer = start("openssl", ["s_server", "-accept", "127.0.0.1:0", ...files, "-alpn", "test/suite"]);
    const port = Number((await peer.line(/^ACCEPT /)).split(":").at(-1));
    await using server = await tlsServer();
    const connection = await server.dial({
      address: { hostname: "127.0.0.1", port },
      expectation: { kind: "fingerprints", fingerprints: [key.fingerprint] },
    });
    peer.kill("SIGKILL");
    const { by, error } = await connection.closed;
    assert.deepEqual([by, error?.code], ["error", "TRUNCATED"]);
  },
});

Deno.test("TLS: a port that is taken says by whom (core.md §12.4)", async () => {
  await using server = await tlsServer();
  await assert.rejects(listenTls({ ...request(server.key), address: server.listener.address }), (error) => {
    const { code, message } = error as Error & { code: string };
    assert.equal(code, "BIND_FAILED");
    if (Deno.build.os === "linux") assert.ok(message.includes(`pid ${Deno.pid}`), message);
    return true;
  });
});

Deno.test("TLS: a key that does not fit its certificate is refused before listening (core.md §15)", async () => {
  const [one, other] = [NodeKey.generate().certificate(), NodeKey.generate().certificate()];
  for (const identity of [{ ...one, privateKey: other.privateKey }, { ...one, certificate: "x" }]) {
    await assert.rejects(listenTls({ ...request(NodeKey.generate()), profiles: { identity } }), { code: "TLS_CONFIG" });
  }
});

Deno.test("TLS: stopAccepting refuses newcomers and keeps what runs; close ends it (core.md §14)", async () => {
  await using server = await tlsServer();
  const dialled = await server.dial();
  const accepted = await server.next();
  const unfinished = connect(server.port, "127.0.0.1");
  await once(unfinished, "connect");
  unfinished.on("error", () => {});
  const dropped = new Promise((resolve) => unfinished.once("close", resolve));
  unfinished.resume();
  await server.listener.stopAccepting();
  await dropped;
  await assert.rejects(server.dial(), { code: "UNREACHABLE" });
  const stream = await dialled.open();
  await stream.writable.getWriter().write(new Uint8Array(3));
  for await (const { readable } of accepted) {
    for await (const chunk of readable) {
      assert.equal(chunk.byteLength, 3);
      break;
    }
    break;
  }
  const ended = dialled.closed;
  await server.listener.close();
  await ended;
  assert.equal(server.gate.connections, 0);
});

function request(key: NodeKey): Parameters<typeof listenTls>[0] {
  return {
    address: { hostname: "127.0.0.1", port: 0 },
    alpns: ["test/suite"],
    profiles: { identity: key.certificate() },
    nodeId: key.id,
    limits: {} as Parameters<typeof listenTls>[0]["limits"],
    gate: {} as Parameters<typeof listenTls>[0]["gate"],
    onConnection: () => {},
  };
}
