/**
 * Calls over WebSocket with TLS, beside a bare JSON echo of `ws` on Node without; the client of both is `ws`.
 *
 * @module
 */
import { start } from "../support/process.ts";
import { NODE_PEERS } from "../support/python.ts";
import { contestants } from "./contestants.ts";
import { compare, type Contestant, type Group, script } from "./harness.ts";
import { clientOf } from "./node_peer.ts";
import { BENCH_TOKEN } from "./protocols.ts";

/** Calls over WebSocket. */
export const callsWebSocket: Group = {
  name: "calls-websocket",
  async run(effort) {
    await using running = await contestants([alknet(), ws()]);
    const [ours, peer] = await compare(running.all, { task: "unary", atATime: 64 }, effort);
    const name = "calls, 64 at a time, WebSocket";
    return [{ name, unit: "/s", ours, peer, peerName: "ws, JSON echo without TLS", wanted: 0.4 }];
  },
};

async function alknet(): Promise<Contestant> {
  await using started = new AsyncDisposableStack();
  const options = JSON.stringify({ transports: ["tls"] });
  const server = started.use(start(Deno.execPath(), ["run", "-A", script("call_server.ts"), options]));
  const { port } = await server.json<{ port: number }>();
  const url = `wss://127.0.0.1:${port}/alknet/call`;
  return clientOf(
    started.use(start("node", [script("peer_ws.mjs"), "client", url, BENCH_TOKEN], { cwd: NODE_PEERS })),
    started,
  );
}

async function ws(): Promise<Contestant> {
  await using started = new AsyncDisposableStack();
  const server = started.use(start("node", [script("peer_ws.mjs"), "server"], { cwd: NODE_PEERS }));
  const { port } = await server.json<{ port: number }>();
  const url = `ws://127.0.0.1:${port}`;
  return clientOf(started.use(start("node", [script("peer_ws.mjs"), "client", url], { cwd: NODE_PEERS })), started);
}
