/**
 * A stranger who costs a node what a stranger can, in one of some ways, for some seconds.
 *
 * ```text
 * deno run -A --unsafely-ignore-certificate-errors tests/bench/stranger_client.ts KIND PORT NODEID SECONDS
 * ```
 *
 * @module
 */
import { connect } from "@alknet/core";
import { Buffer } from "node:buffer";
import dgram from "node:dgram";
import { createConnection, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

const [kind, portText, nodeId, secondsText] = Deno.args;
const port = Number(portText);
const until = performance.now() + 1000 * Number(secondsText);
const address = `${nodeId}@127.0.0.1:${port}`;
const going = (): boolean => performance.now() < until;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A TCP connection from one of many addresses of this machine. */
function tcp(n: number): Socket {
  const socket = createConnection({ port, host: "127.0.0.1", localAddress: `127.0.${1 + n % 20}.1` });
  socket.on("error", () => {});
  return socket;
}

/** The same with TLS, for a protocol; nothing where the node refuses it. */
async function tls(n: number, alpn: string): Promise<TLSSocket | undefined> {
  const options = { socket: tcp(n), ALPNProtocols: [alpn], rejectUnauthorized: false, servername: `${nodeId}.alknet` };
  const socket = connectTls(options);
  return await new Promise((resolve) => {
    socket.once("secureConnect", () => resolve(socket));
    socket.once("error", () => resolve(undefined));
    socket.once("close", () => resolve(undefined));
  });
}

const KINDS: Readonly<Record<string, () => Promise<void>>> = {
  /** A byte at a time on two hundred streams, nothing read. */
  async pieces() {
    const limits = { streamWindow: 1, maxStreamWindow: 1, connectionWindow: 1, maxConnectionWindow: 1 };
    await Promise.all(Array.from({ length: 4 }, async () => {
      const connection = await connect(address, "alknet/echo", { transport: "quic", limits });
      const streams = await Promise.all(Array.from({ length: 200 }, () => connection.open()));
      const writers = streams.map(({ writable }) => writable.getWriter());
      while (going()) {
        await Promise.race([Promise.allSettled(writers.map((writer) => writer.write(Uint8Array.of(1)))), pause(500)]);
        await pause(0);
      }
      connection.close();
    }));
  },
  /** As much as goes is sent to an echo, and nothing read. */
  async unread() {
    // Those of node:tls read on when they are paused; these read when they are asked to.
    const options = { hostname: "127.0.0.1", port, alpnProtocols: ["alknet/echo"] };
    await Promise.all(Array.from({ length: 40 }, async () => {
      const connection = await Deno.connectTls(options);
      const part = new Uint8Array(64 * 1024);
      const writing = (async () => {
        while (going()) await connection.write(part);
      })().catch(() => {});
      while (going()) await pause(100);
      connection.close();
      await writing;
    }));
  },
  /** Bodies that are announced, begun and not ended. */
  async bodies() {
    await Promise.all(Array.from({ length: 200 }, async (_, n) => {
      const socket = await tls(n, "http/1.1");
      socket?.write(
        "POST /call HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 8000000\r\n\r\n",
      );
      socket?.write(Buffer.alloc(900_000, 0x20));
      while (going() && socket && !socket.destroyed) {
        socket.write(" ");
        await pause(1000);
      }
      socket?.destroy();
    }));
  },
  /** Requests over h2, as many at once as there may be. */
  async conversations() {
    const args = ["-c", "20", "-m", "100", "-D", secondsText, `https://127.0.0.1:${port}/healthz`];
    await new Deno.Command("h2load", { args, stdin: "null", stdout: "null", stderr: "null" }).output();
  },
  /** Inputs as large as a stranger's may be, again and again. */
  async inputs() {
    const body = JSON.stringify({
      operation: "node/info",
      input: Array.from({ length: 9000 }, (_, n) => `${n}`.repeat(20)),
    });
    const request =
      `POST /call HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    await Promise.all(Array.from({ length: 20 }, async (_, n) => {
      while (going()) {
        const socket = await tls(n, "http/1.1");
        for (let rounds = 0; rounds < 20 && going() && socket && !socket.destroyed; rounds++) {
          socket.write(request);
          await Promise.race([new Promise((resolve) => socket.once("data", resolve)), pause(500)]);
        }
        socket?.destroy();
        await pause(20);
      }
    }));
  },
  /** First packets of newcomers that are none. */
  async forged() {
    const socket = dgram.createSocket("udp4");
    socket.on("error", () => {});
    while (going()) {
      for (let n = 0; n < 50; n++) {
        const packet = new Uint8Array(1200);
        crypto.getRandomValues(packet);
        packet.set([0xc3, 0, 0, 0, 1, 8], 0);
        packet[14] = 0;
        packet.set([0, 0x44, 0x90], 15);
        socket.send(packet, port, "127.0.0.1");
      }
      await pause(10);
    }
    socket.close();
  },
  /** Connections that say nothing, from many addresses. */
  async descriptors() {
    const sockets: Socket[] = [];
    while (going()) {
      for (let n = 0; n < 40 && sockets.length < 4000; n++) sockets.push(tcp(sockets.length));
      await pause(50);
    }
    for (const socket of sockets) socket.destroy();
  },
};

await KINDS[kind]();
Deno.exit(0);
