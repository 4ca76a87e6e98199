/**
 * `ws` on Node: a server that parses each message as JSON and sends it back, and a client of it and of ours.
 *
 * node peer_ws.mjs server                prints its port
 * node peer_ws.mjs client URL [TOKEN]    does tasks, one JSON object a line; with a token it speaks our envelopes
 */
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const [role, url, token] = process.argv.slice(2);
const { WebSocket, WebSocketServer } = createRequire(`${process.cwd()}/`)("ws");
const TEXT = "x".repeat(64);

if (role === "server") {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
  server.on("connection", (socket) => {
    socket.on("message", (data) => socket.send(JSON.stringify(JSON.parse(data))));
  });
  server.on("listening", () => console.log(JSON.stringify({ port: server.address().port })));
} else {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  const socket = new WebSocket(url, token ? ["alknet.call"] : [], {
    headers,
    rejectUnauthorized: false,
    ALPNProtocols: ["http/1.1"],
  });
  const waiting = new Map();
  const ask = (id) => {
    const input = { text: TEXT };
    const message = token
      ? { type: "call.requested", id, payload: { operationId: "bench/echo", input } }
      : { id, input };
    return new Promise((resolve, reject) => {
      waiting.set(id, { resolve, reject });
      socket.send(Buffer.from(JSON.stringify(message)));
    });
  };
  socket.on("message", (data) => {
    const { id, type, payload } = JSON.parse(data);
    if (type === "call.completed") return;
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (type === "call.error") reject(new Error(payload.message));
    else resolve();
  });
  await new Promise((resolve, reject) => socket.on("open", resolve).on("error", reject));
  let asked = 0;
  for await (const line of createInterface(process.stdin)) {
    const { seconds, atATime = 1 } = JSON.parse(line);
    const start = performance.now();
    const end = start + seconds * 1000;
    let count = 0;
    await Promise.all(Array.from({ length: atATime }, async () => {
      for (; performance.now() < end; count++) await ask(`${++asked}`);
    }));
    console.log(JSON.stringify({ value: count / ((performance.now() - start) / 1000) }));
  }
  process.exit();
}
