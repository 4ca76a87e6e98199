/**
 * Our client against aioquic as server: everything a stream can do, and the certificates it accepts.
 *
 * @module
 */
import assert from "node:assert/strict";
import "./warm.ts";
import { connect, type ConnectOptions, DialError } from "@alknet/core";
import { needs } from "../../support/programs.ts";
import { startPeer } from "../../support/python.ts";

/** What the peer says of a server that it started. */
interface Server {
  readonly port: number;
  readonly authority: string;
  readonly fingerprint: string;
}

interface Check {
  readonly title: string;
  /** Changes to the server's certificate. */
  readonly server?: Readonly<Record<string, unknown>>;
  readonly host?: string;
  readonly options: (server: Server) => ConnectOptions;
  /** Code of the failure; absent: connected. */
  readonly refused?: string;
}

const CHECKS: readonly Check[] = [
  {
    title: "no pin, authority trusted, right name: connected (core.md §18 row 48)",
    host: "localhost",
    options: ({ authority }) => ({ authorities: authority }),
  },
  {
    title: "no pin, authority trusted, IP address named: connected (core.md §18 row 48)",
    options: ({ authority }) => ({ authorities: authority }),
  },
  {
    title: "no pin, authority trusted, IPv6 address named: connected (core.md §18 row 48)",
    server: { host: "::1" },
    host: "::1",
    options: ({ authority }) => ({ authorities: authority }),
  },
  {
    title: "no pin, authority trusted, wrong name: refused (core.md §18 row 48)",
    server: { names: ["other.example"] },
    host: "localhost",
    options: ({ authority }) => ({ authorities: authority }),
    refused: "CERTIFICATE_REJECTED",
  },
  {
    title: "no pin, authority trusted, wrong address: refused (core.md §18 row 48)",
    server: { names: ["localhost", "127.0.0.2"] },
    options: ({ authority }) => ({ authorities: authority }),
    refused: "CERTIFICATE_REJECTED",
  },
  {
    title: "no pin, authority trusted, expired: refused (core.md §18 row 48)",
    server: { days: [-2, -1] },
    host: "localhost",
    options: ({ authority }) => ({ authorities: authority }),
    refused: "CERTIFICATE_REJECTED",
  },
  {
    title: "no pin, authority trusted, not valid yet: refused (core.md §18 row 48)",
    server: { days: [1, 2] },
    host: "localhost",
    options: ({ authority }) => ({ authorities: authority }),
    refused: "CERTIFICATE_REJECTED",
  },
  {
    title: "no pin, authority unknown: refused (core.md §10.4)",
    host: "localhost",
    options: () => ({}),
    refused: "CERTIFICATE_REJECTED",
  },
  {
    title: "no pin, authority unknown, IP address named: refused (core.md §10.4)",
    options: () => ({}),
    refused: "CERTIFICATE_REJECTED",
  },
  {
    title: "SHA256 pin of this certificate, wrong name, expired: connected (core.md §10.4, §18 row 49)",
    server: { names: ["other.example"], days: [-2, -1] },
    options: ({ fingerprint }) => ({ fingerprints: [fingerprint] }),
  },
  {
    title: "insecure: connected whatever the certificate says (core.md §10.4)",
    server: { names: ["other.example"], days: [-2, -1] },
    options: () => ({ insecure: true }),
  },
];

for (const { title, server: changes, host = "127.0.0.1", options, refused } of CHECKS) {
  Deno.test({
    name: `QUIC to aioquic: ${title}`,
    ...needs("python"),
    async fn() {
      await using peer = startPeer("quic_server.py");
      const server = await peer.ask<Server>({ ...changes });
      const dial = connect(at(host, server.port), "test/echo", { transport: "quic", ...options(server) });
      if (refused) {
        await assert.rejects(dial, (error) => error instanceof DialError && error.code === refused);
        return;
      }
      await using connection = await dial;
      assert.equal(await echoed(connection, "hello"), "hello");
    },
  });
}

Deno.test({
  name: "QUIC to aioquic: SHA256 pin, certificate renewed with the same key: refused (core.md §18 row 49)",
  ...needs("python"),
  async fn() {
    await using peer = startPeer("quic_server.py");
    const first = await peer.ask<Server>({});
    const renewed = await peer.ask<Server>({});
    const dial = connect(at("127.0.0.1", renewed.port), "test/echo", {
      transport: "quic",
      fingerprints: [first.fingerprint],
    });
    await assert.rejects(dial, (error) => error instanceof DialError && error.code === "FINGERPRINT_MISMATCH");
  },
});

Deno.test({
  name: "QUIC to aioquic: an ALPN that it does not serve: ALPN_REFUSED (core.md §11)",
  ...needs("python"),
  async fn() {
    await using peer = startPeer("quic_server.py");
    const { port, fingerprint } = await peer.ask<Server>({ alpn: "test/other" });
    const dial = connect(at("127.0.0.1", port), "test/echo", { transport: "quic", fingerprints: [fingerprint] });
    await assert.rejects(dial, (error) => error instanceof DialError && error.code === "ALPN_REFUSED");
  },
});

Deno.test({
  name: "QUIC to aioquic: Retry, 50 streams at once with 10 MB, one-way streams, datagrams, a reset " +
    "(RFC 9000 §8.1.2, core.md §18 rows 17 to 19)",
  ...needs("python"),
  async fn() {
    await using peer = startPeer("quic_server.py");
    const { port, fingerprint } = await peer.ask<Server>({ retry: true });
    await using connection = await connect(at("127.0.0.1", port), "test/echo", {
      transport: "quic",
      fingerprints: [fingerprint],
    });
    const texts = Array.from({ length: 50 }, (_, i) => String.fromCharCode(97 + i % 26).repeat(200_000) + i);
    assert.deepEqual(await Promise.all(texts.map((text) => echoed(connection, text))), texts);

    const oneWay = await connection.openSend();
    await new Blob(["one way"]).stream().pipeTo(oneWay.writable);
    for await (const { readable } of connection.receiveStreams) {
      assert.equal(await new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>).text(), "one way");
      break;
    }

    connection.datagrams!.send(new TextEncoder().encode("datagram"));
    const messages = connection.datagrams!.readable.getReader();
    assert.equal(new TextDecoder().decode((await messages.read()).value), "datagram");
    messages.releaseLock();

    const stream = await connection.open();
    const writer = stream.writable.getWriter();
    await writer.write(new TextEncoder().encode("x"));
    const reader = stream.readable.getReader();
    await reader.read();
    stream.reset(30);
    await assert.rejects(reader.read(), { code: "STREAM_CLOSED", errorCode: 31 });
    await writer.abort().catch(() => {});
  },
});

type Connection = Awaited<ReturnType<typeof connect>>;

async function echoed(connection: Connection, text: string): Promise<string> {
  const { readable, writable } = await connection.open();
  const [answer] = await Promise.all([
    new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>).text(),
    new Blob([text]).stream().pipeTo(writable),
  ]);
  return answer;
}

function at(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
