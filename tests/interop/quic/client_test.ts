/**
 * aioquic as the client of a node whose QUIC engine runs in its own process.
 *
 * @module
 */
import assert from "node:assert/strict";
import "./warm.ts";
import { NodeKey } from "@alknet/core";
import { needs } from "../../support/programs.ts";
import { startPeer } from "../../support/python.ts";
import { temporaryFolder } from "../../support/temp.ts";
import { CODES, startNode } from "./node.ts";

/** A version that nobody speaks, of the form that RFC 9000 §15 reserves for this purpose. */
const UNKNOWN_VERSION = 0x1a2a3a4a;
const VERSION_1 = 1;
/** RFC 9001 §4.8: alerts 120, no_application_protocol, and 116, certificate_required. */
const NO_APPLICATION_PROTOCOL = 0x100 + 120;
const CERTIFICATE_REQUIRED = 0x100 + 116;

interface Case {
  readonly title: string;
  readonly request: Readonly<Record<string, unknown>>;
  readonly answer: Readonly<Record<string, unknown>>;
  readonly host?: string;
}

const STREAMS = 50;
const HANDSHAKE_DONE = { echo: true, version: VERSION_1, retries: 0 };

const CASES: readonly Case[] = [
  {
    title: "10 MB there and back over 50 streams at once (core.md §18 rows 13, 18)",
    request: { scenario: "bulk", streams: STREAMS, size: 200_000 },
    answer: { same: STREAMS, alpn: "test/echo" },
  },
  {
    title: "RESET_STREAM reaches the handler with its code (RFC 9000 §19.4, core.md §18 row 19)",
    request: { scenario: "reset", code: 7 },
    answer: { told: "stream reset by peer with code 7" },
  },
  {
    title: "STOP_SENDING reaches the handler with its code and is answered by a reset of the same (RFC 9000 §3.5)",
    request: { scenario: "stop", code: 9 },
    answer: { told: "stream stopped by peer with code 9", reset: 9 },
  },
  {
    title: "reset and stop of the handler reach the client, other streams go on (core.md §18 row 19)",
    request: { scenario: "be_reset", alpn: "test/cut" },
    answer: { reset: CODES.reset, stop: CODES.stop, echo: true },
  },
  {
    title: "streams that are reset both ways make room for others (RFC 9000 §4.6)",
    request: { scenario: "reset_many", alpn: "test/cut", streams: 3000 },
    answer: { resets: 3001, echo: true },
  },
  {
    title: "half close: each direction ends by itself (RFC 9000 §3)",
    request: { scenario: "half_close" },
    answer: { early: false, text: "first last" },
  },
  {
    title: "unidirectional streams both ways (RFC 9000 §2.1)",
    request: { scenario: "unidirectional" },
    answer: { stream: 3, same: true },
  },
  {
    title: "datagrams both ways (RFC 9221)",
    request: { scenario: "datagrams" },
    answer: { same: true },
  },
  {
    title: "an unknown ALPN ends the handshake with error 376 (RFC 9001 §8.1, core.md §18 row 3)",
    request: { scenario: "handshake", alpn: "test/unknown" },
    answer: { closed: true, code: NO_APPLICATION_PROTOCOL, reason: "" },
  },
  {
    title: "an ALPN in other letters is unknown (core.md §18 row 5)",
    request: { scenario: "handshake", alpn: "TEST/ECHO" },
    answer: { closed: true, code: NO_APPLICATION_PROTOCOL, reason: "" },
  },
  {
    title: "an ALPN of ours without a client certificate ends with certificate_required (core.md §10.2)",
    request: { scenario: "handshake", alpn: "alknet/test-echo" },
    answer: { closed: true, code: CERTIFICATE_REQUIRED, reason: "" },
  },
  {
    title: "close(42) of the handler reaches the client with code and reason (core.md §18 row 21)",
    request: { scenario: "be_closed", alpn: "test/close" },
    answer: { closed: true, code: CODES.close, reason: "enough" },
  },
  {
    title: "keys that the client updates are followed (RFC 9001 §6)",
    request: { scenario: "key_update" },
    answer: { echo: true },
  },
  {
    title: "a version that we do not speak is answered with those that we do (RFC 9000 §6)",
    request: { scenario: "handshake", versions: [UNKNOWN_VERSION, VERSION_1] },
    answer: HANDSHAKE_DONE,
  },
  {
    title: "IPv6",
    request: { scenario: "handshake" },
    answer: HANDSHAKE_DONE,
    host: "::1",
  },
  {
    title: "resumption: early data is not accepted, the handshake goes on (RFC 8446 §4.2.10, core.md §18 row 52)",
    request: { scenario: "resume" },
    answer: { allowed: null, resumed: true, early: false, text: "early" },
  },
];

for (const { title, request, answer, host = "127.0.0.1" } of CASES) {
  Deno.test({
    name: `QUIC from aioquic: ${title}`,
    ...needs("python"),
    async fn() {
      await using node = await startNode({ listen: host.includes(":") ? `[${host}]:0` : `${host}:0` });
      await using peer = startPeer("quic_client.py");
      const [{ port }] = node.addresses;
      const seen = await peer.ask({ host, port, ...request });
      assert.deepEqual({ ...seen, ...answer }, seen);
    },
  });
}

Deno.test({
  name: "QUIC from aioquic: close(77) of the client reaches the handler with code and reason (core.md §18 row 21)",
  ...needs("python"),
  async fn() {
    await using node = await startNode();
    await using peer = startPeer("quic_client.py");
    const [{ port }] = node.addresses;
    await peer.send({ port, scenario: "open" });
    await peer.json();
    const [connection] = node.connections();
    await peer.ask({ scenario: "close", code: 77, reason: "bye" });
    assert.deepEqual(await connection.closed, { by: "peer", code: 77, reason: "bye" });
  },
});

Deno.test({
  name: "QUIC from aioquic: where one handshake is under way the next client proves its address by Retry " +
    "(RFC 9000 §8.1.2, core.md §13)",
  ...needs("python"),
  async fn() {
    await using node = await startNode({ limits: { retryThreshold: 1 } });
    await using peer = startPeer("quic_client.py");
    const [{ port }] = node.addresses;
    assert.deepEqual(await peer.ask({ port, scenario: "handshake" }), HANDSHAKE_DONE);
    await peer.ask({ port, scenario: "begin" });
    assert.deepEqual(await peer.ask({ port, scenario: "handshake" }), { ...HANDSHAKE_DONE, retries: 1 });
  },
});

Deno.test({
  name: "QUIC from aioquic: the ticket of a connection that proved a key does not stand for the key (core.md §10.1)",
  ...needs("python"),
  async fn() {
    await using node = await startNode();
    await using folder = await temporaryFolder();
    await using peer = startPeer("quic_client.py");
    const pair = NodeKey.generate().certificate();
    const certificate = await folder.write("certificate.pem", pair.certificate);
    const key = await folder.write("key.pem", pair.privateKey);
    const [{ port }] = node.addresses;
    const request = { port, scenario: "ticket_for_a_key", alpn: "alknet/test-echo", certificate, key };
    assert.deepEqual(await peer.ask(request), { tickets: true, closed: true, code: CERTIFICATE_REQUIRED });
  },
});

Deno.test({
  name: "QUIC from aioquic: an Ed25519 client certificate is the peer's fingerprint (core.md §9, §10.2)",
  ...needs("python"),
  async fn() {
    await using node = await startNode();
    await using folder = await temporaryFolder();
    await using peer = startPeer("quic_client.py");
    const key = NodeKey.generate();
    const pair = key.certificate();
    const certificate = await folder.write("certificate.pem", pair.certificate);
    const keyFile = await folder.write("key.pem", pair.privateKey);
    const [{ port }] = node.addresses;
    const files = { alpn: "alknet/test-echo", certificate, key: keyFile };
    assert.deepEqual(await peer.ask({ port, scenario: "open", ...files }), { echo: true });
    const [connection] = node.connections();
    assert.equal(connection.peer.fingerprint, key.fingerprint);
    assert.equal(connection.alpn, "alknet/test-echo");
    await peer.ask({ scenario: "close", code: 0, reason: "" });
  },
});
