/**
 * Calls over WebSocket with TLS, beside a bare JSON echo of `ws` on Node without; the client of both is `ws`.
 *
 * @module
 */
import { start } from "../support/process.ts";
import { temporaryFolder } from "../support/temp.ts";
import { contestants } from "./contestants.ts";
import { compare, type Contestant, type Group, script } from "./harness.ts";
import { clientOf, installNodePackage } from "./node_peer.ts";
import { BENCH_TOKEN } from "./protocols.ts";

/** The version that is measured. */
const WS = "ws@8.23.0";

/** Calls over WebSocket. */
export const callsWebSocket: Group = {
  name: "calls-websocket",
  async run(effort) {
    await using folder = await temporaryFolder();
    await installNodePackage(folder.path, WS);
    await using running = await contestants([alknet(folder.path), ws(folder.path)]);
    const [ours, peer] = await compare(running.all, { task: "unary", atATime: 64 }, effort);
    const name = "calls, 64 at a time, WebSocket";
    return [{ name, unit: "/s", ours, peer, peerName: "ws, JSON echo without TLS", wanted: 0.4 }];
  },
};

async function alknet(cwd: string): Promise<Contestant> {
  await using started = new AsyncDisposableStack();
  const options = JSON.stringify({ transports: ["tls"] });
  const server = started.use(start(Deno.execPath(), ["run", "-A", script("call_server.ts"), options]));
  const { port } = await server.json<{ port: number }>();
  const url = `wss://127.0.0.1:${port}/alknet/call`;
  return clientOf(started.use(start("node", [script("peer_ws.mjs"), "client", url, BENCH_TOKEN], { cwd })), started);
}

async function ws(cwd: string): Promise<Contestant> {
  await using started = new AsyncDisposableStack();
  const server = started.use(start("node", [script("peer_ws.mjs"), "server"], { cwd }));
  const { port } = await server.json<{ port: number }>();
  const url = `ws://127.0.0.1:${port}`;
  return clientOf(started.use(start("node", [script("peer_ws.mjs"), "client", url], { cwd })), started);
}
