/**
 * The peer of our TLS transport, dialling: `node:tls` and its events, no streams of ours.
 *
 * @module
 */
import { once } from "node:events";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { serveTasks, stopwatch } from "./client_tasks.ts";
import { BLOCK, SINK_ALPN, SOURCE_ALPN } from "./protocols.ts";

const { port, certificate } = JSON.parse(Deno.args[0]);

async function dial(alpn: string): Promise<TLSSocket> {
  const socket = connect({
    host: "127.0.0.1",
    port,
    servername: "localhost",
    ca: certificate,
    ALPNProtocols: [alpn],
    allowHalfOpen: true,
  } as ConnectionOptions);
  await once(socket, "secureConnect");
  return socket;
}

async function upload(seconds: number): Promise<number> {
  const socket = await dial(SINK_ALPN);
  const block = new Uint8Array(BLOCK);
  const { elapsed, end } = stopwatch(seconds);
  let sent = 0;
  let answer = "";
  socket.on("data", (chunk) => answer += chunk);
  const ended = once(socket, "end");
  await new Promise<void>((resolve) => {
    const send = (): void => {
      do {
        if (sent > 0 && performance.now() >= end) return resolve();
        sent += BLOCK;
      } while (socket.write(block));
    };
    socket.on("drain", send);
    send();
  });
  socket.end();
  await ended;
  const time = elapsed();
  socket.destroy();
  if (Number(answer) !== sent) throw new Error(`sent ${sent} bytes, but ${answer} arrived`);
  return sent / 1e6 / time;
}

async function download(seconds: number): Promise<number> {
  const socket = await dial(SOURCE_ALPN);
  const { elapsed, end } = stopwatch(seconds);
  let received = 0;
  let asking = true;
  const ended = once(socket, "end");
  socket.on("data", (chunk: Uint8Array) => {
    received += chunk.byteLength;
    if (!asking || performance.now() < end) return;
    asking = false;
    socket.end();
  });
  socket.write(new Uint8Array(1));
  await ended;
  const time = elapsed();
  socket.destroy();
  return received / 1e6 / time;
}

await serveTasks({ upload, download });
Deno.exit();
