/**
 * The hellos of real clients, as they come out of their sockets today; the captured ones are in client_hello_test.ts.
 *
 * @module
 */
import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import {
  type ClientHello,
  ClientHelloReader,
} from "../../../../../../core/transports/quic/engine/admission/client_hello.ts";
import { type Child, start } from "../../../../../support/process.ts";
import { findProgram, needs } from "../../../../../support/programs.ts";
import { startPeer } from "../../../../../support/python.ts";
import { temporaryFolder } from "../../../../../support/temp.ts";

/** A UDP port that answers nothing and reads the hello of the first client that is not garbage. */
async function listenForHello(): Promise<AsyncDisposable & { port: number; hello: Promise<ClientHello> }> {
  const socket = createSocket("udp4");
  const { promise: hello, resolve, reject } = Promise.withResolvers<ClientHello>();
  const readers = new Map<number, ClientHelloReader>();
  socket.on("message", (datagram, from) => {
    let reader = readers.get(from.port);
    if (!reader) readers.set(from.port, reader = new ClientHelloReader());
    const said = reader.feed(datagram);
    if (said === "invalid") reject(new Error(`invalid: ${datagram.toString("hex")}`));
    else if (said !== "more") resolve(said);
  });
  await new Promise<void>((bound) => socket.bind(0, "127.0.0.1", bound));
  return {
    port: socket.address().port,
    hello,
    [Symbol.asyncDispose]: () => new Promise((closed) => socket.close(() => closed())),
  };
}

/** The hello, or a failure with the last words of a client that ended before it. */
function unlessEnded(client: Child, hello: Promise<ClientHello>): Promise<ClientHello> {
  const ended = client.status.then(() => Promise.reject(new Error(`${client.name} ended: ${client.errors}`)));
  return Promise.race([hello, ended]);
}

Deno.test({
  name: "ClientHelloReader: aioquic's client, live, with a hello over several packets",
  ...needs("python"),
  async fn() {
    const alpns = Array.from({ length: 120 }, (_, i) => `alknet/protocol-${i}`);
    await using server = await listenForHello();
    await using peer = startPeer("quic_hello.py");
    await peer.send({ port: server.port, alpns, serverName: "node.example" });
    assert.deepEqual(await unlessEnded(peer, server.hello), { alpns, serverName: "node.example" });
  },
});

Deno.test({
  name: "ClientHelloReader: Chromium, live, whose hello spans two packets",
  ...needs("chromium"),
  async fn() {
    await using folder = await temporaryFolder();
    await using server = await listenForHello();
    const origin = `hello.example.com:${server.port}`;
    await using browser = start(findProgram("chromium")!, [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--enable-quic"],
      `--user-data-dir=${folder.path}`,
      `--origin-to-force-quic-on=${origin}`,
      `--host-resolver-rules=MAP ${origin} 127.0.0.1:${server.port}`,
      "--dump-dom",
      `https://${origin}/`,
    ]);
    assert.deepEqual(await unlessEnded(browser, server.hello), { alpns: ["h3"], serverName: "hello.example.com" });
  },
});
